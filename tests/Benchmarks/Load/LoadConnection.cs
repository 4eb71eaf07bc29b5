using System.Diagnostics;
using EdgeOrleans.TestKit;

namespace EdgeOrleans.Benchmarks.Load;

/// <summary>One connection of a load. What has arrived together is answered with one send.</summary>
internal sealed class LoadConnection : IDisposable
{
    private static readonly TimeSpan LastAnswers = TimeSpan.FromSeconds(5);

    private readonly MqttSocket _mqtt;
    private readonly LoadShape _shape;
    private readonly Dictionary<int, int> _slots = [];
    private readonly Queue<BenchDevice>[] _waiting;
    private readonly Dictionary<int, BenchDevice> _devices = [];
    private readonly List<byte> _out = new(64 * 1024);
    private int _underWay;

    private LoadConnection(MqttSocket mqtt, LoadShape shape, int first)
    {
        (_mqtt, _shape) = (mqtt, shape);
        _waiting = [.. Enumerable.Range(0, shape.InFlight).Select(_ => new Queue<BenchDevice>())];
        var slot = 0;
        for (var number = first; number < shape.Devices; number += shape.Connections)
        {
            _devices[number] = new BenchDevice(number, shape);
            _slots[number] = slot % shape.InFlight;
            _waiting[slot++ % shape.InFlight].Enqueue(_devices[number]);
        }
    }

    /// <summary>Milliseconds of the good answers that counted.</summary>
    public List<double> Milliseconds { get; } = [];

    /// <summary>Answers that were not good, or did not come.</summary>
    public int Bad { get; private set; }

    public static async Task<LoadConnection> OpenAsync(int port, LoadShape shape, int first)
    {
        var mqtt = await MqttSocket.ConnectAsync(port, $"bench-{Guid.NewGuid():N}"[..20]);
        var connection = new LoadConnection(mqtt, shape, first);
        foreach (var device in connection._devices.Values)
        {
            await mqtt.SendAsync(MqttPacket.Subscribe(1, device.ResultTopic, 0));
            await mqtt.ReadAsync(MqttPacket.SubAck);
        }

        return connection;
    }

    /// <summary>Keeps its requests under way until the end; what ends after the beginning counts.</summary>
    public async Task RunAsync(long begin, long end)
    {
        for (var slot = 0; slot < _shape.InFlight; slot++)
        {
            SendNext(slot);
        }

        await FlushAsync();
        using var patience = new CancellationTokenSource(Stopwatch.GetElapsedTime(Stopwatch.GetTimestamp(), end) + LastAnswers);
        await using var giveUp = patience.Token.Register(_mqtt.Dispose);
        while (_underWay > 0 && await ReadAsync() is { } packet)
        {
            do
            {
                Answer(packet, begin, end);
            }
            while (_mqtt.TryRead(out packet));
            await FlushAsync();
        }

        Bad += _underWay;
    }

    public void Dispose() => _mqtt.Dispose();

    private async ValueTask<MqttPacket?> ReadAsync()
    {
        try
        {
            return await _mqtt.ReadAsync();
        }
        catch (ObjectDisposedException)
        {
            return null;
        }
    }

    private void Answer(MqttPacket packet, long begin, long end)
    {
        if (packet.Type != MqttPacket.Publish || !_devices.TryGetValue(BenchDevice.NumberIn(packet.Topic), out var device) || device.SentAt == 0)
        {
            return;
        }

        var (now, sent) = (Stopwatch.GetTimestamp(), device.SentAt);
        device.SentAt = 0;
        _underWay--;
        if (!device.IsGood(packet.Payload))
        {
            Bad++;
        }
        else if (now >= begin && now < end)
        {
            Milliseconds.Add(Stopwatch.GetElapsedTime(sent, now).TotalMilliseconds);
        }

        if (now < end)
        {
            SendNext(_slots[BenchDevice.NumberIn(packet.Topic)]);
        }
    }

    private void SendNext(int slot)
    {
        if (!_waiting[slot].TryDequeue(out var device))
        {
            return;
        }

        _waiting[slot].Enqueue(device);
        device.SentAt = Stopwatch.GetTimestamp();
        _underWay++;
        _out.AddRange(device.Next());
    }

    private async ValueTask FlushAsync()
    {
        if (_out.Count > 0)
        {
            var bytes = _out.ToArray();
            _out.Clear();
            await _mqtt.SendAsync(bytes);
        }
    }
}
