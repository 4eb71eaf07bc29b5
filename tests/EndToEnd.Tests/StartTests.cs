using System.Text.RegularExpressions;

namespace EdgeOrleans.EndToEnd;

public sealed class StartTests
{
    private static readonly string[] Modules =
        ["dbManager", "edgeHub", "metaManager", "deviceTwin", "edged", "edgeMesh", "serviceBus", "eventBus", "testBench"];

    [Fact]
    public async Task A_start_says_the_version_then_the_settings_then_the_modules_then_that_the_node_is_ready()
    {
        await using var node = await new NodeProcess("--node=edge-1").StartAsync();

        var lines = node.Output.Lines.ToList();
        var version = lines.FindIndex(line => Regex.IsMatch(line, @"EdgeOrleans \d+\.\d+\.\d+"));
        var setting = lines.FindIndex(line => line.Contains("modules.eventBus.mqttServerInternal", StringComparison.Ordinal));
        var module = lines.FindIndex(line => IsOfModule(line, "eventBus"));
        var ready = lines.FindIndex(line => line.Contains("ready in ", StringComparison.Ordinal));
        Assert.True(version >= 0 && version < setting && setting < module && module < ready, node.Output.Text);
        Assert.Contains("edge-1", lines[version], StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_start_has_one_line_for_each_module_and_says_which_are_not_built()
    {
        await using var node = await new NodeProcess().StartAsync();

        Assert.All(Modules, module => Assert.Single(node.Output.Lines, line => IsOfModule(line, module)));
        Assert.Contains(node.Output.Lines, line => IsOfModule(line, "eventBus") && line.Contains("registered", StringComparison.Ordinal));
        Assert.Contains(node.Output.Lines, line => IsOfModule(line, "edged") && line.Contains("not built", StringComparison.Ordinal));
    }

    [Fact]
    public async Task The_ready_line_tells_the_time_it_took_where_the_doors_are_and_what_to_try()
    {
        await using var node = await new NodeProcess().StartAsync();

        var line = await node.Output.LineAsync("ready in ");
        Assert.Matches(@"ready in \d+ ms", line);
        Assert.Contains($":{node.MqttPort}", line, StringComparison.Ordinal);
        Assert.Contains($":{node.GatewayPort}", line, StringComparison.Ordinal);
        Assert.Contains("edgectl", line, StringComparison.Ordinal);
    }

    [Fact]
    public async Task No_secret_is_ever_printed()
    {
        await using var node = await new NodeProcess("--join=do-not-print-me", "--modules.eventBus.mqttPassword=nor-me").StartAsync();
        await node.StopAsync();

        Assert.Contains(node.Output.Lines, line => line.Contains("modules.edgeHub.token", StringComparison.Ordinal) && line.Contains("***", StringComparison.Ordinal));
        Assert.DoesNotContain("do-not-print-me", node.Output.Text + node.Error.Text, StringComparison.Ordinal);
        Assert.DoesNotContain("nor-me", node.Output.Text + node.Error.Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_second_start_on_the_same_data_is_refused_with_one_sentence()
    {
        await using var first = await new NodeProcess().StartAsync();
        await using var second = new NodeProcess(new NodeSetup { Data = first.Data });

        var refused = await second.RunAsync();

        Assert.NotEqual(0, refused.ExitCode);
        Assert.Contains(first.Data, Assert.Single(refused.ErrorLines), StringComparison.Ordinal);
        await using var probe = await MqttProbe.ConnectAsync(first.MqttPort);
        Assert.Equal(0, (await probe.ReportAsync("default/pump-1", ("temperature", "22"))).Code);
    }

    [Fact]
    public async Task A_taken_MQTT_port_is_named_in_a_sentence()
    {
        await using var first = await new NodeProcess().StartAsync();
        await using var second = new NodeProcess($"--modules.eventBus.mqttServerInternal=tcp://127.0.0.1:{first.MqttPort}");

        var refused = await second.RunAsync();

        Assert.NotEqual(0, refused.ExitCode);
        Assert.Contains($"{first.MqttPort}", Assert.Single(refused.ErrorLines), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_disabled_module_is_listed_as_disabled_with_one_warning_and_the_others_work()
    {
        await using var node = await new NodeProcess("--modules.eventBus.enable=false").StartAsync();

        var line = Assert.Single(node.Output.Lines, line => IsOfModule(line, "eventBus"));
        Assert.Contains("disabled", line, StringComparison.Ordinal);
        Assert.Contains(" warn ", line, StringComparison.Ordinal);
        var modules = JsonNode.Parse(await node.Console.OutputAsync("get", "modules", "-o", "json"))!.AsArray();
        Assert.Equal("disabled", ModuleTable.State(modules, "eventBus"));
        Assert.Equal("running", ModuleTable.State(modules, "deviceTwin"));
    }

    [Theory]
    [InlineData("--frobnicate")]
    [InlineData("--prnt-config")]
    [InlineData("-z")]
    public async Task An_unknown_flag_ends_the_start_with_one_line(string flag)
    {
        await using var node = new NodeProcess(flag);

        var refused = await node.RunAsync();

        Assert.NotEqual(0, refused.ExitCode);
        Assert.Contains(flag, Assert.Single(refused.ErrorLines), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Version_and_help_print_and_exit_with_0()
    {
        var program = await PublishedPrograms.SiloAsync();

        var version = await ChildProcess.RunAsync(program, ["--version"]);
        var help = await ChildProcess.RunAsync(program, ["--help"]);

        Assert.Matches(@"\d+\.\d+\.\d+", version.Succeeded().Output);
        Assert.All(["--node", "--data", "--conf", "--cloud", "--join", "--print-config"], flag => Assert.Contains(flag, help.Succeeded().Output, StringComparison.Ordinal));
    }

    private static bool IsOfModule(string line, string module) =>
        Regex.IsMatch(line, $@"\b[mM]odule {module}\b") && Regex.IsMatch(line, "registered|disabled|not built");
}
