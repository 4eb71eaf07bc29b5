using System.Text;
using System.Text.Json;
using EdgeOrleans.Edge.EventBus;
using EdgeOrleans.TestKit;

namespace EdgeOrleans.Client;

/// <summary>The console at the broker of a node.</summary>
public sealed class MqttConsoleTests : IAsyncLifetime
{
    private EdgeNode _node = null!;

    public async ValueTask InitializeAsync()
    {
        _node = await EdgeNode.StartAsync();
        await RunAsync("version");
    }

    public ValueTask DisposeAsync() => _node.DisposeAsync();

    [Fact]
    public async Task Clients_and_sessions_are_lists_as_all_others()
    {
        using var pump = await ConnectAsync("pump", clean: false);
        await pump.SubscribeAsync("a", 1);
        await pump.PublishAsync("a", "x");
        await pump.PingAsync();
        using var meter = await ConnectAsync("meter");

        var clients = await RunAsync("mqtt", "clients");
        var wide = await RunAsync("mqtt", "clients", "-o", "wide");
        var named = (await RunAsync("mqtt", "clients", "p*", "-o", "json")).Json;
        var sessions = await RunAsync("mqtt", "sessions");
        var yaml = await RunAsync("mqtt", "sessions", "pump", "-o", "yaml");

        Assert.Equal("CLIENT ADDRESS MQTT CONNECTED KEEP-ALIVE RECEIVED SENT LOST", clients.Lines[0]);
        Assert.Equal(["meter", "pump"], clients.Lines[1..].Select(static line => line.Split(' ')[0]));
        Assert.EndsWith("none 1 1 0", clients.Lines[2], StringComparison.Ordinal);
        Assert.EndsWith("CLEAN PACKETS RECEIVED BYTES RECEIVED PACKETS SENT BYTES SENT", wide.Lines[0], StringComparison.Ordinal);
        Assert.Equal(("pump", "5", 1L, 4L), (Text(named[0], "client"), Text(named[0], "version"), Number(named[0], "messagesReceived"), Number(named[0], "packetsReceived")));
        Assert.Equal(["CLIENT CONNECTED AWAY SUBSCRIPTIONS WAITING IN FLIGHT BYTES LOST", "meter yes - 0 0 0 0 0", "pump yes - 1 0 0 0 0"], sessions.Lines);
        Assert.Contains("expirySeconds: 3600", yaml.Out, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_client_is_described_with_what_waits_for_it_its_will_without_the_payload_and_its_subscriptions()
    {
        using (var pump = await ConnectAsync("pump", clean: false, new("wills", "secret", 1)))
        {
            await pump.SubscribeAsync("plant/+", 1);
            var here = await RunAsync("mqtt", "describe", "pump");
            Assert.Contains("Keep-alive: none", here.Lines);
            Assert.Contains("Session: outlives its connection by 60m", here.Lines);
            Assert.Contains(here.Lines, static line => line.StartsWith("Received: 0 messages, 2 packets, ", StringComparison.Ordinal));
            Assert.Contains("Will: to wills with QoS 1", here.Lines);
            Assert.DoesNotContain("secret", here.Out, StringComparison.Ordinal);
        }

        using var meter = await ConnectAsync("meter");
        await meter.PublishedAsync("plant/a", "x", qos: 1);
        await UntilAsync(async () => (await RunAsync("mqtt", "describe", "pump", "-o", "json")).Json.GetProperty("connection").ValueKind == JsonValueKind.Null);
        var away = await RunAsync("mqtt", "describe", "pump");
        var document = (await RunAsync("mqtt", "describe", "pump", "-o", "json")).Json;

        Assert.Contains(away.Lines, static line => line.StartsWith("Waiting: 1 message, the oldest for ", StringComparison.Ordinal));
        Assert.Contains(away.Lines, static line => line.StartsWith("Connected: no, since ", StringComparison.Ordinal));
        Assert.Contains("plant/+ 1 no no send -", away.Lines.Select(static line => line.Trim()));
        Assert.Equal((1L, "plant/+"), (Number(document, "waiting"), Text(document.GetProperty("subscriptions")[0], "filter")));
        Assert.Equal(0, Number(document.GetProperty("lostBy"), "queueFull"));
    }

    [Fact]
    public async Task Retained_messages_are_listed_by_filter_and_one_is_shown_with_its_payload()
    {
        using var meter = await ConnectAsync("meter");
        await meter.PublishedAsync("plant/a", "{\n\t\"t\": 21\u001b[0m\n}", qos: 1, retain: true);
        await meter.PublishedAsync("plant/b", "zwölf\nzeilen", qos: 1, retain: true);
        await meter.PublishedAsync("other", "x" + string.Concat(Enumerable.Repeat("ü", 40_000)), qos: 1, retain: true);

        var plant = await RunAsync("mqtt", "retained", "plant/#");
        var all = (await RunAsync("mqtt", "retained", "-o", "json")).Json;
        var text = await RunAsync("mqtt", "retained", "plant/b", "--payload");
        var bytes = (await RunAsync("mqtt", "retained", "plant/a", "--payload", "-o", "json")).Json;
        var cut = (await RunAsync("mqtt", "retained", "other", "--payload", "-o", "json")).Json;

        Assert.Equal(["TOPIC QOS BYTES AGE", "plant/a 1 16", "plant/b 1 13"], plant.Lines.Select(static line => line.StartsWith("TOPIC", StringComparison.Ordinal) ? line : line[..line.LastIndexOf(' ')]));
        Assert.Equal(3, all.GetArrayLength());
        Assert.Equal(["zwölf", "zeilen"], text.Lines[^2..].Select(static line => line.Trim()));
        Assert.Equal("{\n\t\"t\": 21\u001b[0m\n}", Encoding.UTF8.GetString(Convert.FromBase64String(Text(bytes, "payloadBase64"))));
        Assert.Equal((true, 32_768), (cut.GetProperty("cut").GetBoolean(), Text(cut, "payload").Length));
        Assert.Equal(ExitCodes.Usage, (await RunAsync("mqtt", "retained", "--payload")).ExitCode);
        Assert.Equal(ExitCodes.Failed, (await RunAsync("mqtt", "retained", "plant/#/x")).ExitCode);
    }

    [Fact]
    public async Task What_is_ended_is_named_and_what_is_not_there_is_one_line_and_exit_code_4()
    {
        using var pump = await ConnectAsync("pump", clean: false);
        await pump.PublishedAsync("plant/a", "21", qos: 1, retain: true);

        Assert.Equal(["client/pump disconnected"], (await RunAsync("mqtt", "disconnect", "pump")).Lines);
        Assert.Equal(0x98, await pump.EndedAsync());
        var away = await RunAsync("mqtt", "disconnect", "pump");
        Assert.Equal((ExitCodes.Failed, "error: MQTT client 'pump' is not connected; its session waits for it"), (away.ExitCode, Assert.Single(away.ErrorLines)));
        Assert.Equal(["session/pump removed"], (await RunAsync("mqtt", "remove", "session", "pump")).Lines);
        Assert.Equal(["retained/plant/a removed"], (await RunAsync("mqtt", "remove", "retained", "plant/a")).Lines);
        foreach (var args in (string[][])
        [
            ["mqtt", "clients", "pump"], ["mqtt", "sessions", "pump"], ["mqtt", "describe", "pump"], ["mqtt", "disconnect", "pump"],
            ["mqtt", "remove", "session", "pump"], ["mqtt", "remove", "retained", "plant/a"], ["mqtt", "retained", "plant/a"], ["mqtt", "retained", "plant/a", "--payload"],
        ])
        {
            var outcome = await RunAsync(args);
            Assert.Equal((ExitCodes.NotFound, ""), (outcome.ExitCode, outcome.Out));
            Assert.Contains(args.Contains("retained") ? "plant/a" : "pump", Assert.Single(outcome.ErrorLines), StringComparison.Ordinal);
        }

        foreach (var list in (string[])["clients", "sessions", "retained"])
        {
            var empty = await RunAsync("mqtt", list);
            Assert.Equal((ExitCodes.Ok, ""), (empty.ExitCode, empty.Out));
            Assert.StartsWith("no ", Assert.Single(empty.ErrorLines), StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task A_person_is_asked_before_a_session_is_removed()
    {
        using var pump = await ConnectAsync("pump", clean: false);

        Assert.Equal(ExitCodes.Failed, await AnswerAsync("n"));
        Assert.Single((await RunAsync("mqtt", "sessions", "-o", "json")).Json.EnumerateArray());
        Assert.Equal(ExitCodes.Ok, await AnswerAsync("y"));
        Assert.Empty((await RunAsync("mqtt", "sessions", "-o", "json")).Json.EnumerateArray());
    }

    [Fact]
    public async Task A_cloud_says_that_it_has_no_broker()
    {
        await using var cloud = await CloudSilo.StartAsync();
        foreach (var args in (string[][])[["clients"], ["sessions"], ["retained"], ["describe", "x"], ["disconnect", "x"], ["remove", "session", "x"], ["remove", "retained", "x"]])
        {
            var outcome = await Ctl.RunAsync(["--server", $"127.0.0.1:{cloud.GatewayPort}", "mqtt", .. args], cancellation: TestContext.Current.CancellationToken);

            Assert.Equal(ExitCodes.Failed, outcome.ExitCode);
            Assert.Contains("a cloud has no MQTT broker", Assert.Single(outcome.ErrorLines), StringComparison.Ordinal);
        }
    }

    private async Task<int> AnswerAsync(string answer)
    {
        using var output = new StringWriter();
        using var reader = new StringReader(answer + "\n");
        return await EdgeCtl.RunAsync(
            ["--server", $"127.0.0.1:{_node.GatewayPort}", "mqtt", "remove", "session", "pump"],
            new Terminal(output, output, reader, Draws: false, Asks: true),
            cancellation: TestContext.Current.CancellationToken);
    }

    private Task<MqttTalk> ConnectAsync(string client, bool clean = true, MqttTalk.Will? will = null) =>
        MqttTalk.ConnectAsync(_node.MqttPort, client, clean: clean, properties: clean ? [] : MqttTalk.Expiry(3_600), will: will);

    private Task<Ctl.Outcome> RunAsync(params string[] args) =>
        Ctl.RunAsync(["--server", $"127.0.0.1:{_node.GatewayPort}", .. args], cancellation: TestContext.Current.CancellationToken);

    private static string Text(JsonElement element, string name) => element.GetProperty(name).GetString()!;

    private static long Number(JsonElement element, string name) => element.GetProperty(name).GetInt64();

    private static async Task UntilAsync(Func<Task<bool>> isSo)
    {
        using var patience = new CancellationTokenSource(Patience.Default);
        while (!await isSo())
        {
            await Task.Delay(10, patience.Token);
        }
    }
}
