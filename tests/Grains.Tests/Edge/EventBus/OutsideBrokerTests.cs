using EdgeOrleans.TestKit;

namespace EdgeOrleans.Edge.EventBus;

/// <summary>A node beside a broker that is already there: a real mosquitto.</summary>
public sealed class OutsideBrokerTests
{
    [Theory]
    [InlineData(1, "v5")]
    [InlineData(2, "v5")]
    [InlineData(1, "v311")]
    [InlineData(2, "v311")]
    [InlineData(2, "auto")]
    public async Task A_device_of_a_broker_outside_reaches_its_twin(int mode, string version)
    {
        Assert.SkipWhen(MosquittoBroker.Missing is not null, MosquittoBroker.Missing ?? "");
        await using var outside = await MosquittoBroker.StartAsync();
        await using var node = await StartAsync(outside, mode, version);
        await using var device = await MqttProbe.ConnectAsync(outside.Port, "$hw/events/device/default/pump-1/twin/update/document");

        var answer = await device.ReportAsync("default/pump-1", ("temperature", "21"));

        Assert.Equal(0, answer.Code);
        Assert.Contains("\"21\"", (await device.GetAsync("default/pump-1")).Payload, StringComparison.Ordinal);
        await device.Heard.FirstAsync(heard => heard.Topic.EndsWith("/document", StringComparison.Ordinal), "document");
    }

    [Fact]
    public async Task In_mode_1_devices_of_both_brokers_are_served_and_both_hear_what_the_node_says()
    {
        Assert.SkipWhen(MosquittoBroker.Missing is not null, MosquittoBroker.Missing ?? "");
        await using var outside = await MosquittoBroker.StartAsync();
        await using var node = await StartAsync(outside, mode: 1);
        const string Document = "$hw/events/device/default/pump-1/twin/update/document";
        await using var far = await MqttProbe.ConnectAsync(outside.Port, Document);
        await using var near = await MqttProbe.ConnectAsync(node.MqttPort, Document);

        await far.ReportAsync("default/pump-1", ("a", "1"));
        await near.ReportAsync("default/pump-1", ("a", "2"));

        foreach (var listener in (MqttProbe[])[far, near])
        {
            var documents = await DocumentsAsync(listener, 2);
            Assert.Contains("\"1\"", documents[0].Payload, StringComparison.Ordinal);
            Assert.Contains("\"2\"", documents[1].Payload, StringComparison.Ordinal);
        }

        async Task<IReadOnlyList<Heard>> DocumentsAsync(MqttProbe listener, int count)
        {
            var seen = 0;
            await listener.Heard.FirstAsync(heard => heard.Topic == Document && ++seen == count, "document");
            return [.. listener.Heard.All.Where(heard => heard.Topic == Document)];
        }
    }

    [Fact]
    public async Task In_mode_2_the_node_has_no_broker_of_its_own()
    {
        Assert.SkipWhen(MosquittoBroker.Missing is not null, MosquittoBroker.Missing ?? "");
        await using var outside = await MosquittoBroker.StartAsync();
        await using var node = await StartAsync(outside, mode: 2);

        Assert.Throws<InvalidOperationException>(() => node.MqttPort);
    }

    [Theory]
    [InlineData("v5")]
    [InlineData("v311")]
    public async Task What_is_published_while_either_is_away_is_there_afterwards_in_order(string version)
    {
        Assert.SkipWhen(MosquittoBroker.Missing is not null, MosquittoBroker.Missing ?? "");
        await using var outside = await MosquittoBroker.StartAsync();
        await using var node = await StartAsync(outside, mode: 1, version);
        await using (var first = await MqttProbe.ConnectAsync(outside.Port))
        {
            await first.ReportAsync("default/pump-1", ("n", "0"));
        }

        // The node is away: the broker keeps what its devices say.
        await node.StopAsync();
        var clients = outside.Clients;
        for (var i = 1; i <= 20; i++)
        {
            (await clients.PublishAsync("$hw/events/device/default/pump-1/twin/update", TwinJson.Report($"n-{i}", ("n", $"{i}")), "-q", "1")).Succeeded();
        }

        await using var listener = await clients.SubscribeAsync("$hw/events/device/default/pump-1/twin/update/result", "-q", "1", "-c", "-i", "listener");
        await node.RestartAsync();
        for (var i = 1; i <= 20; i++)
        {
            await listener.MessageAsync($"\"n-{i}\"");
        }

        Assert.Equal(Enumerable.Range(1, 20).Select(i => $"n-{i}"), listener.Messages.Select(EventOf));

        // The broker is away: the node keeps what it has to say.
        await using var near = await MqttProbe.ConnectAsync(node.MqttPort);
        await outside.EndAsync();
        for (var i = 21; i <= 40; i++)
        {
            await near.AskAsync("$hw/events/device/default/pump-1/twin/update", id => TwinJson.Report(id, ("n", $"{i}")));
        }

        await outside.StartAgainAsync();
        await using var again = await clients.SubscribeAsync("$hw/events/device/default/pump-1/twin/update/result", "-q", "1", "-c", "-i", "listener");
        var late = await again.MessageAsync("\"40\"");
        Assert.NotNull(late);
        Assert.Equal(
            Enumerable.Range(21, 20).Select(i => $"\"value\":\"{i}\""),
            again.Messages.Select(message => System.Text.RegularExpressions.Regex.Match(message, "\"value\":\"[0-9]+\"").Value));
    }

    private static string EventOf(string message) => System.Text.RegularExpressions.Regex.Match(message, "n-[0-9]+").Value;

    private static Task<EdgeNode> StartAsync(MosquittoBroker outside, int mode, string version = "auto") => EdgeNode.StartAsync(new Dictionary<string, string>
    {
        ["modules.eventBus.mqttMode"] = $"{mode}",
        ["modules.eventBus.mqttServerExternal"] = outside.Address,
        ["modules.eventBus.mqttExternalVersion"] = version,
        ["modules.deviceTwin.unknownDevices"] = "register",
        ["modules.deviceTwin.compatibility"] = "normal",
    });
}
