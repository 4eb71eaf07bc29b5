using System.Collections;
using EdgeOrleans.Commands;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;

namespace EdgeOrleans.Settings;

public sealed class SettingsLadderTests : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("edgeorleans-settings-");

    public void Dispose() => _folder.Delete(recursive: true);

    [Fact]
    public void Each_rung_wins_over_the_one_below_and_is_named()
    {
        Write("external/log.level", "trace\n");
        Write("conf/a.yaml", "log:\n  level: warning\n");
        var commandLine = new CommandLineSettings();
        var environment = new Hashtable();
        var centre = new ConfigCentre();
        ISettingsSource[] sources =
            [new ExternalFolder(At("external")), new ConfFolder(At("conf")), new EnvironmentSettings(environment), commandLine, centre];

        Assert.Equal(("warning", $"{At("conf/a.yaml")}:2"), LevelOf(sources));
        Assert.Equal(("trace", At("external/log.level")), LevelOf(sources[..1]));
        environment["EDGEORLEANS__log__level"] = "error";
        Assert.Equal(("error", "environment EDGEORLEANS__log__level"), LevelOf(sources));
        commandLine.Take(["--log.level=debug"]);
        Assert.Equal(("debug", "command line --log.level"), LevelOf(sources));
        centre.Set(new Dictionary<string, string> { ["log.level"] = "critical" });
        Assert.Equal(("critical", "config centre"), LevelOf(sources));
    }

    [Fact]
    public void Files_are_read_in_path_order_and_the_later_one_wins()
    {
        Write("conf/b.yml", "silo: {port: 2, gatewayPort: 20}\n");
        Write("conf/a/z.yaml", "silo: {port: 1}\n");
        Write("conf/c.txt", "silo: {port: 3}\n");

        var effective = Conf().Effective;

        Assert.Equal("2", effective["silo:port"].Text);
        Assert.Equal("20", effective["silo:gatewayPort"].Text);
    }

    [Fact]
    public void Settings_are_taken_out_of_the_arguments_in_both_spellings()
    {
        var settings = new CommandLineSettings();

        var rest = settings.Take(["--data=./x", "--modules:eventBus:mqttMode=0", "--silo.port=7", "edge", "--node", "n"]);

        Assert.Equal(["--data=./x", "edge", "--node", "n"], rest);
        Assert.Equal(["modules:eventBus:mqttMode", "silo:port"], settings.Read().Select(s => s.Key));
    }

    [Fact]
    public void A_misspelt_key_stops_with_its_file_its_line_and_the_nearest_right_key()
    {
        Write("conf/node.yaml", "# mine\nmodules:\n  eventBus:\n    mqtMode: 0\n");

        var error = Assert.Throws<SettingsException>(() => Check(Conf()));

        Assert.Equal($"modules.eventBus.mqtMode ({At("conf/node.yaml")}:4) is not a known key; did you mean modules.eventBus.mqttMode?", error.Message);
    }

    [Theory]
    [InlineData("silo: {port: many}", "silo.port", "is \"many\", but it must be a whole number")]
    [InlineData("silo: {port: 99999}", "silo.port", "is 99999, but it must be from 1 to 65535")]
    [InlineData("modules: {eventBus: {enable: maybe}}", "modules.eventBus.enable", "is \"maybe\", but it must be true or false")]
    [InlineData("modules: {edgeMesh: {enable: 1}}", "modules.edgeMesh.enable", "but it must be true or false")]
    [InlineData("modules: {dbManager: {enable: false}}", "modules.dbManager.enable", "is not a switch: a node does not run without its database")]
    [InlineData("silo: {gatewayPort: 11111}", "silo.gatewayPort", "is 11111, and so is silo.port")]
    [InlineData("node: {name: Edge_1}", "node.name", "is \"Edge_1\", but a node's name has lower case letters")]
    [InlineData("modules: {eventBus: {requestTimeout: 15}}", "modules.eventBus.requestTimeout", "but it must be a duration with its unit")]
    [InlineData("modules: {eventBus: {requestTimeout: 1h}}", "modules.eventBus.requestTimeout", "is 1h, but it must be from 1s to 5m")]
    [InlineData("modules: {eventBus: {maxPacketSize: 5}}", "modules.eventBus.maxPacketSize", "but it must be a size with its unit")]
    [InlineData("modules: {deviceTwin: {unknownDevices: maybe}}", "modules.deviceTwin.unknownDevices", "but it must be one of")]
    public void A_wrong_value_stops_with_its_file_and_line(string yaml, string key, string reason)
    {
        Write("conf/a.yaml", yaml);

        var error = Assert.Throws<SettingsException>(() => Check(Conf()));

        Assert.StartsWith($"{key} ({At("conf/a.yaml")}:1) ", error.Message, StringComparison.Ordinal);
        Assert.Contains(reason, error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("a: [", "is not YAML")]
    [InlineData("- a", "holds keys and values")]
    [InlineData("silo: &x {port: 1}\nnode: *x", "anchors and aliases")]
    [InlineData("silo: {port: 1, port: 2}", "port is set twice")]
    [InlineData("conf: elsewhere", "cannot be set in a file of the conf folder")]
    public void A_file_that_cannot_be_read_stops_with_a_sentence_that_names_it(string yaml, string reason)
    {
        Write("conf/a.yaml", yaml);

        var error = Assert.Throws<SettingsException>(Conf);

        Assert.Contains(At("conf/a.yaml"), error.Message, StringComparison.Ordinal);
        Assert.Contains(reason, error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_stock_edgecore_yaml_loads_with_one_warning_for_each_key_without_effect()
    {
        Write("conf/edgecore.yaml", Stock);

        var ladder = Conf();
        var warnings = Check(ladder);

        Assert.Equal(
            [
                "database.driverName", "modules.deviceTwin.dmiSockPath", "modules.metaManager.metaServer.apiAudiences",
                "modules.metaManager.metaServer.serviceAccountIssuers", "modules.edged.rootDirectory",
                "modules.edged.tailoredKubeletConfig.evictionHard.memory.available",
            ],
            warnings.Select(w => w.Split(' ')[0]));
        Assert.Equal("edge-7", ladder.Effective["node:name"].Text);
    }

    [Fact]
    public void A_device_in_the_conf_folder_is_told_where_it_belongs()
    {
        Write("conf/pump.yaml", "kind: Device\nmetadata: {name: pump}\n");

        Assert.Contains("edgectl apply -f", Assert.Throws<SettingsException>(() => Check(Conf())).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_list_of_a_higher_rung_replaces_the_whole_list()
    {
        var commandLine = new CommandLineSettings();
        commandLine.Take(["--x.list=only"]);
        Write("conf/a.yaml", "x: {list: [a, b, c], other: [d]}\n");
        Write("conf/b.yaml", "x: {other: [e]}\n");

        var effective = new SettingsLadder([new ConfFolder(At("conf")), commandLine]).Effective;

        Assert.Equal(["only", "e"], effective.OrderByDescending(e => e.Key == "x:list").Select(e => e.Value.Text));
    }

    [Fact]
    public void The_printed_defaults_load_as_they_are_and_change_nothing()
    {
        Write("conf/default.yaml", Printing.Default());
        Write("min/min.yaml", Printing.Minimal());
        var without = Values(new SettingsLadder([]));

        foreach (var folder in (string[])["conf", "min"])
        {
            var ladder = new SettingsLadder([new ConfFolder(At(folder))]);

            Assert.Empty(Check(ladder));
            Assert.Equal(without, Values(ladder));
        }
    }

    [Fact]
    public void The_printed_settings_show_each_origin_and_no_secret()
    {
        Write("conf/a.yaml", "modules: {edgeHub: {token: abc}}\nlog: {level: debug}\n");
        var commandLine = new CommandLineSettings();
        commandLine.Take(["--silo.port=7"]);

        var text = Printing.Effective(new SettingsLadder([new ConfFolder(At("conf")), commandLine]));

        Assert.Contains($"level: debug  # from {At("conf/a.yaml")}:2", text, StringComparison.Ordinal);
        Assert.Contains("port: 7  # from command line --silo.port", text, StringComparison.Ordinal);
        Assert.Contains("gatewayPort: 30000  # from default", text, StringComparison.Ordinal);
        Assert.DoesNotContain("abc", text, StringComparison.Ordinal);
    }

    [Fact]
    public void A_reload_takes_what_is_live_and_keeps_the_rest_until_the_next_start()
    {
        Write("conf/a.yaml", "log: {level: debug}\nsilo: {port: 5}\n");
        var ladder = Conf();
        Check(ladder);
        var configuration = new ConfigurationBuilder().Add(ladder).Build();

        Write("conf/a.yaml", "log: {level: error}\nsilo: {port: 6}\n");
        var change = ladder.Reload(NoServices);

        Assert.Equal(["log:level"], change.Live);
        Assert.Equal(["silo:port"], change.Later);
        Assert.Equal(("error", "5"), (configuration["log:level"], configuration["silo:port"]));
    }

    [Fact]
    public void The_switch_of_every_module_is_printed_with_its_default_and_its_origin()
    {
        var text = Printing.Effective(SettingsLadder.Of(new Dictionary<string, string> { ["modules.eventBus.enable"] = "false" }));
        var defaults = Printing.Default();

        Assert.Matches("  eventBus:\\s+enable: false  # from command line modules.eventBus.enable", text);
        Assert.Matches("  deviceTwin:\\s+enable: true\\s", defaults);
        Assert.Matches("  testBench:\\s+enable: false\\s", defaults);
        Assert.DoesNotMatch("  dbManager:\\s+enable", defaults);
    }

    [Fact]
    public void A_reload_whose_switch_is_no_switch_changes_nothing()
    {
        Write("conf/a.yaml", "log: {level: debug}\n");
        var ladder = Conf();
        Check(ladder);

        Write("conf/a.yaml", "log: {level: error}\nmodules: {eventBus: {enable: maybe}}\n");

        Assert.Throws<SettingsException>(() => ladder.Reload(NoServices));
        Assert.Equal("debug", ladder.Effective["log:level"].Text);
    }

    [Fact]
    public void A_file_of_defaults_that_goes_away_or_comes_back_changes_no_value()
    {
        Write("conf/a.yaml", Printing.Default());
        var ladder = Conf();
        Check(ladder);

        File.Delete(At("conf/a.yaml"));
        var gone = ladder.Reload(NoServices);
        Write("conf/b.yaml", Printing.Default());
        var back = ladder.Reload(NoServices);

        Assert.Empty(gone.Live.Concat(gone.Later));
        Assert.Empty(back.Live.Concat(back.Later));
        Assert.StartsWith(At("conf/b.yaml"), ladder.Effective["silo:port"].Place, StringComparison.Ordinal);
    }

    [Fact]
    public void The_file_of_a_token_may_be_an_argument_of_its_own()
    {
        Write("token", "first line\nsecond\n");
        var settings = new CommandLineSettings();

        new Flags(["--join", "@" + At("token")]).Apply(settings);

        Assert.Equal("first line\nsecond", Assert.Single(settings.Read()).Text);
    }

    [Fact]
    public void A_reload_that_does_not_validate_changes_nothing()
    {
        Write("conf/a.yaml", "log: {level: debug}\n");
        var ladder = Conf();
        Check(ladder);

        Write("conf/a.yaml", "log: {level: error, loud: true}\n");

        Assert.Throws<SettingsException>(() => ladder.Reload(NoServices));
        Assert.Equal("debug", ladder.Effective["log:level"].Text);
    }

    [Theory]
    [InlineData("node.name")]
    [InlineData("data")]
    [InlineData("modules:edgeHub:websocket:server")]
    [InlineData("modules.edged.hostnameOverride")]
    public void The_config_centre_may_not_touch_who_the_node_is(string key)
    {
        var centre = new ConfigCentre();

        Assert.Throws<RefusedException>(() => centre.Set(new Dictionary<string, string> { [key] = "x" }));
        Assert.Empty(centre.Read());
    }

    private static ServiceProvider NoServices => new ServiceCollection().BuildServiceProvider();

    private static IReadOnlyList<string> Check(SettingsLadder ladder) => ladder.Check(NodeHost.Compose(ladder).Services.Sections());

    private static List<string> Values(SettingsLadder ladder) =>
        [.. Printing.Effective(ladder).Split('\n').Where(l => !l.StartsWith('#')).Select(l => l.Split("  # ")[0])];

    private static (string?, string) LevelOf(IReadOnlyList<ISettingsSource> sources)
    {
        var setting = new SettingsLadder(sources).Effective["log:level"];
        return (setting.Text, setting.Place);
    }

    private SettingsLadder Conf() => new([new ConfFolder(At("conf"))]);

    private string At(string path) => Path.Combine(_folder.FullName, path);

    private void Write(string path, string text)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(At(path))!);
        File.WriteAllText(At(path), text);
    }

    private const string Stock = """
        apiVersion: edgecore.config.kubeedge.io/v1alpha2
        kind: EdgeCore
        database:
          driverName: sqlite3
        modules:
          deviceTwin:
            enable: true
            dmiSockPath: /etc/kubeedge/dmi.sock
          eventBus:
            mqttMode: 0
            mqttPassword: ""
          metaManager:
            metaServer:
              apiAudiences: null
              serviceAccountIssuers: [https://kubernetes.default.svc.cluster.local, https://second]
          edgeHub:
            enable: true
            websocket: {server: ""}
          edged:
            enable: true
            hostnameOverride: edge-7
            rootDirectory: /var/lib/kubelet
            tailoredKubeletConfig:
              evictionHard: {memory.available: 100Mi}
        """;
}
