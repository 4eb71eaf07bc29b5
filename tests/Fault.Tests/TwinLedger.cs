using System.Net.Sockets;
using System.Text;

namespace EdgeOrleans.Fault;

/// <summary>
/// A client with a session that stays, which sends numbers to twins with QoS 2 and has a client's memory of its own: what it has not finished
/// it finishes after a reconnect. Every number is another publish, and a twin counts in the version of its property what it has carried out.
/// </summary>
internal sealed class TwinLedger
{
    private const int Window = 24;

    // More than one, so that the commits of some go on while others are answered.
    private const int Devices = 3;

    private readonly SortedDictionary<int, (ushort Id, bool IsReceived)> _open = [];
    private readonly int[] _last = new int[Devices];
    private readonly long[] _sent = new long[Devices];
    private readonly Milestone _acknowledged = new();
    private int _next = 1;

    /// <summary>Ends when so many more were acknowledged.</summary>
    public Task AcknowledgedAsync(int more) => _acknowledged.ReachedAsync(more);

    /// <summary>Publishes until the connection ends.</summary>
    public async Task PublishAsync(int port)
    {
        try
        {
            using var mqtt = await ConnectAsync(port);
            while (_open.Count < Window)
            {
                await SendNextAsync(mqtt);
            }

            while (await mqtt.ReadAsync() is { } packet)
            {
                if (await IsOverAsync(mqtt, packet))
                {
                    await SendNextAsync(mqtt);
                }
            }
        }
        catch (Exception e) when (e is SocketException or EndOfStreamException)
        {
            // The node is gone: that is the end of the load.
        }
    }

    /// <summary>Finishes what is open; then every twin has carried out each of its numbers once.</summary>
    public async Task VerifyAsync(NodeProcess node)
    {
        using (var mqtt = await ConnectAsync(node.MqttPort))
        {
            while (_open.Count > 0)
            {
                await IsOverAsync(mqtt, await mqtt.ReadAsync() ?? throw new EndOfStreamException("the node ended the connection"));
            }
        }

        for (var device = 0; device < Devices; device++)
        {
            var property = JsonNode.Parse(await node.Console.OutputAsync("twin", "get", NameOf(device), "-o", "json"))!["twin"]!["n"]!;
            Assert.Equal((_last[device], _sent[device]), (int.Parse((string)property["actual"]!["value"]!), (long)property["actual_version"]!["edge"]!));
        }
    }

    /// <returns>Whether a publish has come to its end with this packet.</returns>
    private async Task<bool> IsOverAsync(MqttSocket mqtt, MqttPacket packet)
    {
        var id = packet.Id;
        var number = _open.Single(open => open.Value.Id == id).Key;
        if (packet.Type == 7)
        {
            return _open.Remove(number);
        }

        Assert.Equal(5, packet.Type);
        if (!_open[number].IsReceived)
        {
            _open[number] = (id, true);
            _acknowledged.Count();
        }

        await mqtt.SendAsync(Release(id));
        return false;
    }

    private ValueTask SendNextAsync(MqttSocket mqtt)
    {
        var number = _next++;
        var (device, id) = (number % Devices, (ushort)(1 + (number % 60_000)));
        _open[number] = (id, false);
        (_last[device], _sent[device]) = (number, _sent[device] + 1);
        return mqtt.SendAsync(Update(number, id, dup: false));
    }

    private async Task<MqttSocket> ConnectAsync(int port)
    {
        var mqtt = await MqttSocket.OpenAsync(port);
        var client = "twin-ledger"u8;
        await mqtt.SendAsync(MqttPacket.Whole(0x10, [0, 4, .. "MQTT"u8, 4, 0, 0, 0, 0, (byte)client.Length, .. client]));
        Assert.Equal(_next > 1 ? 1 : 0, (await mqtt.ReadAsync(MqttPacket.ConnAck)).Body.Span[0]);
        foreach (var (number, (id, isReceived)) in _open)
        {
            await mqtt.SendAsync(isReceived ? Release(id) : Update(number, id, dup: true));
        }

        return mqtt;
    }

    private static byte[] Release(ushort id) => MqttPacket.Whole(0x62, [(byte)(id >> 8), (byte)id]);

    private static byte[] Update(int number, ushort id, bool dup)
    {
        var topic = Encoding.UTF8.GetBytes($"$hw/events/device/default/{NameOf(number % Devices)}/twin/update");
        var message = MqttPacket.Message(topic, Encoding.UTF8.GetBytes(TwinJson.Report($"{number}", ("n", $"{number}"))), qos: 2, id);
        message[0] |= (byte)(dup ? 8 : 0);
        return message;
    }

    private static string NameOf(int device) => $"pump-{device}";
}
