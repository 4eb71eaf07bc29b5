using System.Globalization;
using System.Net.Sockets;
using System.Text;

namespace EdgeOrleans.Fault;

/// <summary>
/// A device with a session that stays, at a broker that comes and goes: it reports a counter to its twin, the next number when the result
/// of the last has come, and publishes uploads, a few at once. What was not acknowledged it sends again after a reconnect, in its order.
/// </summary>
/// <remarks>
/// An update is done when its <b>result</b> has come: that is the node's word. A PUBACK is mosquitto's word alone, and a kill can break it:
/// mosquitto 2.0 saves what it has at the end of a pass over its sockets, but a message that is on its way to a client that is connected
/// is no change for it, so it saves it with the next change only. What it had acknowledged and not passed on is lost with a kill, and
/// so may be the message's way to a listener. So the device lets go, after a kill of mosquitto, of the uploads that it has a PUBACK for and
/// nothing more. An upload is confirmed for good by the result of an update that left after it on the same connection: the node has read
/// the upload before the update, and stores in that order. Where mosquitto was not killed, its PUBACK counts.
/// </remarks>
internal sealed class LoadedDevice(string name, int port)
{
    private const int UploadsAtOnce = 3;

    // While the node is away its updates wait for it; uploads go on so far.
    private const int UploadsOfAnUpdate = 20;
    private const int FirstUpdateId = 40_000;
    private static readonly TimeSpan Redial = TimeSpan.FromMilliseconds(50);

    private readonly Lock _gate = new();
    private readonly Queue<int> _open = new();
    private readonly List<int> _acknowledged = [];
    private readonly HashSet<int> _forgiven = [];
    private readonly List<int> _results = [];
    private readonly List<int> _news = [];
    private int _lastUpload;
    private int _sure;
    private int _value;
    private int _confirmed;
    private int _uploadsAtConfirmed;
    private int _uploadsBeforeUpdate;
    private bool _isUpdateOfThisConnection;
    private bool _isUpdateAcknowledged;
    private bool _isConnected;
    private volatile bool _isFinishing;
    private readonly List<(int After, int UpTo)> _mayMiss = [];
    private int? _killedAt;
    private int _lastNews;
    private int _newest;
    private Action _progress = static () => { };

    public string Name => name;

    /// <summary>The device's id.</summary>
    public string Id => $"default/{name}";

    /// <summary>Where its uploads go, and where the node publishes news for it.</summary>
    public string Topic => $"shop/user/{name}";

    /// <summary>The last update whose result has come.</summary>
    public int Confirmed => Volatile.Read(ref _confirmed);

    /// <summary>The uploads that must be with the node, in their order.</summary>
    public IReadOnlyList<int> Promised => [.. _acknowledged.Where(number => !_forgiven.Contains(number))];

    /// <summary>The uploads that mosquitto may have lost.</summary>
    public int Forgiven => _forgiven.Count;

    /// <summary>The last upload that has left.</summary>
    public int LastUpload => _lastUpload;

    /// <summary>The results that it has heard, by the number of the update, in the order in which they came.</summary>
    public IReadOnlyList<int> Results => _results;

    /// <summary>The numbers of the news that it has heard, in the order in which they came.</summary>
    public IReadOnlyList<int> News => _news;

    /// <summary>Whether mosquitto may have lost a number of the news on its way here.</summary>
    public bool MayMiss(int number) => _mayMiss.Exists(gap => number > gap.After && number <= gap.UpTo);

    /// <summary>Reports and publishes until it is told to finish and has finished.</summary>
    /// <param name="progress">Hears of every update whose result has come.</param>
    public Task RunAsync(Action progress)
    {
        (_isFinishing, _progress) = (false, progress);
        return Task.Run(RunAsync);
    }

    private async Task RunAsync()
    {
        while (!await TryServeAsync())
        {
            await Task.Delay(Redial);
        }
    }

    /// <summary>Nothing new is begun: it brings to an end what is open, and then listens until it has heard a number of the news.</summary>
    public void Finish(int lastNews)
    {
        Volatile.Write(ref _lastNews, lastNews);
        _isFinishing = true;
    }

    /// <summary>The broker was killed and does not run again yet: what it alone has acknowledged is forgiven.</summary>
    /// <param name="lastNews">A number that is above all news that it can have acknowledged.</param>
    public void BrokerIsKilled(int lastNews)
    {
        lock (_gate)
        {
            _killedAt = lastNews;
        }
    }

    /// <inheritdoc/>
    public override string ToString() =>
        $"{name}: update {_value}, confirmed {_confirmed}; uploads {_lastUpload}, acknowledged {_acknowledged.LastOrDefault()}; news {_newest} of {_lastNews}; {(_isConnected ? "connected" : "not connected")}";

    /// <summary>Makes its session, before anything is said.</summary>
    public async Task RegisterAsync()
    {
        using var mqtt = await MqttSocket.OpenAsync(port);
        await ConnectAsync(mqtt);
        await mqtt.ReadAsync(MqttPacket.SubAck);
        await mqtt.ReadAsync(MqttPacket.SubAck);
    }

    /// <returns>Whether it has finished; otherwise the connection is over.</returns>
    private async Task<bool> TryServeAsync()
    {
        try
        {
            using var mqtt = await MqttSocket.OpenAsync(port);
            await ConnectAsync(mqtt);
            _isConnected = true;
            await SendAgainAsync(mqtt);
            while (await mqtt.ReadAsync() is { } packet)
            {
                await OnAsync(mqtt, packet);
                if (_isFinishing && IsDone())
                {
                    return true;
                }
            }
        }
        catch (Exception e) when (e is SocketException or EndOfStreamException)
        {
            // The broker is away.
        }

        _isUpdateOfThisConnection = _isConnected = false;
        return false;
    }

    private bool IsDone() => _open.Count == 0 && _value == _confirmed && _newest >= Volatile.Read(ref _lastNews);

    // All that the killed broker said has been read: this is a connection to the next.
    private void Forgive()
    {
        lock (_gate)
        {
            if (_killedAt is { } lastNews)
            {
                _killedAt = null;
                _mayMiss.Add((_newest, lastNews));
                _forgiven.UnionWith(_acknowledged.Where(number => number > _sure));
            }
        }
    }

    private async Task ConnectAsync(MqttSocket mqtt)
    {
        var id = Encoding.UTF8.GetBytes(name);
        await mqtt.SendAsync(MqttPacket.Whole(0x10, [0, 4, .. "MQTT"u8, 4, 0, 0, 0, 0, (byte)id.Length, .. id]));
        await mqtt.ReadAsync(MqttPacket.ConnAck);
        Forgive();

        // Anew with every connection: a broker that was killed may have kept the session and not its subscriptions.
        await mqtt.SendAsync(MqttPacket.Subscribe(1, $"{Update}/result", 1));
        await mqtt.SendAsync(MqttPacket.Subscribe(2, Topic, 1));
    }

    private async Task SendAgainAsync(MqttSocket mqtt)
    {
        foreach (var number in _open)
        {
            await mqtt.SendAsync(Upload(number, dup: true));
        }

        if (_value > _confirmed)
        {
            await SendUpdateAsync(mqtt, dup: !_isUpdateAcknowledged);
        }
        else if (!_isFinishing)
        {
            await NextUpdateAsync(mqtt);
        }

        await MoreUploadsAsync(mqtt);
    }

    private async Task OnAsync(MqttSocket mqtt, MqttPacket packet)
    {
        switch (packet.Type)
        {
            case MqttPacket.Publish:
                await HeardAsync(mqtt, packet);
                break;
            case MqttPacket.PubAck when packet.Id >= FirstUpdateId:
                _isUpdateAcknowledged |= packet.Id == UpdateId(_value);
                break;
            case MqttPacket.PubAck when _open.TryPeek(out var first):
                Assert.Equal(UploadId(first), packet.Id);
                _acknowledged.Add(_open.Dequeue());
                await MoreUploadsAsync(mqtt);
                break;
        }
    }

    private async Task HeardAsync(MqttSocket mqtt, MqttPacket packet)
    {
        var (id, isResult, payload) = (packet.Id, !packet.Topic.SequenceEqual(Encoding.UTF8.GetBytes(Topic)), Encoding.UTF8.GetString(packet.Payload));
        if (isResult)
        {
            await ResultAsync(mqtt, new Heard($"{Update}/result", payload));
        }
        else if (payload.StartsWith('n'))
        {
            _news.Add(Number(payload));
            _newest = Math.Max(_newest, _news[^1]);
        }

        await mqtt.SendAsync(MqttPacket.Whole(0x40, [(byte)(id >> 8), (byte)id]));
    }

    private async Task ResultAsync(MqttSocket mqtt, Heard result)
    {
        if (result.Code >= 500)
        {
            // The node could not do it in time; it has not acknowledged the update, so it will come to it again.
            return;
        }

        Assert.Equal(0, result.Code);
        var number = Number(result.EventId!);
        Assert.Equal($"{number}", result.Actual("n"));
        _results.Add(number);
        if (number != _value || number == _confirmed)
        {
            return;
        }

        if (_isUpdateOfThisConnection)
        {
            _sure = _uploadsBeforeUpdate;
        }

        Volatile.Write(ref _confirmed, number);
        _uploadsAtConfirmed = _lastUpload;
        _progress();
        if (!_isFinishing)
        {
            await NextUpdateAsync(mqtt);
            await MoreUploadsAsync(mqtt);
        }
    }

    private ValueTask NextUpdateAsync(MqttSocket mqtt)
    {
        _value++;
        _isUpdateAcknowledged = false;
        return SendUpdateAsync(mqtt, dup: false);
    }

    private ValueTask SendUpdateAsync(MqttSocket mqtt, bool dup)
    {
        (_isUpdateOfThisConnection, _uploadsBeforeUpdate) = (true, _lastUpload);
        return mqtt.SendAsync(Message(Update, TwinJson.Report($"u{_value}", ("n", $"{_value}")), UpdateId(_value), dup));
    }

    private async Task MoreUploadsAsync(MqttSocket mqtt)
    {
        while (!_isFinishing && _open.Count < UploadsAtOnce && _lastUpload - _uploadsAtConfirmed < UploadsOfAnUpdate)
        {
            _open.Enqueue(++_lastUpload);
            await mqtt.SendAsync(Upload(_lastUpload, dup: false));
        }
    }

    private string Update => $"$hw/events/device/{Id}/twin/update";

    private byte[] Upload(int number, bool dup) => Message(Topic, $"u{number}", UploadId(number), dup);

    private static byte[] Message(string topic, string payload, ushort id, bool dup)
    {
        var message = MqttPacket.Message(topic, payload, qos: 1, id);
        message[0] |= (byte)(dup ? 8 : 0);
        return message;
    }

    private static ushort UploadId(int number) => (ushort)(1 + (number % 30_000));

    private static ushort UpdateId(int number) => (ushort)(FirstUpdateId + (number % 20_000));

    private static int Number(string text) => int.Parse(text.AsSpan(1), CultureInfo.InvariantCulture);
}
