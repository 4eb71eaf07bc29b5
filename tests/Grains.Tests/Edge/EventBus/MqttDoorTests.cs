using System.Text;
using EdgeOrleans.Devices;
using EdgeOrleans.TestKit;

namespace EdgeOrleans.Edge.EventBus;

/// <summary>A whole node, and clients that speak MQTT byte by byte.</summary>
public sealed class MqttDoorTests : IAsyncLifetime
{
    private const string Update = "$hw/events/device/default/d/twin/update";
    private EdgeNode _node = null!;

    public async ValueTask InitializeAsync() => _node = await EdgeNode.StartAsync(
        new Dictionary<string, string>(StringComparer.Ordinal) { ["modules.deviceTwin.unknownDevices"] = "register" });

    public ValueTask DisposeAsync() => _node.DisposeAsync();

    [Fact]
    public async Task A_client_that_comes_again_with_a_clean_session_has_wished_for_nothing()
    {
        using var before = await ConnectAsync("twice", Update + "/result");
        using var again = await ConnectAsync("twice");
        using var device = await ConnectAsync("device");

        await device.SendAsync(MqttPacket.Message(Update, Report("1", "a"), qos: 1, id: 1));
        await device.ReadAsync(MqttPacket.PubAck);

        // What the node says next to this client is the grant of its first wish: it was told nothing of the report.
        await again.SendAsync(MqttPacket.Subscribe(1, "marker", 0));
        var next = await again.ReadAsync();
        Assert.Equal(MqttPacket.SubAck, next!.Value.Type);
    }

    [Fact]
    public async Task A_QoS_2_report_that_comes_twice_before_its_release_counts_once()
    {
        using var device = await ConnectAsync("device");
        var report = MqttPacket.Message(Update, Report("1", "a"), qos: 2, id: 7);

        await device.SendAsync(report);
        await device.ReadAsync(5);
        await device.SendAsync(report);
        await device.ReadAsync(5);
        await device.SendAsync(MqttPacket.Whole(0x62, [0, 7]));
        await device.ReadAsync(7);

        var twin = await _node.Grains.GetGrain<IDeviceTwinGrain>("default/d").GetAsync();
        Assert.Equal(new TwinVersion(0, 1), twin!.Twin["p"].Actual!.Version);
    }

    [Fact]
    public async Task A_request_larger_than_a_twin_reads_is_answered_and_the_connection_lives()
    {
        using var device = await ConnectAsync("device", Update + "/result");

        await device.SendAsync(MqttPacket.Message(Update, Report("big", new string('x', 1_100_000))));
        var refused = Encoding.UTF8.GetString((await device.ReadAsync(MqttPacket.Publish)).Payload);
        await device.SendAsync(MqttPacket.Message(Update, Report("small", "y")));
        var accepted = Encoding.UTF8.GetString((await device.ReadAsync(MqttPacket.Publish)).Payload);

        Assert.Contains("\"code\":400", refused, StringComparison.Ordinal);
        Assert.Contains("\"event_id\":\"small\"", accepted, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Acknowledgements_leave_in_the_order_of_the_publishes_whoever_handles_them()
    {
        using var device = await ConnectAsync("device");
        byte[] all =
        [
            .. Enumerable.Range(1, 40).SelectMany(i => i % 3 == 0
                ? MqttPacket.Message("free/topic", "x", qos: 1, id: (ushort)i)
                : MqttPacket.Message(Update, Report($"{i}", $"{i}"), qos: 1, id: (ushort)i)),
        ];

        await device.SendAsync(all);

        for (var i = 1; i <= 40; i++)
        {
            Assert.Equal(i, (await device.ReadAsync(MqttPacket.PubAck)).Id);
        }
    }

    [Fact]
    public async Task The_last_will_of_a_lost_device_reaches_its_twin()
    {
        using var watcher = await ConnectAsync("watcher", "$hw/events/device/default/d/state/update/result");
        using (var device = await MqttSocket.OpenAsync(_node.MqttPort))
        {
            await device.SendAsync(ConnectWithWill("device", "$hw/events/device/default/d/state/update", """{"state":"offline"}"""));
            await device.ReadAsync(MqttPacket.ConnAck);
            await device.SendAsync(MqttPacket.Message(Update, Report("1", "a"), qos: 1, id: 1));
            await device.ReadAsync(MqttPacket.PubAck);
        }

        var told = await watcher.ReadAsync(MqttPacket.Publish);
        Assert.Contains("\"state\":\"offline\"", Encoding.UTF8.GetString(told.Payload), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("$hw/events/device/default/d/twin/update/result")]
    [InlineData("$hw/events/node/edge-node/membership/updated")]
    public async Task Nobody_speaks_as_the_node(string topic)
    {
        using var liar = await ConnectAsync("liar", "$hw/#");

        await liar.SendAsync(MqttPacket.Message(topic, """{"event_id":"forged"}""", qos: 1, id: 1));
        await liar.ReadAsync(MqttPacket.PubAck);
        await liar.SendAsync(MqttPacket.Message("$hw/events/upload/marker", "m"));
        var heard = await liar.ReadAsync(MqttPacket.Publish);

        Assert.Equal("$hw/events/upload/marker", Encoding.UTF8.GetString(heard.Topic));
    }

    [Fact]
    public async Task After_a_reconnect_nothing_older_overtakes_what_was_acknowledged()
    {
        for (var round = 0; round < 20; round++)
        {
            using (var before = await ConnectAsync("again"))
            {
                await before.SendAsync(Enumerable.Range(0, 60).SelectMany(i => MqttPacket.Message(Update, Report($"{i}", $"old-{round}-{i}"))).ToArray());
            }

            using var after = await ConnectAsync("again");
            await after.SendAsync(MqttPacket.Message(Update, Report("new", $"new-{round}"), qos: 1, id: 1));
            await after.ReadAsync(MqttPacket.PubAck);
            await after.SendAsync(MqttPacket.Message("$hw/events/device/default/other/twin/update", Report("other", "x"), qos: 1, id: 2));
            await after.ReadAsync(MqttPacket.PubAck);

            var twin = await _node.Grains.GetGrain<IDeviceTwinGrain>("default/d").GetAsync();
            Assert.Equal($"new-{round}", twin!.Twin["p"].Actual!.Value);
        }
    }

    [Fact]
    public async Task A_refused_QoS_2_report_leaves_its_identifier_to_the_next()
    {
        using var device = await MqttSocket.OpenAsync(_node.MqttPort);
        await device.SendAsync(MqttPacket.Whole(0x10, [0, 4, .. "MQTT"u8, 5, 2, 0, 0, 0, .. Text("five")]));
        await device.ReadAsync(MqttPacket.ConnAck);

        await device.SendAsync(ExactlyOnceV5("""{"twin":{"p":{"actual":{}}}}"""));
        var refused = (await device.ReadAsync(5)).Body.Span[2];
        await device.SendAsync(ExactlyOnceV5(Report("good", "a")));
        var taken = await device.ReadAsync(5);

        Assert.True(refused >= 0x80, $"reason code {refused:x}");
        Assert.True(taken.Body.Length == 2 || taken.Body.Span[2] == 0);
        var twin = await _node.Grains.GetGrain<IDeviceTwinGrain>("default/d").GetAsync();
        Assert.Equal("a", twin!.Twin["p"].Actual!.Value);
    }

    [Fact]
    public async Task An_impossible_device_id_is_refused_and_not_remembered()
    {
        using var liar = await ConnectAsync("liar", "$hw/#");

        await liar.SendAsync(MqttPacket.Message("$hw/events/device/a b/c/twin/update", Report("e1", "x"), qos: 1, id: 1));
        var told = await liar.ReadAsync(MqttPacket.Publish);

        Assert.Equal("$hw/events/device/a b/c/twin/update/result", Encoding.UTF8.GetString(told.Topic));
        Assert.Contains("\"event_id\":\"e1\"", Encoding.UTF8.GetString(told.Payload), StringComparison.Ordinal);
    }

    private static byte[] ExactlyOnceV5(string payload) =>
        MqttPacket.Whole(0x34, [.. Text(Update), 0, 9, 0, .. Encoding.UTF8.GetBytes(payload)]);

    private Task<MqttSocket> ConnectAsync(string client, params string[] topics) => MqttSocket.ConnectAsync(_node.MqttPort, client, 0, topics);

    private static string Report(string id, string value) =>
        """{"event_id":"ID","timestamp":0,"twin":{"p":{"actual":{"value":"VALUE"}}}}"""
            .Replace("ID", id, StringComparison.Ordinal).Replace("VALUE", value, StringComparison.Ordinal);

    private static byte[] ConnectWithWill(string client, string topic, string will) => MqttPacket.Whole(
        0x10, [0, 4, .. "MQTT"u8, 4, 0b0000_1110, 0, 0, .. Text(client), .. Text(topic), .. Text(will)]);

    private static byte[] Text(string text)
    {
        var bytes = Encoding.UTF8.GetBytes(text);
        return [(byte)(bytes.Length >> 8), (byte)bytes.Length, .. bytes];
    }
}
