using System.Text;
using System.Threading.Channels;

namespace EdgeOrleans.Fault;

/// <summary>What the broker has promised, over ends of its process.</summary>
public sealed class BrokerTests
{
    // A reader that is away for a while must find all of it.
    private const string Queue = "--modules.eventBus.mqttSessionQueueSize=60000";

    [Fact]
    public async Task Kills_at_random_moments_lose_nothing_that_was_acknowledged_and_double_nothing_of_QoS_2()
    {
        await using var node = await new NodeProcess(Queue).StartAsync();
        var ledger = new BrokerLedger();
        await RegisterAsync(ledger, node);
        for (var round = 0; round < Rounds.Count; round++)
        {
            var publishing = ledger.PublishAsync(node.MqttPort);

            // Every third round the reader is away, so that what comes has to wait.
            var reading = round % 3 == 2 ? Task.CompletedTask : ledger.ReadAsync(node.MqttPort);
            await ledger.AcknowledgedAsync(Random.Shared.Next(20, 1_500));
            await node.KillAsync();
            await Task.WhenAll(publishing, reading);
            await node.StartAsync();
        }

        await ledger.VerifyAsync(node.MqttPort);
    }

    [Fact]
    public async Task Kills_at_random_moments_leave_every_twin_request_with_QoS_2_carried_out_once()
    {
        await using var node = await new NodeProcess().StartAsync();
        var ledger = new TwinLedger();
        for (var round = 0; round < Rounds.Count; round++)
        {
            var publishing = ledger.PublishAsync(node.MqttPort);
            await ledger.AcknowledgedAsync(Random.Shared.Next(20, 1_500));
            await node.KillAsync();
            await publishing;
            await node.StartAsync();
        }

        await ledger.VerifyAsync(node);
    }

    [Fact]
    public async Task Graceful_ends_lose_nothing_that_was_acknowledged_and_double_nothing_of_QoS_2()
    {
        await using var node = await new NodeProcess(Queue).StartAsync();
        var ledger = new BrokerLedger();
        await RegisterAsync(ledger, node);
        for (var round = 0; round < Rounds.Count; round++)
        {
            var (publishing, reading) = (ledger.PublishAsync(node.MqttPort), ledger.ReadAsync(node.MqttPort));
            await ledger.AcknowledgedAsync(500);
            Assert.Equal(0, await node.StopAsync());
            await Task.WhenAll(publishing, reading);
            await node.StartAsync();
        }

        await ledger.VerifyAsync(node.MqttPort);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Mosquitto_clients_find_their_sessions_and_retained_messages_after_an_end_of_the_node(bool isKilled)
    {
        Assert.SkipWhen(Mosquitto.Missing is not null, Mosquitto.Missing ?? "");
        await using var node = await new NodeProcess().StartAsync();
        var mosquitto = new Mosquitto(node.MqttPort);
        string[] kept = ["-c", "-i", "kept", "-q", "2"];
        await using (await mosquitto.SubscribeAsync("plant/#", [.. kept, "-V", "mqttv311"]))
        {
        }

        await using (await mosquitto.SubscribeAsync("plant/#", "-i", "clean", "-q", "2"))
        {
        }

        for (var qos = 0; qos <= 2; qos++)
        {
            (await mosquitto.PublishAsync($"plant/{qos}", $"waits-{qos}", "-q", $"{qos}")).Succeeded();
            (await mosquitto.PublishAsync($"kept/{qos}", $"retained-{qos}", "-q", $"{qos}", "-r")).Succeeded();
        }

        // A retained message with QoS 0 is promised to nobody; the next one that is, is behind it.
        await (isKilled ? node.KillAsync() : node.StopAsync());
        await node.StartAsync();

        await using var again = await mosquitto.SubscribeAsync("plant/#", [.. kept, "-V", "mqttv311"]);
        await again.MessageAsync("waits-1");
        await again.MessageAsync("waits-2");
        Assert.Equal(["1 plant/1 waits-1", "2 plant/2 waits-2"], again.Messages);
        await using var later = await mosquitto.SubscribeAsync("kept/#", "-q", "2");
        await later.MessageAsync("retained-1");
        await later.MessageAsync("retained-2");
        await using var clean = await mosquitto.SubscribeAsync("plant/#", "-i", "clean", "-q", "2");
        (await mosquitto.PublishAsync("plant/marker", "marker", "-q", "1")).Succeeded();
        Assert.Equal("1 plant/marker marker", await clean.MessageAsync("marker"));
        Assert.Single(clean.Messages);
    }

    [Fact]
    public async Task The_will_of_a_killed_mosquitto_client_is_published_and_an_end_of_the_node_publishes_none()
    {
        Assert.SkipWhen(Mosquitto.Missing is not null, Mosquitto.Missing ?? "");
        await using var node = await new NodeProcess().StartAsync();
        var mosquitto = new Mosquitto(node.MqttPort);
        await using var listener = await mosquitto.SubscribeAsync("wills/#", "-c", "-i", "listener", "-q", "1");
        string[] will = ["--will-payload", "gone", "--will-qos", "1", "--will-retain"];
        var lost = await mosquitto.SubscribeAsync("x", ["-i", "lost", "--will-topic", "wills/lost", .. will]);
        await lost.KillAsync();
        await listener.MessageAsync("wills/lost gone");

        await using var stays = await mosquitto.SubscribeAsync("x", ["-i", "stays", "--will-topic", "wills/stays", .. will]);
        Assert.Equal(0, await node.StopAsync());
        await node.StartAsync();

        await using var later = await mosquitto.SubscribeAsync("wills/#", "-q", "1");
        await later.MessageAsync("wills/lost gone");
        (await mosquitto.PublishAsync("wills/marker", "marker", "-q", "1")).Succeeded();
        await later.MessageAsync("marker");
        Assert.DoesNotContain(later.Messages, message => message.Contains("stays", StringComparison.Ordinal));
    }

    [Fact]
    public async Task The_wills_of_the_clients_of_a_killed_node_are_published_after_its_restart_and_of_a_stopped_one_none()
    {
        Assert.SkipWhen(Mosquitto.Missing is not null, Mosquitto.Missing ?? "");
        await using var node = await new NodeProcess("--modules.eventBus.willGrace=1s").StartAsync();
        var mosquitto = new Mosquitto(node.MqttPort);

        // With QoS 1 it might come again because the node died before it had removed what was acknowledged.
        string[] kept = ["-c", "-i", "listener", "-q", "2"];
        await using (await mosquitto.SubscribeAsync("wills/#", kept))
        {
        }

        using (await WithWillAsync(node, "stopped"))
        {
            Assert.Equal(0, await node.StopAsync());
        }

        await node.StartAsync();
        using (await WithWillAsync(node, "killed"))
        {
            await node.KillAsync();
        }

        await node.StartAsync();
        await using (var listener = await mosquitto.SubscribeAsync("wills/#", kept))
        {
            Assert.Equal("2 wills/killed gone", await listener.MessageAsync("wills/killed"));
            (await mosquitto.PublishAsync("wills/marker", "marker", "-q", "1")).Succeeded();
            await listener.MessageAsync("marker");
            Assert.Equal(2, listener.Messages.Count);
        }

        await using var again = await mosquitto.SubscribeAsync("wills/#", kept);
        using (await WithWillAsync(node, "later"))
        {
            await node.KillAsync();
        }

        await node.StartAsync();
        await again.MessageAsync("wills/later");
        Assert.DoesNotContain(again.Messages, static message => message.Contains("killed", StringComparison.Ordinal));
    }

    private static async Task<MqttSocket> WithWillAsync(NodeProcess node, string client)
    {
        var socket = await MqttSocket.OpenAsync(node.MqttPort);
        await socket.SendAsync(MqttPacket.Connect(client, $"wills/{client}", "gone", qos: 2));
        await socket.ReadAsync(MqttPacket.ConnAck);
        return socket;
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_full_disk_promises_nothing_for_later_and_passes_on_what_is_for_now(bool mounted)
    {
        var (found, reason) = mounted ? await SmallDisk.MountAsync() : SmallDisk.Limit();
        Assert.SkipWhen(found is null, reason);
        await using var disk = found!;
        await using var node = await new NodeProcess(new NodeSetup { Data = disk.Data, Under = disk.Under, Arguments = [Queue] }).StartAsync();
        await using var now = await MqttProbe.ConnectAsync(node.MqttPort, "now/#");
        await using var device = await MqttProbe.ConnectV5Async(node.MqttPort);
        await using (await KeptAsync(node))
        {
        }

        Assert.Equal(0, await device.PublishAsync("later/a", "promised"));

        await disk.FillAsync(node);
        var promised = 1;
        while (await device.PublishAsync("later/a", $"{promised} {new string('x', 2_000)}") < 128)
        {
            promised++;
            Assert.True(promised < 50_000, "the disk did not become full");
        }

        Assert.Equal(0, await device.PublishAsync("now/a", "passes"));
        await now.Heard.FirstAsync(heard => heard.Payload == "passes", "a message for now");
        using (var older = await MqttSocket.ConnectAsync(node.MqttPort, "older"))
        {
            await older.SendAsync(MqttPacket.Message("later/a", "lost", qos: 1, id: 7));
            await Assert.ThrowsAsync<EndOfStreamException>(() => older.ReadAsync(MqttPacket.PubAck));
        }

        await disk.EmptyAsync(node);
        using var patience = new CancellationTokenSource(Patience.Default);
        while (await device.PublishAsync("later/a", "healed") >= 128)
        {
            patience.Token.ThrowIfCancellationRequested();
        }

        await node.KillAsync();
        await node.StartAsync();
        await using var again = await KeptAsync(node);
        Assert.Equal(promised + 1, await again.CountUntilAsync("healed"));
    }

    private static async Task<KeptReader> KeptAsync(NodeProcess node) => await KeptReader.ConnectAsync(node.MqttPort, "later/#");

    // Both have a session from before the first message.
    private static async Task RegisterAsync(BrokerLedger ledger, NodeProcess node)
    {
        var id = Encoding.UTF8.GetBytes("ledger-reader");
        using var reader = await MqttSocket.OpenAsync(node.MqttPort);
        await reader.SendAsync(MqttPacket.Whole(0x10, [0, 4, .. "MQTT"u8, 4, 0, 0, 0, 0, (byte)id.Length, .. id]));
        await reader.ReadAsync(MqttPacket.ConnAck);
        await reader.SendAsync(MqttPacket.Subscribe(1, "ledger/#", 2));
        await reader.ReadAsync(MqttPacket.SubAck);
        Assert.Equal(0, ledger.Promised);
    }
}

/// <summary>A reader whose session stays.</summary>
internal sealed class KeptReader : IAsyncDisposable
{
    private readonly Channel<string> _heard = Channel.CreateUnbounded<string>();
    private readonly MqttSocket _mqtt;
    private readonly Task _reading;

    private KeptReader(MqttSocket mqtt)
    {
        _mqtt = mqtt;
        _reading = ReadAsync();
    }

    /// <summary>How many messages come until this one, it included.</summary>
    public async Task<int> CountUntilAsync(string last)
    {
        using var patience = new CancellationTokenSource(Patience.Default);
        var count = 1;
        while (await _heard.Reader.ReadAsync(patience.Token) != last)
        {
            count++;
        }

        return count;
    }

    public static async Task<KeptReader> ConnectAsync(int port, string filter)
    {
        var mqtt = await MqttSocket.OpenAsync(port);
        await mqtt.SendAsync(MqttPacket.Whole(0x10, [0, 4, .. "MQTT"u8, 4, 0, 0, 0, 0, 4, .. "kept"u8]));
        if ((await mqtt.ReadAsync(MqttPacket.ConnAck)).Body.Span[0] == 0)
        {
            await mqtt.SendAsync(MqttPacket.Subscribe(1, filter, 1));
            await mqtt.ReadAsync(MqttPacket.SubAck);
        }

        return new KeptReader(mqtt);
    }

    public async ValueTask DisposeAsync()
    {
        _mqtt.Dispose();
        await _reading;
    }

    private async Task ReadAsync()
    {
        try
        {
            while (await _mqtt.ReadAsync() is { } packet)
            {
                if (packet.Type == MqttPacket.Publish)
                {
                    _heard.Writer.TryWrite(Encoding.UTF8.GetString(packet.Payload));
                    await _mqtt.SendAsync(MqttPacket.Whole(0x40, [(byte)(packet.Id >> 8), (byte)packet.Id]));
                }
            }
        }
        catch (Exception e) when (e is System.Net.Sockets.SocketException or ObjectDisposedException)
        {
            // It was closed.
        }
    }
}
