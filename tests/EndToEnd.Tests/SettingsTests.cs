namespace EdgeOrleans.EndToEnd;

public sealed class SettingsTests
{
    private const string Key = "mqttSessionQueueSize";

    [Fact]
    public async Task Print_config_shows_a_value_overridden_at_each_rung_with_its_origin()
    {
        using var folder = new TempFolder();
        folder.Write($"external/modules.eventBus.{Key}", "11");
        var external = new NodeSetup { Data = folder.PathOf("data"), Arguments = ["--print-config", $"--external={folder.PathOf("external")}"] };

        Assert.Contains("from default", await PrintedAsync(external with { Arguments = ["--print-config"] }), StringComparison.Ordinal);
        AssertPrinted("11", "external", await PrintedAsync(external));

        folder.Write("data/conf/a.yaml", $"modules:\n  eventBus:\n    {Key}: 12\n");
        AssertPrinted("12", "a.yaml:3", await PrintedAsync(external));

        folder.Write("data/conf/b/c.yml", $"modules:\n  eventBus:\n    {Key}: 13\n");
        AssertPrinted("13", "c.yml:3", await PrintedAsync(external));

        var environment = external with { Environment = new Dictionary<string, string?> { [$"EDGEORLEANS__modules__eventBus__{Key}"] = "14" } };
        AssertPrinted("14", $"EDGEORLEANS__modules__eventBus__{Key}", await PrintedAsync(environment));

        var commandLine = environment with { Arguments = [.. external.Arguments, $"--modules:eventBus:{Key}=15"] };
        AssertPrinted("15", "command line", await PrintedAsync(commandLine));
    }

    [Fact]
    public async Task A_misspelt_key_stops_the_start_with_file_line_and_the_nearest_right_key()
    {
        await using var node = new NodeProcess();
        Write(node, "node.yaml", "modules:\n  eventBus:\n    mqttMod: 0\n");

        var refused = await node.RunAsync();

        Assert.NotEqual(0, refused.ExitCode);
        var line = Assert.Single(refused.ErrorLines);
        Assert.Contains("node.yaml:3", line, StringComparison.Ordinal);
        Assert.Contains("modules.eventBus.mqttMode", line, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_misspelt_key_on_the_command_line_stops_the_start_too()
    {
        await using var node = new NodeProcess("--modules.eventBus.mqttMod=0");

        var refused = await node.RunAsync();

        Assert.NotEqual(0, refused.ExitCode);
        Assert.Contains("modules.eventBus.mqttMode", Assert.Single(refused.ErrorLines), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_stock_edgecore_yaml_loads_with_one_warning_for_each_key_without_effect()
    {
        Assert.SkipWhen(MosquittoBroker.Missing is not null, MosquittoBroker.Missing ?? "");
        await using var outside = await MosquittoBroker.StartAsync();
        await using var node = new NodeProcess($"--modules.eventBus.mqttServerExternal={outside.Address}");
        Write(node, "edgecore.yaml", Samples.EdgecoreYaml);

        await node.StartAsync();

        // Stock edgecore is a client of a broker outside: so is this node.
        await outside.LogAsync("Sending SUBACK to edgeorleans-");
        await using var device = await MqttProbe.ConnectAsync(outside.Port);
        Assert.Equal(404, (await device.GetAsync("default/nobody")).Code);

        var warnings = node.Output.Lines.Where(line => line.Contains("edgecore's and has no effect", StringComparison.Ordinal)).ToList();
        Assert.Single(warnings, line => line.Contains("database.dataSource", StringComparison.Ordinal));
        Assert.Single(warnings, line => line.Contains("modules.edged.podSandboxImage", StringComparison.Ordinal));
        Assert.Equal(warnings.Count, warnings.Distinct().Count());
        Assert.Contains(node.Output.Lines, line => line.Contains("stock-edge", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("--defaultconfig")]
    [InlineData("--minconfig")]
    public async Task What_the_node_prints_as_its_settings_works_when_saved_into_the_conf_folder(string flag)
    {
        var printed = await ChildProcess.RunAsync(await PublishedPrograms.SiloAsync(), [flag]);
        await using var node = new NodeProcess();
        Write(node, "node.yaml", printed.Succeeded().Output);

        await node.StartAsync();

        Assert.DoesNotContain(node.Output.Lines, line => line.Contains("no effect", StringComparison.Ordinal));
        await using var probe = await MqttProbe.ConnectAsync(node.MqttPort);
        Assert.Equal(0, (await probe.ReportAsync("default/pump-1", ("temperature", "22"))).Code);
    }

    [Fact]
    public async Task The_sample_settings_that_are_deployed_start_a_node()
    {
        await using var node = new NodeProcess();
        Write(node, "node.yaml", await File.ReadAllTextAsync(Repository.PathOf("deploy", "conf", "node.yaml"), TestContext.Current.CancellationToken));

        await node.StartAsync();

        Assert.DoesNotContain(node.Output.Lines, line => line.Contains("no effect", StringComparison.Ordinal));
        Assert.Contains(node.Output.Lines, line => line.Contains("edge-1", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_wrong_value_stops_the_start_and_names_the_key_and_its_place()
    {
        await using var node = new NodeProcess();
        Write(node, "node.yaml", $"modules:\n  eventBus:\n    {Key}: many\n");

        var refused = await node.RunAsync();

        Assert.NotEqual(0, refused.ExitCode);
        var line = Assert.Single(refused.ErrorLines);
        Assert.Contains($"modules.eventBus.{Key}", line, StringComparison.Ordinal);
        Assert.Contains("node.yaml:3", line, StringComparison.Ordinal);
    }

    private static void Write(NodeProcess node, string name, string text)
    {
        Directory.CreateDirectory(node.Conf);
        File.WriteAllText(Path.Combine(node.Conf, name), text);
    }

    private static async Task<string> PrintedAsync(NodeSetup setup)
    {
        await using var node = new NodeProcess(setup);
        var printed = (await node.RunAsync()).Succeeded();
        return Assert.Single(printed.OutputLines, line => line.Contains(Key + ":", StringComparison.Ordinal));
    }

    private static void AssertPrinted(string value, string origin, string line)
    {
        Assert.Contains($"{Key}: {value}", line, StringComparison.Ordinal);
        Assert.Contains(origin, line, StringComparison.Ordinal);
    }
}
