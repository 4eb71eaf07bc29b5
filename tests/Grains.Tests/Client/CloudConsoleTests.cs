using System.Text.Json;
using EdgeOrleans.TestKit;

namespace EdgeOrleans.Client;

/// <summary>What changes a variable of the process runs alone.</summary>
[CollectionDefinition(nameof(ProcessVariables), DisableParallelization = true)]
public sealed class ProcessVariables;

/// <summary>The console at a cloud, with a contexts file of its own.</summary>
[Collection(nameof(ProcessVariables))]
public sealed class CloudConsoleTests : IAsyncLifetime
{
    private const string Pumps = """
        apiVersion: devices.kubeedge.io/v1beta1
        kind: DeviceModel
        metadata: { name: pump }
        spec: { properties: [ { name: t, type: INT, accessMode: ReadWrite } ] }
        ---
        apiVersion: devices.kubeedge.io/v1beta1
        kind: Device
        metadata: { name: pump-1, labels: { hall: "3" } }
        spec: { nodeName: edge-1, deviceModelRef: { name: pump } }
        ---
        apiVersion: devices.kubeedge.io/v1beta1
        kind: Device
        metadata: { name: pump-2, labels: { hall: "4" } }
        spec: { nodeName: edge-1 }
        ---
        apiVersion: v1
        kind: Node
        metadata: { name: edge-1, labels: { site: north } }
        """;

    private readonly string _folder = Directory.CreateTempSubdirectory("edgectl-").FullName;
    private CloudSilo _cloud = null!;

    private string ContextsFile => Path.Combine(_folder, "edgectl", "config.yaml");

    public async ValueTask InitializeAsync()
    {
        Environment.SetEnvironmentVariable("EDGECTL_CONFIG", ContextsFile);
        _cloud = await CloudSilo.StartAsync();
        await RunAsync("version");
        await Ctl.RunAsync(["--server", Server, "apply", "-f", "-"], Pumps, TestContext.Current.CancellationToken);
    }

    public async ValueTask DisposeAsync()
    {
        Environment.SetEnvironmentVariable("EDGECTL_CONFIG", null);
        await _cloud.DisposeAsync();
        Directory.Delete(_folder, recursive: true);
    }

    private string Server => $"127.0.0.1:{_cloud.GatewayPort}";

    [Fact]
    public async Task Lists_are_narrowed_by_labels_and_say_what_a_script_needs()
    {
        var nodes = (await RunAsync("get", "nodes", "-l", "site=north", "-o", "json")).Json;
        var devices = await RunAsync("get", "devices", "-l", "hall in (3)");
        var models = (await RunAsync("get", "models", "-o", "json")).Json;

        Assert.Equal(("edge-1", false, JsonValueKind.Null), (nodes[0].GetProperty("name").GetString(), nodes[0].GetProperty("ready").GetBoolean(), nodes[0].GetProperty("lastSeen").ValueKind));
        Assert.Equal(["NAME NODE STATE LAST ONLINE MODEL PENDING", "default/pump-1 edge-1 - - default/pump -"], devices.Lines);
        Assert.Equal("default/pump", models[0].GetProperty("id").GetString());
        Assert.Equal(2, (await RunAsync("get", "devices", "--node", "edge-1", "-o", "json")).Json.GetArrayLength());
        Assert.NotEqual(0, (await RunAsync("get", "devices", "-l", "hall in (3")).ExitCode);
    }

    [Fact]
    public async Task A_value_that_is_wanted_is_pending_until_the_node_has_it_and_the_ledger_adds_up()
    {
        var set = await RunAsync("twin", "set", "pump-1", "t=5");
        var refused = await RunAsync("twin", "set", "pump-1", "t=warm");
        var ledger = (await RunAsync("ledger", "-o", "json")).Json;

        Assert.StartsWith("t 5 - pending int", set.Lines[1], StringComparison.Ordinal);
        Assert.Equal(ExitCodes.Failed, refused.ExitCode);
        long Of(string name) => ledger.GetProperty(name).GetInt64();
        Assert.Equal(Of("accepted"), Of("delivered") + Of("unconfirmed") + Of("waiting") + Of("superseded") + Of("expired") + Of("refused"));
        Assert.Contains(ledger.GetProperty("classes").EnumerateArray(), static c => c.GetProperty("class").GetString() == "desired" && c.GetProperty("waiting").GetInt64() == 1);
        Assert.Equal(ExitCodes.Ok, (await RunAsync("twin", "conflicts", "pump-1")).ExitCode);
    }

    [Fact]
    public async Task What_is_described_and_deleted_is_named_as_it_was_applied()
    {
        Assert.Contains("site: north", (await RunAsync("describe", "node", "edge-1")).Out, StringComparison.Ordinal);
        Assert.Contains("kind: DeviceModel", (await RunAsync("describe", "model", "pump")).Out, StringComparison.Ordinal);
        Assert.Equal(ExitCodes.NotFound, (await RunAsync("describe", "node", "edge-9")).ExitCode);
        Assert.Equal(ExitCodes.Usage, (await RunAsync("delete", "device")).ExitCode);
        Assert.Equal(["device/default/pump-2 deleted"], (await RunAsync("delete", "devices", "-l", "hall=4")).Lines);
        Assert.Equal(["node/edge-1 deleted"], (await RunAsync("delete", "node", "edge-1")).Lines);
    }

    [Fact]
    public async Task A_context_is_what_is_meant_when_nothing_else_is_said()
    {
        Assert.Equal(ExitCodes.Ok, (await BareAsync("config", "set-context", "cloud", "--address", Server)).ExitCode);
        Assert.Equal(ExitCodes.NotFound, (await BareAsync("config", "current-context")).ExitCode);
        Assert.Equal([$"cloud is {Server}"], (await BareAsync("config", "use-context", "cloud")).Lines);
        Assert.Equal(1, (await BareAsync("get", "nodes", "-o", "json")).Json.GetArrayLength());
        Assert.Equal(ExitCodes.Usage, (await BareAsync("--context", "other", "get", "nodes")).ExitCode);
        if (!OperatingSystem.IsWindows())
        {
            Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(ContextsFile));
        }

        await File.WriteAllTextAsync(ContextsFile, "contexts: [", TestContext.Current.CancellationToken);
        var damaged = await BareAsync("get", "nodes");
        Assert.Equal(ExitCodes.Usage, damaged.ExitCode);
        Assert.Contains(ContextsFile, damaged.Error, StringComparison.Ordinal);
    }

    private Task<Ctl.Outcome> RunAsync(params string[] args) => BareAsync(["--server", Server, .. args]);

    private static Task<Ctl.Outcome> BareAsync(params string[] args) => Ctl.RunAsync(args, cancellation: TestContext.Current.CancellationToken);
}
