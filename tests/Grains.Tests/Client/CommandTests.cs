namespace EdgeOrleans.Client;

public sealed class CommandTests(FakeNode node) : IClassFixture<FakeNode>
{
    [Fact]
    public async Task A_twin_is_printed_with_KubeEdges_field_names()
    {
        node.Put(Ctl.Pump("default/pump-1"));

        var outcome = await RunAsync("twin", "get", "pump-1", "-o", "json");

        Assert.Equal(
            """{"id":"default/pump-1","twin":{"temperature":{"expected":{"value":"25","metadata":{"timestamp":2000}},"actual":{"value":"22","metadata":{"timestamp":1000}},"optional":true,"metadata":{"type":"int"},"expected_version":{"cloud":0,"edge":1},"actual_version":{"cloud":0,"edge":4}}}}""",
            outcome.Out.TrimEnd());
        Assert.Equal(0, outcome.ExitCode);
        Assert.Empty(outcome.Error);
    }

    [Fact]
    public async Task A_tombstone_shows_only_when_all_is_asked_for()
    {
        node.Put(Ctl.Pump("default/tomb"));

        var all = await RunAsync("twin", "get", "tomb", "--all", "-o", "json");
        var table = await RunAsync("twin", "get", "tomb");

        Assert.Equal("deleted", all.Json.GetProperty("twin").GetProperty("old").GetProperty("metadata").GetProperty("type").GetString());
        Assert.False(all.Json.GetProperty("twin").GetProperty("old").TryGetProperty("actual", out _));
        Assert.Equal(["PROPERTY EXPECTED ACTUAL IN SYNC TYPE AGE", "temperature 25 22 no int"], table.Lines.Select(line => line.Replace("  ", " ")).Select(WithoutAge));
    }

    [Fact]
    public async Task A_list_pages_through_all_devices()
    {
        for (var i = 0; i < 2100; i++)
        {
            node.Put(Ctl.Pump($"many/d{i:D4}"));
        }

        var outcome = await RunAsync("get", "devices", "-o", "json");

        var ids = outcome.Json.EnumerateArray().Select(d => d.GetProperty("id").GetString()!).Where(id => id.StartsWith("many/", StringComparison.Ordinal));
        Assert.Equal(2100, ids.Distinct().Count());
        Assert.All(outcome.Json.EnumerateArray(), d => Assert.True(d.TryGetProperty("state", out _)));
        foreach (var id in node.Devices.Keys.Where(id => id.StartsWith("many/", StringComparison.Ordinal)))
        {
            node.Devices.TryRemove(id, out _);
        }
    }

    [Fact]
    public async Task Modules_are_listed_with_their_fixed_names()
    {
        var outcome = await RunAsync("get", "modules", "-o", "json");

        var mesh = outcome.Json[1];
        Assert.Equal("edgeMesh", mesh.GetProperty("name").GetString());
        Assert.Equal("mesh", mesh.GetProperty("group").GetString());
        Assert.False(mesh.GetProperty("enabled").GetBoolean());
        Assert.Equal("notBuilt", mesh.GetProperty("state").GetString());
    }

    [Fact]
    public async Task Refusals_and_the_node_can_be_asked_for()
    {
        var refusals = await RunAsync("get", "refusals");
        var described = await RunAsync("describe", "node", "-o", "yaml");
        var version = await RunAsync("version");

        Assert.Equal(["REASON COUNT", "unknown-device 3"], refusals.Lines);
        Assert.Contains("name: edge-1", described.Out, StringComparison.Ordinal);
        Assert.Contains("node: 9.8.7", version.Lines);
    }

    [Fact]
    public async Task An_unknown_device_is_one_line_and_exit_code_4()
    {
        foreach (var args in new string[][] { ["twin", "get", "nope"], ["twin", "set", "nope", "a=1"], ["describe", "device", "nope"], ["get", "devices", "nope"], ["delete", "device", "nope"], ["twin", "watch", "nope"] })
        {
            var outcome = await RunAsync(args);

            Assert.Equal(ExitCodes.NotFound, outcome.ExitCode);
            Assert.Contains("default/nope", Assert.Single(outcome.ErrorLines), StringComparison.Ordinal);
            Assert.Empty(outcome.Out);
        }
    }

    [Fact]
    public async Task Setting_expected_values_prints_what_became_of_them()
    {
        node.Put(Ctl.Pump("default/set"));

        var outcome = await RunAsync("twin", "set", "set", "speed=-5", "label=a=b", "-o", "json");

        var twin = outcome.Json.GetProperty("twin");
        Assert.Equal("-5", twin.GetProperty("speed").GetProperty("expected").GetProperty("value").GetString());
        Assert.Equal("a=b", twin.GetProperty("label").GetProperty("expected").GetProperty("value").GetString());
        Assert.False(twin.TryGetProperty("temperature", out _));
    }

    [Fact]
    public async Task A_refused_value_is_exit_code_1_with_the_nodes_reason()
    {
        node.Put(Ctl.Pump("default/ro"));

        var outcome = await RunAsync("twin", "set", "ro", "pressure=3");

        Assert.Equal(ExitCodes.Failed, outcome.ExitCode);
        Assert.Equal("error: 'pressure' is read only", Assert.Single(outcome.ErrorLines));
    }

    [Fact]
    public async Task Apply_tries_every_document_models_first()
    {
        const string Manifests = """
            kind: Device
            metadata: {name: warned}
            ---
            kind: Device
            metadata: {name: refused}
            ---
            kind: DeviceModel
            metadata: {name: pump}
            """;

        var outcome = await RunAsync(["apply", "-f", "-"], Manifests);

        Assert.Equal(["devicemodel/default/pump created", "device/default/warned created"], outcome.Lines);
        Assert.Equal(["warning: stdin:1: methods are not built yet", "error: stdin:4: spec.properties[0].type: 'INTEGER' is no type; take INT"], outcome.ErrorLines);
        Assert.Equal(ExitCodes.Failed, outcome.ExitCode);
    }

    [Fact]
    public async Task Deleting_by_file_takes_devices_before_their_models()
    {
        node.Put(Ctl.Pump("default/gone"));
        node.Models["default/m"] = new Devices.ModelSummary { Id = "default/m" };

        var outcome = await RunAsync(["delete", "-f", "-"], "{kind: DeviceModel, metadata: {name: m}}\n---\n{kind: Device, metadata: {name: gone}}");

        Assert.Equal(["device/default/gone deleted", "devicemodel/default/m deleted"], outcome.Lines);
        Assert.Equal(0, outcome.ExitCode);
    }

    [Fact]
    public async Task An_empty_list_says_so_beside_the_results()
    {
        node.Models.Clear();

        var table = await RunAsync("get", "models");
        var json = await RunAsync("get", "models", "-o", "json");

        Assert.Equal(("", 0), (table.Out, table.ExitCode));
        Assert.Contains("no device models yet", Assert.Single(table.ErrorLines), StringComparison.Ordinal);
        Assert.Equal(("[]", ""), (json.Out.TrimEnd(), json.Error));
    }

    [Fact]
    public async Task Ctrl_C_at_a_question_is_heard_at_once()
    {
        node.Put(Ctl.Pump("default/asked"));
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        using var person = new SilentReader();
        using var error = new StringWriter();
        var deleting = EdgeCtl.RunAsync(
            ["delete", "device", "asked", "--server", node.Address],
            new Terminal(TextWriter.Null, error, person, Draws: false, Asks: true),
            cancellation: stop.Token);
        await person.Asked.WaitAsync(TestContext.Current.CancellationToken);

        await stop.CancelAsync();

        Assert.Equal(ExitCodes.Failed, await deleting);
        Assert.EndsWith("error: interrupted", error.ToString().TrimEnd(), StringComparison.Ordinal);
        Assert.True(node.Devices.ContainsKey("default/asked"));
    }

    private static string WithoutAge(string line) => line.EndsWith('d') ? line[..line.LastIndexOf(' ')] : line;

    private Task<Ctl.Outcome> RunAsync(params string[] args) => RunAsync(args, "");

    private Task<Ctl.Outcome> RunAsync(string[] args, string input) =>
        Ctl.RunAsync([.. args, "--server", node.Address], input, TestContext.Current.CancellationToken);

    private sealed class SilentReader : TextReader
    {
        private readonly ManualResetEventSlim _end = new();

        public SemaphoreSlim Asked { get; } = new(0);

        public override string? ReadLine()
        {
            Asked.Release();
            _end.Wait();
            return null;
        }

        protected override void Dispose(bool disposing)
        {
            _end.Set();
            base.Dispose(disposing);
        }
    }
}
