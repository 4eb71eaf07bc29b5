using EdgeOrleans.TestKit;

namespace EdgeOrleans.Edge.EventBus;

/// <summary>Another broker as a client of the node's: a bridge of MQTT 3.1.1 says so in its protocol level.</summary>
public sealed class MqttBridgeTests
{
    private const int Bridge311 = 0x84;

    [Fact]
    public async Task What_a_bridge_brings_does_not_come_back_to_it_and_retained_messages_keep_their_flag()
    {
        await using var node = await EdgeNode.StartAsync();
        using var bridge = await MqttTalk.ConnectAsync(node.MqttPort, "bridge", Bridge311);
        Assert.Equal([1], await bridge.SubscribeAsync("#", 1));
        using var device = await MqttTalk.ConnectAsync(node.MqttPort, "device");

        await bridge.PublishedAsync("plant/a", "its own", qos: 1);
        await device.PublishedAsync("plant/b", "kept", qos: 1, retain: true);
        await device.PublishedAsync("plant/b", "passing", qos: 1);

        Assert.Equal(("kept", true), await HearAsync(bridge));
        Assert.Equal(("passing", false), await HearAsync(bridge));
    }

    [Fact]
    public async Task A_client_that_is_no_bridge_hears_itself_and_no_flag()
    {
        await using var node = await EdgeNode.StartAsync();
        using var client = await MqttTalk.ConnectAsync(node.MqttPort, "client", 4);
        await client.SubscribeAsync("#", 1);

        await client.PublishedAsync("plant/a", "its own", qos: 1, retain: true);

        Assert.Equal(("its own", false), await HearAsync(client));
    }

    [Fact]
    public async Task A_bridge_keeps_what_it_is_over_a_restart()
    {
        await using var node = await EdgeNode.StartAsync();
        using (var bridge = await MqttTalk.ConnectAsync(node.MqttPort, "bridge", Bridge311, clean: false))
        {
            await bridge.SubscribeAsync("#", 1);
        }

        await node.RestartAsync();
        using (var device = await MqttTalk.ConnectAsync(node.MqttPort, "device"))
        {
            await device.PublishedAsync("plant/a", "kept", qos: 1, retain: true);
        }

        using var again = await MqttTalk.ConnectAsync(node.MqttPort, "bridge", Bridge311, clean: false);
        Assert.Equal(("kept", true), await HearAsync(again));
        await again.PublishedAsync("plant/b", "its own", qos: 1);
        await again.HearsNothingAsync();
    }

    [Theory]
    [InlineData("mqttv311")]
    [InlineData("mqttv50")]
    public async Task A_mosquitto_that_is_a_bridge_to_the_node_makes_no_loop_and_keeps_what_is_retained(string version)
    {
        Assert.SkipWhen(MosquittoBroker.Missing is not null, MosquittoBroker.Missing ?? "");
        await using var node = await EdgeNode.StartAsync();
        await using var other = await MosquittoBroker.StartAsync($"""
            connection node
            address 127.0.0.1:{node.MqttPort}
            bridge_protocol_version {version}
            topic # both 1
            notifications false
            restart_timeout 1
            """);
        await using var near = await MqttProbe.ConnectAsync(node.MqttPort, "#");
        await using var far = await MqttProbe.ConnectAsync(other.Port, "#");
        using var nearDevice = await MqttTalk.ConnectAsync(node.MqttPort, "near-device");
        using var farDevice = await MqttTalk.ConnectAsync(other.Port, "far-device");
        await UpAsync(node, near, far, farDevice);

        await farDevice.PublishedAsync("plant/far", "from far", qos: 1, retain: true);
        await near.Heard.FirstAsync(heard => heard.Payload == "from far", "what was published far");
        await nearDevice.PublishedAsync("plant/near", "from near", qos: 1, retain: true);
        await far.Heard.FirstAsync(heard => heard.Payload == "from near", "what was published near");
        await farDevice.PublishedAsync("plant/end", "end", qos: 1);
        await near.Heard.FirstAsync(heard => heard.Payload == "end", "the end");
        await far.Heard.FirstAsync(heard => heard.Payload == "end", "the end where it was published");

        // An echo would have come before what was published after it.
        string[] expected = ["from far", "from near", "end"];
        Assert.Equal(expected, Plant(near));
        Assert.Equal(expected, Plant(far));
        await AssertRetainedAsync(node.MqttPort, "plant/far", "from far");
        await AssertRetainedAsync(other.Port, "plant/near", "from near");
    }

    // The bridge is up when something comes through it both ways.
    private static async Task UpAsync(EdgeNode node, MqttProbe near, MqttProbe far, MqttTalk farDevice)
    {
        await farDevice.PublishedAsync("up/far", "up", qos: 1);
        await near.Heard.FirstAsync(heard => heard.Topic == "up/far", "the bridge towards the node");
        using var device = await MqttTalk.ConnectAsync(node.MqttPort, "up-device");
        await device.PublishedAsync("up/near", "up", qos: 1);
        await far.Heard.FirstAsync(heard => heard.Topic == "up/near", "the bridge from the node");
    }

    private static async Task AssertRetainedAsync(int port, string topic, string payload)
    {
        using var later = await MqttTalk.ConnectAsync(port, $"later-{topic.Replace('/', '-')}");
        await later.SubscribeAsync(topic, 1);
        var heard = await later.HearAndAckAsync();
        Assert.Equal((payload, true), (heard.Payload, heard.Retain));
    }

    private static IEnumerable<string> Plant(MqttProbe probe) =>
        probe.Heard.All.Where(static heard => heard.Topic.StartsWith("plant/", StringComparison.Ordinal)).Select(static heard => heard.Payload);

    private static async Task<(string Payload, bool Retain)> HearAsync(MqttTalk talk)
    {
        var heard = await talk.HearAndAckAsync();
        return (heard.Payload, heard.Retain);
    }
}
