namespace EdgeOrleans.EndToEnd;

/// <summary>What the console says in a pipe, and how it fails.</summary>
public sealed class ConsoleTests(RunningNode running) : IClassFixture<RunningNode>
{
    private readonly NodeProcess _node = running.Node;

    [Fact]
    public async Task An_unreachable_node_is_one_line_and_an_exit_code()
    {
        var failed = await new EdgeCtl(FreePorts.Take()).RunAsync("get", "devices");

        Assert.NotEqual(0, failed.ExitCode);
        Assert.Single(failed.ErrorLines);
        Assert.Empty(failed.Output);
    }

    [Theory]
    [InlineData("twin", "get", "default/nope")]
    [InlineData("describe", "device", "nope")]
    [InlineData("twin", "set", "nope", "a=1")]
    [InlineData("delete", "device", "nope")]
    public async Task An_unknown_device_is_one_line_that_names_it_and_an_exit_code(params string[] command)
    {
        var failed = await _node.Console.RunAsync(command);

        Assert.NotEqual(0, failed.ExitCode);
        Assert.Contains("nope", Assert.Single(failed.ErrorLines), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("get", "devices", "--frobnicate")]
    [InlineData("get", "devcies")]
    [InlineData("--frobnicate")]
    [InlineData("get", "devices", "-o", "xml")]
    [InlineData("twin", "get", "Not A Name")]
    [InlineData("--server", "no port", "get", "devices")]
    public async Task A_wrong_command_line_is_one_line_and_an_exit_code(params string[] command)
    {
        var failed = await _node.Console.RunAsync(command);

        Assert.NotEqual(0, failed.ExitCode);
        Assert.Single(failed.ErrorLines);
    }

    [Fact]
    public async Task A_flag_names_the_node_where_the_environment_names_none()
    {
        var modules = await new EdgeCtl(FreePorts.Take()).OutputAsync("--server", $"127.0.0.1:{_node.GatewayPort}", "get", "modules", "-o", "json");

        Assert.Equal("running", ModuleTable.State(JsonNode.Parse(modules)!.AsArray(), "eventBus"));
    }

    [Fact]
    public async Task The_list_of_modules_says_of_each_its_name_group_and_state()
    {
        var modules = JsonNode.Parse(await _node.Console.OutputAsync("get", "modules", "-o", "json"))!.AsArray();

        Assert.All(modules, module => Assert.All(["name", "group", "enabled", "state"], field => Assert.NotNull(module![field])));
        Assert.Equal("running", ModuleTable.State(modules, "deviceTwin"));
        Assert.Equal("notBuilt", ModuleTable.State(modules, "edged"));
    }

    [Theory]
    [InlineData("get", "devices")]
    [InlineData("get", "twins")]
    [InlineData("get", "modules")]
    [InlineData("get", "modules", "-o", "wide")]
    [InlineData("get", "modules", "-o", "yaml")]
    [InlineData("describe", "device", "pipe-1")]
    [InlineData("twin", "get", "pipe-1")]
    [InlineData("mqtt", "clients", "-o", "wide")]
    [InlineData("mqtt", "sessions")]
    [InlineData("mqtt", "retained")]
    [InlineData("mqtt", "user", "list")]
    [InlineData("--help")]
    [InlineData("get", "nothing")]
    public async Task In_a_pipe_there_are_no_escape_codes(params string[] command)
    {
        await using var device = await MqttProbe.ConnectAsync(_node.MqttPort);
        await device.ReportAsync("default/pipe-1", ("a", "1"));

        var result = await _node.Console.RunAsync(command);

        Assert.DoesNotContain('\e', result.Output + result.Error);
        Assert.NotEmpty(result.Output + result.Error);
    }

    [Fact]
    public async Task A_simulation_in_a_pipe_writes_plain_lines_and_a_summary()
    {
        var summary = await _node.Console.OutputAsync(
            "simulate", "--devices", "5", "--duration", "2s", "--prefix", "plain-", "--mqtt", $"127.0.0.1:{_node.MqttPort}");

        Assert.DoesNotContain('\e', summary);
        Assert.Contains("answered", summary, StringComparison.Ordinal);
        Assert.Contains("p50", summary, StringComparison.Ordinal);
    }
}
