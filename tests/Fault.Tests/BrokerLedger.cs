using System.Globalization;
using System.Net.Sockets;
using System.Text;

namespace EdgeOrleans.Fault;

/// <summary>
/// A device that publishes numbers with QoS 1 and 2 and a reader with a session that stays, both with a client's memory of their own:
/// what they have not finished they finish after a reconnect, by the rules of MQTT. The ledger says what the broker has promised.
/// </summary>
internal sealed class BrokerLedger
{
    private const string Topic = "ledger/";
    private const int Window = 20;

    private readonly SortedDictionary<int, (int Qos, ushort Id, bool IsReceived)> _open = [];
    private readonly HashSet<ushort> _unreleased = [];
    private readonly List<int>[] _heard = [[], [], []];
    private readonly List<int>[] _promised = [[], [], []];
    private readonly Milestone _acknowledged = new();
    private int _next = 1;

    /// <summary>How many publishes were promised in all.</summary>
    public int Promised => _promised.Sum(numbers => numbers.Count);

    /// <summary>Ends when so many more were acknowledged.</summary>
    public Task AcknowledgedAsync(int more) => _acknowledged.ReachedAsync(more);

    /// <summary>Publishes until the connection ends.</summary>
    public async Task PublishAsync(int port)
    {
        try
        {
            using var mqtt = await ConnectAsync(port, "ledger-device");
            foreach (var (number, (qos, id, isReceived)) in _open.ToArray())
            {
                await mqtt.SendAsync(isReceived ? MqttPacket.Whole(0x62, [(byte)(id >> 8), (byte)id]) : Message(number, qos, id, dup: true));
            }

            while (_open.Count < Window)
            {
                await SendNextAsync(mqtt);
            }

            while (await mqtt.ReadAsync() is { } packet)
            {
                await AnsweredAsync(mqtt, packet);
            }
        }
        catch (Exception e) when (e is SocketException or EndOfStreamException)
        {
            // The node is gone: that is the end of the load.
        }
    }

    /// <summary>Reads and acknowledges until the connection ends.</summary>
    public async Task ReadAsync(int port)
    {
        try
        {
            using var mqtt = await ConnectAsync(port, "ledger-reader");
            await mqtt.SendAsync(MqttPacket.Subscribe(1, Topic + "#", 2));
            while (await mqtt.ReadAsync() is { } packet)
            {
                await HeardAsync(mqtt, packet);
            }
        }
        catch (Exception e) when (e is SocketException or EndOfStreamException)
        {
            // As above.
        }
    }

    /// <summary>Finishes what is open and reads what waits; then the ledger is held against what was heard.</summary>
    public async Task VerifyAsync(int port)
    {
        using (var device = await ConnectAsync(port, "ledger-device"))
        {
            foreach (var (number, (qos, id, isReceived)) in _open.ToArray())
            {
                await device.SendAsync(isReceived ? MqttPacket.Whole(0x62, [(byte)(id >> 8), (byte)id]) : Message(number, qos, id, dup: true));
            }

            while (_open.Count > 0)
            {
                await AnsweredAsync(device, await device.ReadAsync() ?? throw new EndOfStreamException("the node ended the device's connection"), sendsMore: false);
            }

            await device.SendAsync(MqttPacket.Message(Topic + "end", "0", qos: 1, id: 65_000));
            await device.ReadAsync(MqttPacket.PubAck);
        }

        using var reader = await ConnectAsync(port, "ledger-reader");
        var isEnd = false;
        while (!isEnd || _unreleased.Count > 0)
        {
            isEnd |= await HeardAsync(reader, await reader.ReadAsync() ?? throw new EndOfStreamException("the node ended the reader's connection"));
        }

        for (var qos = 1; qos <= 2; qos++)
        {
            var lost = _promised[qos].Except(_heard[qos]).ToList();
            Assert.True(lost.Count == 0, $"acknowledged with QoS {qos} and lost: {string.Join(' ', lost.Take(20))}");
            var first = _heard[qos].Distinct().ToList();
            Assert.Equal(first.Order(), first);
        }

        var twice = _heard[2].GroupBy(number => number).Where(same => same.Count() > 1).Select(same => same.Key).ToList();
        Assert.True(twice.Count == 0, $"heard twice with QoS 2: {string.Join(' ', twice.Take(20))}");
    }

    private async Task AnsweredAsync(MqttSocket mqtt, MqttPacket packet, bool sendsMore = true)
    {
        var id = packet.Id;
        var number = _open.FirstOrDefault(open => open.Value.Id == id).Key;
        switch (packet.Type)
        {
            case MqttPacket.PubAck:
                Promise(1, number);
                _open.Remove(number);
                break;
            case 5: // PUBREC: the broker has it.
                if (!_open[number].IsReceived)
                {
                    Promise(2, number);
                    _open[number] = (2, id, true);
                }

                await mqtt.SendAsync(MqttPacket.Whole(0x62, [(byte)(id >> 8), (byte)id]));
                return;
            case 7: // PUBCOMP
                _open.Remove(number);
                break;
            default:
                return;
        }

        if (sendsMore)
        {
            await SendNextAsync(mqtt);
        }
    }

    private void Promise(int qos, int number)
    {
        _promised[qos].Add(number);
        _acknowledged.Count();
    }

    /// <returns>Whether it was the last.</returns>
    private async Task<bool> HeardAsync(MqttSocket mqtt, MqttPacket packet)
    {
        if (packet.Type == 6)
        {
            var released = packet.Id;
            _unreleased.Remove(released);
            await mqtt.SendAsync(MqttPacket.Whole(0x70, [(byte)(released >> 8), (byte)released]));
            return false;
        }

        if (packet.Type != MqttPacket.Publish)
        {
            return false;
        }

        var (topic, id, qos, number) = (Encoding.UTF8.GetString(packet.Topic), packet.Id, packet.Qos, int.Parse(packet.Payload, CultureInfo.InvariantCulture));
        if (topic == Topic + "end")
        {
            await mqtt.SendAsync(MqttPacket.Whole(0x40, [(byte)(id >> 8), (byte)id]));
            return true;
        }

        if (qos == 1 || _unreleased.Add(id))
        {
            _heard[qos].Add(number);
        }

        await mqtt.SendAsync(MqttPacket.Whole((byte)(qos == 1 ? 0x40 : 0x50), [(byte)(id >> 8), (byte)id]));
        return false;
    }

    private ValueTask SendNextAsync(MqttSocket mqtt)
    {
        var number = _next++;
        var (qos, id) = (1 + (number % 2), (ushort)(1 + (number % 60_000)));
        _open[number] = (qos, id, false);
        return mqtt.SendAsync(Message(number, qos, id, dup: false));
    }

    private static byte[] Message(int number, int qos, ushort id, bool dup)
    {
        var message = MqttPacket.Message($"{Topic}{qos}", $"{number}", qos, id);
        message[0] |= (byte)(dup ? 8 : 0);
        return message;
    }

    private static async Task<MqttSocket> ConnectAsync(int port, string client)
    {
        var mqtt = await MqttSocket.OpenAsync(port);
        var id = Encoding.UTF8.GetBytes(client);
        await mqtt.SendAsync(MqttPacket.Whole(0x10, [0, 4, .. "MQTT"u8, 4, 0, 0, 0, 0, (byte)id.Length, .. id]));
        await mqtt.ReadAsync(MqttPacket.ConnAck);
        return mqtt;
    }
}
