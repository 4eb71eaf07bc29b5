using System.Buffers;
using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography.X509Certificates;
using EdgeOrleans.Modules;
using Microsoft.Extensions.Logging;
using MQTTnet.Adapter;
using MQTTnet.Formatter;
using MQTTnet.Packets;
using MQTTnet.Protocol;

namespace EdgeOrleans.Edge.EventBus;

/// <summary>
/// One client's connection. It stands between the socket and the broker: requests to twins leave here for the beehive and never
/// reach the broker, everything else goes through; answers are written here directly. It bounds what a client can make us hold.
/// </summary>
internal sealed partial class MqttConnection : IMqttChannelAdapter, IThreadPoolWorkItem
{
    private const int FirstBuffer = 2_048;
    private const int LargestKeptBuffer = 16_384;
    private const ushort MostAliases = 64;
    private static readonly TimeSpan LastWords = TimeSpan.FromSeconds(1);

    private readonly Stream _stream;
    private readonly EventBusOptions _options;
    private readonly TwinRequests _requests;
    private readonly Refusals _refusals;
    private readonly Publisher _publisher;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly CancellationTokenSource _closing = new();
    private readonly HashSet<ushort> _exactlyOnce = [];
    private readonly Lock _writing = new();

    private byte[] _received = new byte[FirstBuffer];
    private int _from;
    private int _to;

    private ArrayBufferWriter<byte> _pending = new(FirstBuffer);
    private ArrayBufferWriter<byte> _leaving = new(FirstBuffer);
    private bool _flushing;
    private TaskCompletionSource? _drained;
    private TaskCompletionSource? _written;
    private bool _closed;
    private volatile TaskCompletionSource? _receiving;
    private readonly TaskCompletionSource _ended = NewSignal();

    private long _heard;
    private TimeSpan _keepAlive;
    private volatile bool _held;
    private bool _isConnecting;
    private uint _clientMaxPacket;
    private Dictionary<ushort, string>? _aliases;

    public MqttConnection(
        Stream stream,
        EndPoint? local,
        EndPoint? remote,
        EventBusOptions options,
        TwinRequests requests,
        Refusals refusals,
        Publisher publisher,
        TimeProvider time,
        ILogger logger)
    {
        (_stream, _options, _requests, _refusals, _publisher, _time, _logger) = (stream, options, requests, refusals, publisher, time, logger);
        (LocalEndPoint, RemoteEndPoint) = (local, remote);
        PacketFormatterAdapter = new MqttPacketFormatterAdapter(new MqttBufferWriter(512, LargestKeptBuffer));
        Acknowledgements = new Acknowledgements(Acknowledge);
        Window = new RequestWindow(options.MaxRequestsUnderWay);
        _heard = time.GetTimestamp();
    }

    public long BytesReceived { get; private set; }

    public long BytesSent { get; private set; }

    public X509Certificate2? ClientCertificate => null;

    public EndPoint? RemoteEndPoint { get; }

    public EndPoint? LocalEndPoint { get; }

    public bool IsSecureConnection => false;

    public MqttPacketFormatterAdapter PacketFormatterAdapter { get; }

    public string ClientId { get; private set; } = "";

    public bool IsVersion5 => PacketFormatterAdapter.ProtocolVersion == MqttProtocolVersion.V500;

    /// <summary>How many of this client's requests may be under way.</summary>
    public RequestWindow Window { get; }

    public Acknowledgements Acknowledgements { get; }

    /// <summary>The subscription identifiers that the client gave with its filters.</summary>
    public Dictionary<string, uint> SubscriptionIdentifiers { get; } = new(StringComparer.Ordinal);

    /// <summary>Whether the client has been silent for one and a half of its keep-alive. Held back by us it may be silent.</summary>
    public bool IsSilent => _keepAlive > TimeSpan.Zero && !_held && _time.GetElapsedTime(_heard) > _keepAlive * 1.5;

    public Task ConnectAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    /// <summary>Ends the connection when what was said last is on its way: a refusal is heard before the line goes dead.</summary>
    public async Task DisconnectAsync(CancellationToken cancellationToken)
    {
        try
        {
            await Written().WaitAsync(LastWords, _time, cancellationToken);
        }
        catch (Exception e) when (e is TimeoutException or OperationCanceledException)
        {
            // It does not read: it does not hear.
        }

        Abort();
    }

    public void Dispose()
    {
        Abort();
        _publisher.Disconnected(ClientId, this);
        _closing.Dispose();
    }

    public void ResetStatistics() => (BytesReceived, BytesSent) = (0, 0);

    /// <summary>Ends the connection at once. Its will is published, as for any lost connection.</summary>
    public void Abort()
    {
        try
        {
            _closing.Cancel();
        }
        catch (ObjectDisposedException)
        {
            // It was closed a moment ago.
        }

        _stream.Dispose();
        lock (_writing)
        {
            _closed = true;
            _drained?.TrySetResult();
            _written?.TrySetResult();
        }
    }

    /// <summary>Ends the connection because its client has come again, and returns when the broker is done with it.</summary>
    public async Task GiveWayAsync()
    {
        if (IsVersion5)
        {
            Write(new MqttDisconnectPacket { ReasonCode = MqttDisconnectReasonCode.SessionTakenOver });
        }

        await DisconnectAsync(CancellationToken.None);
        await _ended.Task.WaitAsync(_options.ConnectTimeout / 2, _time).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }

    /// <summary>The broker is done with this connection.</summary>
    public void End()
    {
        Dispose();
        _ended.TrySetResult();
    }

    /// <summary>Ends the connection at once, and returns when nothing that it had read is still on its way to a twin.</summary>
    public async Task AbortAndSettleAsync()
    {
        Abort();
        if (_receiving is { } receiving)
        {
            await receiving.Task.WaitAsync(_options.RequestTimeout, _time);
        }
    }

    /// <summary>The next packet for the broker; null when the connection has ended.</summary>
    public async Task<MqttPacket?> ReceivePacketAsync(CancellationToken cancellationToken)
    {
        var receiving = NewSignal();
        _receiving = receiving;
        try
        {
            return await ReceiveAsync(cancellationToken);
        }
        finally
        {
            receiving.SetResult();
        }
    }

    private async Task<MqttPacket?> ReceiveAsync(CancellationToken cancellationToken)
    {
        try
        {
            while (true)
            {
                // What a connection that is over had still read is not carried out: its client may be here again, with newer values.
                while (!IsOver(cancellationToken) && TryDecode(out var packet))
                {
                    await ReadsAsync(cancellationToken);
                    if (packet is not MqttPublishPacket publish)
                    {
                        return Seen(packet);
                    }

                    if (!IsFirstTime(publish))
                    {
                        continue;
                    }

                    var topic = _requests.Read(publish.Topic);
                    var owed = Owe(publish);
                    if (topic.Kind is TopicKind.Free or TopicKind.Unknown)
                    {
                        if (topic.Kind == TopicKind.Unknown)
                        {
                            _refusals.Count("mqtt.unknown-topic");
                        }

                        return publish;
                    }

                    await TakeAsync(topic, publish, owed, cancellationToken);
                }

                if (IsOver(cancellationToken) || !await FillAsync(cancellationToken))
                {
                    return null;
                }
            }
        }
        catch (MqttDoorException broken)
        {
            _refusals.Count(broken.Reason);
            LogBroken(ClientId, RemoteEndPoint, broken.Message);
            if (IsVersion5)
            {
                Write(new MqttDisconnectPacket { ReasonCode = broken.Code, ReasonString = broken.Message });
            }

            return null;
        }
        catch (Exception e) when (e is IOException or SocketException or ObjectDisposedException)
        {
            return null;
        }
    }

    public Task SendPacketAsync(MqttPacket packet, CancellationToken cancellationToken)
    {
        switch (packet)
        {
            case MqttPubAckPacket ack:
                Acknowledgements.Ready(ack.PacketIdentifier, ack);
                break;
            case MqttPubRecPacket received:
                Acknowledgements.Ready(received.PacketIdentifier, received);
                break;
            case MqttConnAckPacket accepted:
                return AcceptAsync(accepted);
            case MqttDisconnectPacket:
                // The broker waits for it with a lock on all connections: it must not wait for a client that does not read.
                Write(packet);
                return Task.CompletedTask;
            default:
                Write(packet);
                break;
        }

        var drained = Drained();
        return drained.IsCompleted ? drained : drained.WaitAsync(cancellationToken);
    }

    /// <summary>Writes a publish of the node with QoS 0. False when the client has too much waiting: the message is dropped and counted.</summary>
    public bool TryPublish(ReadOnlySpan<byte> topic, ReadOnlySpan<byte> payload, uint subscriptionIdentifier)
    {
        var properties = !IsVersion5 ? 0 : subscriptionIdentifier == 0 ? 1 : 2 + VariableLength((int)subscriptionIdentifier);
        var body = 2 + topic.Length + properties + payload.Length;
        var length = 1 + VariableLength(body) + body;
        if (_clientMaxPacket > 0 && length > _clientMaxPacket)
        {
            _refusals.Count("mqtt.client-takes-no-such-size");
            return false;
        }

        bool begins;
        lock (_writing)
        {
            if (_pending.WrittenCount > 0 && _pending.WrittenCount + length > _options.MaxPendingBytes)
            {
                _refusals.Count("mqtt.slow-reader");
                return false;
            }

            var span = _pending.GetSpan(length);
            span[0] = 0x30;
            var at = 1 + WriteVariable(span[1..], body);
            BinaryPrimitives.WriteUInt16BigEndian(span[at..], (ushort)topic.Length);
            at += 2;
            topic.CopyTo(span[at..]);
            at += topic.Length;
            if (properties > 0)
            {
                at += WriteVariable(span[at..], properties - 1);
                if (subscriptionIdentifier != 0)
                {
                    span[at++] = 0x0B;
                    at += WriteVariable(span[at..], (int)subscriptionIdentifier);
                }
            }

            payload.CopyTo(span[at..]);
            _pending.Advance(length);
            begins = BeginsFlush();
        }

        Flush(begins);
        return true;
    }

    void IThreadPoolWorkItem.Execute() => _ = FlushAsync();

    private async Task AcceptAsync(MqttConnAckPacket accepted)
    {
        accepted.MaximumPacketSize = (uint)_options.MaxPacketSize;
        accepted.TopicAliasMaximum = MostAliases;
        var isIn = accepted.ReasonCode == MqttConnectReasonCode.Success && accepted.ReturnCode == MqttConnectReturnCode.ConnectionAccepted;
        if (isIn)
        {
            ClientId = string.IsNullOrEmpty(accepted.AssignedClientIdentifier) ? ClientId : accepted.AssignedClientIdentifier;

            // An older connection of this client is over before this one begins: nothing of it comes after what is said here.
            if (_publisher.Find(ClientId) is { } older && !ReferenceEquals(older, this))
            {
                await older.AbortAndSettleAsync();
            }
        }

        Write(accepted);
        if (isIn)
        {
            _publisher.Connected(ClientId, this, accepted.IsSessionPresent);
        }
    }

    private bool IsOver(CancellationToken cancellation) => cancellation.IsCancellationRequested || _closing.IsCancellationRequested;

    /// <summary>Notes that a publish wants an acknowledgement; null when it wants none.</summary>
    private Acknowledgements.Owed? Owe(MqttPublishPacket publish)
    {
        if (publish.QualityOfServiceLevel == MqttQualityOfServiceLevel.AtMostOnce)
        {
            return null;
        }

        return Acknowledgements.TryExpect(publish.PacketIdentifier, publish.QualityOfServiceLevel == MqttQualityOfServiceLevel.ExactlyOnce, out var owed)
            ? owed
            : throw new MqttDoorException(MqttDoorException.Violation, $"packet identifier {publish.PacketIdentifier} is used again before its acknowledgement");
    }

    private void Acknowledge(MqttPacket acknowledgement)
    {
        // With an error the exchange of QoS 2 ends here, and the identifier is free for another message.
        if (IsVersion5 && acknowledgement is MqttPubRecPacket { ReasonCode: >= MqttPubRecReasonCode.UnspecifiedError } refused)
        {
            lock (_exactlyOnce)
            {
                _exactlyOnce.Remove(refused.PacketIdentifier);
            }
        }

        Write(acknowledgement);
    }

    /// <summary>Ends when less than the most that may wait is waiting.</summary>
    private Task Drained()
    {
        lock (_writing)
        {
            return _closed || _pending.WrittenCount < _options.MaxPendingBytes ? Task.CompletedTask : (_drained ??= NewSignal()).Task;
        }
    }

    /// <summary>The broker is told nothing of requests to twins: they leave here.</summary>
    private async ValueTask TakeAsync(RequestTopic topic, MqttPublishPacket publish, Acknowledgements.Owed? owed, CancellationToken cancellation)
    {
        var taken = _requests.TakeAsync(this, topic, publish, owed, cancellation);
        if (taken.IsCompletedSuccessfully)
        {
            return;
        }

        // The reader stands still until there is room again: TCP holds the client back. It is not silent meanwhile.
        _held = true;
        await taken;
        _held = false;
        _heard = _time.GetTimestamp();
    }

    /// <summary>Who sends and does not read what comes back is not read either, once too much waits for him.</summary>
    private async ValueTask ReadsAsync(CancellationToken cancellation)
    {
        var drained = Drained();
        if (drained.IsCompleted)
        {
            return;
        }

        _refusals.Count("mqtt.held-back");
        _held = true;
        await drained.WaitAsync(cancellation);
        _held = false;
        _heard = _time.GetTimestamp();
    }

    private bool TryDecode(out MqttPacket packet)
    {
        packet = null!;
        if (_to - _from < 2 || !MqttFrame.TryRead(_received.AsSpan(_from, _to - _from), _options.MaxPacketSize, out var frame))
        {
            return false;
        }

        if (_to - _from < frame.Length)
        {
            MakeRoom(frame.Length);
            return false;
        }

        var body = new ArraySegment<byte>(_received, _from + frame.HeaderLength, frame.BodyLength);
        _from += frame.Length;
        BytesReceived += frame.Length;
        packet = Decode(new ReceivedMqttPacket(frame.Header, body, frame.Length));
        return true;
    }

    private MqttPacket Decode(ReceivedMqttPacket received)
    {
        try
        {
            if (PacketFormatterAdapter.ProtocolVersion == MqttProtocolVersion.Unknown)
            {
                PacketFormatterAdapter.DetectProtocolVersion(received);
            }

            var packet = PacketFormatterAdapter.Decode(received);
            if (packet is MqttPublishPacket publish)
            {
                CheckPublish(publish);
            }

            return packet;
        }
        catch (Exception e) when (e is not MqttDoorException)
        {
            throw new MqttDoorException(MqttDoorException.Violation, e.Message);
        }
    }

    private void CheckPublish(MqttPublishPacket publish)
    {
        if ((int)publish.QualityOfServiceLevel > 2 || (publish.QualityOfServiceLevel > 0 && publish.PacketIdentifier == 0))
        {
            throw new MqttDoorException(MqttDoorException.Violation, "a PUBLISH with a QoS of 3, or with a QoS and no packet identifier");
        }

        if (publish.TopicAlias != 0)
        {
            // The broker never sees aliases: it would not learn those of requests.
            _aliases ??= [];
            if (string.IsNullOrEmpty(publish.Topic))
            {
                publish.Topic = _aliases.GetValueOrDefault(publish.TopicAlias, "");
            }
            else if (publish.TopicAlias <= MostAliases)
            {
                _aliases[publish.TopicAlias] = publish.Topic;
            }
            else
            {
                throw new MqttDoorException(MqttDoorException.Violation, $"topic alias {publish.TopicAlias}; at most {MostAliases} are granted");
            }

            publish.TopicAlias = 0;
        }

        if (string.IsNullOrEmpty(publish.Topic) || publish.Topic.AsSpan().IndexOfAny('+', '#', '\0') >= 0)
        {
            throw new MqttDoorException(MqttDoorException.Violation, "a PUBLISH without a topic, with an unknown alias, or to a filter with wildcards");
        }
    }

    /// <summary>Notes what the door itself needs of a packet that goes on to the broker.</summary>
    private MqttPacket Seen(MqttPacket packet)
    {
        switch (packet)
        {
            case MqttConnectPacket when _isConnecting:
                throw new MqttDoorException(MqttDoorException.Violation, "a second CONNECT");
            case MqttConnectPacket connect:
                _isConnecting = true;
                // A client without an id of its own gets one; only without a session, which nobody could find again.
                if (string.IsNullOrEmpty(connect.ClientId) && !IsVersion5 && connect.CleanSession)
                {
                    connect.ClientId = $"auto-{Guid.NewGuid():N}";
                }

                ClientId = connect.ClientId ?? "";
                _keepAlive = TimeSpan.FromSeconds(connect.KeepAlivePeriod);
                _clientMaxPacket = connect.MaximumPacketSize;
                connect.KeepAlivePeriod = 0; // The door keeps the time: the broker does not see requests to twins.
                break;
            case MqttSubscribePacket subscribe:
                subscribe.TopicFilters.ForEach(filter => Identify(filter.Topic, subscribe.SubscriptionIdentifier));
                break;
            case MqttUnsubscribePacket unsubscribe:
                unsubscribe.TopicFilters.ForEach(filter => Identify(filter, 0));
                break;
            case MqttPubRelPacket release:
                lock (_exactlyOnce)
                {
                    _exactlyOnce.Remove(release.PacketIdentifier);
                }

                break;
        }

        return packet;
    }

    private void Identify(string filter, uint identifier)
    {
        if (identifier > 0)
        {
            SubscriptionIdentifiers[filter] = identifier;
        }
        else
        {
            SubscriptionIdentifiers.Remove(filter);
        }
    }

    /// <summary>Whether a publish is new. A QoS 2 publish that comes again before its PUBREL is only acknowledged again.</summary>
    private bool IsFirstTime(MqttPublishPacket publish)
    {
        if (publish.QualityOfServiceLevel != MqttQualityOfServiceLevel.ExactlyOnce)
        {
            return true;
        }

        lock (_exactlyOnce)
        {
            if (_exactlyOnce.Add(publish.PacketIdentifier))
            {
                return true;
            }
        }

        if (!Acknowledgements.IsOwed(publish.PacketIdentifier))
        {
            Write(new MqttPubRecPacket { PacketIdentifier = publish.PacketIdentifier });
        }

        return false;
    }

    private async ValueTask<bool> FillAsync(CancellationToken cancellation)
    {
        if (_from == _to)
        {
            (_from, _to) = (0, 0);
            if (_received.Length > LargestKeptBuffer)
            {
                _received = new byte[FirstBuffer];
            }
        }
        else if (_to == _received.Length)
        {
            MakeRoom(Math.Min(2 * (_to - _from), _options.MaxPacketSize + 5));
        }

        var read = await _stream.ReadAsync(_received.AsMemory(_to), cancellation);
        _heard = _time.GetTimestamp();
        _to += read;
        return read > 0;
    }

    private void MakeRoom(int length)
    {
        var waiting = _received.AsSpan(_from, _to - _from);
        if (length > _received.Length)
        {
            // It grows with what has arrived, not with what was announced.
            var larger = new byte[Math.Min(length, Math.Max(2 * _received.Length, 2 * waiting.Length))];
            waiting.CopyTo(larger);
            _received = larger;
        }
        else if (_from > 0)
        {
            waiting.CopyTo(_received);
        }
        else
        {
            return;
        }

        (_from, _to) = (0, waiting.Length);
    }

    private void Write(MqttPacket packet)
    {
        bool begins;
        lock (_writing)
        {
            var encoded = PacketFormatterAdapter.Encode(packet);
            _pending.Write(encoded.Packet);
            foreach (var part in encoded.Payload)
            {
                _pending.Write(part.Span);
            }

            PacketFormatterAdapter.Cleanup();
            begins = BeginsFlush();
        }

        Flush(begins);
    }

    private bool BeginsFlush() => !_flushing && (_flushing = true);

    // With others under way it is left to the pool: what is written in the same moment goes out with the same system call. A single
    // answer goes at once: nothing would join it, and a thread less has to wake.
    private void Flush(bool begins)
    {
        if (!begins)
        {
            return;
        }

        if (_requests.UnderWay > 1)
        {
            ThreadPool.UnsafeQueueUserWorkItem(this, preferLocal: false);
        }
        else
        {
            _ = FlushAsync();
        }
    }

    private async Task FlushAsync()
    {
        try
        {
            while (TakePending())
            {
                await _stream.WriteAsync(_leaving.WrittenMemory, _closing.Token);
                BytesSent += _leaving.WrittenCount;
                _leaving.ResetWrittenCount();
                if (_leaving.Capacity > LargestKeptBuffer)
                {
                    _leaving = new ArrayBufferWriter<byte>(FirstBuffer);
                }
            }
        }
        catch (Exception e) when (e is IOException or SocketException or ObjectDisposedException or OperationCanceledException)
        {
            Abort();
        }
    }

    private bool TakePending()
    {
        lock (_writing)
        {
            _drained?.TrySetResult();
            _drained = null;
            if (_pending.WrittenCount == 0)
            {
                _flushing = false;
                _written?.TrySetResult();
                return false;
            }

            (_pending, _leaving) = (_leaving, _pending);
            return true;
        }
    }

    private Task Written()
    {
        lock (_writing)
        {
            return _flushing && !_closed ? (_written ??= NewSignal()).Task : Task.CompletedTask;
        }
    }

    private static TaskCompletionSource NewSignal() => new(TaskCreationOptions.RunContinuationsAsynchronously);

    private static int VariableLength(int value) => value switch { < 128 => 1, < 16_384 => 2, < 2_097_152 => 3, _ => 4 };

    private static int WriteVariable(Span<byte> span, int value)
    {
        var at = 0;
        do
        {
            span[at++] = (byte)((value & 0x7F) | (value > 127 ? 0x80 : 0));
            value >>= 7;
        }
        while (value > 0);
        return at;
    }

    [LoggerMessage(LogLevel.Warning, "Closed the connection of MQTT client '{Client}' at {Address}: {Reason}")]
    private partial void LogBroken(string client, EndPoint? address, string reason);
}
