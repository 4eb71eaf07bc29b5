using System.Buffers;
using System.Collections.Concurrent;
using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Text;
using EdgeOrleans.Modules;
using EdgeOrleans.Mqtt;
using Microsoft.Extensions.Logging;
using MQTTnet.Formatter;
using MQTTnet.Packets;
using MQTTnet.Protocol;

namespace EdgeOrleans.Edge.EventBus;

/// <summary>
/// One connection to a broker outside, as its client. It reads in order and holds the broker back while too much is under way; a message
/// is acknowledged when what it asks for is on disk.
/// </summary>
internal sealed partial class OutsideConnection : IMqttPeer, MqttSender.IOwner, IDisposable
{
    private const int LargestKeptBuffer = 16_384;
    private const int UnderWay = 256;

    // MQTT 3.1.1 cannot tell a broker what is too large; it would send it again and again. So much more is read, and passed over.
    private const int LargerThanTaken = 16;
    private const int LargestPacket = 256 * 1_024 * 1_024;

    public static readonly TimeSpan KeepAlive = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan Tick = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan LastWords = TimeSpan.FromSeconds(1);

    private readonly Stream _stream;
    private readonly bool _isVersion5;
    private readonly bool _echoes;
    private readonly OutsideInbox _inbox;
    private readonly EventBusOptions _options;
    private readonly Refusals _refusals;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly MqttPacketFormatterAdapter _formatter;
    private readonly MqttReceiver _receiver;
    private readonly MqttSender _sender;
    private readonly CancellationTokenSource _closing = new();
    private readonly ConcurrentDictionary<ushort, IReadOnlyList<string>> _asked = [];
    private long _heard;
    private int _lastId;
    private volatile bool _held;
    private volatile bool _hearsNoMore;

    public OutsideConnection(
        Stream stream, EndPoint? remote, OutsideDialect dialect, OutsideInbox inbox, EventBusOptions options, Refusals refusals, TimeProvider time, ILogger logger)
    {
        (_stream, RemoteEndPoint, _isVersion5, _inbox, _options) = (stream, remote, dialect.IsVersion5, inbox, options);
        (_refusals, _time, _logger, _echoes) = (refusals, time, logger, dialect.Echoes);
        _formatter = new MqttPacketFormatterAdapter(dialect.Version, new MqttBufferWriter(512, LargestKeptBuffer));
        var largest = _isVersion5 ? options.MaxPacketSize : (int)Math.Min((long)options.MaxPacketSize * LargerThanTaken, LargestPacket);
        _receiver = new MqttReceiver(stream, largest, _formatter, ofBroker: true);
        _sender = new MqttSender(stream, options.MaxPendingBytes, _formatter, this);
        Acknowledgements = new Acknowledgements(_sender.Write);
        Window = new RequestWindow(UnderWay);
        _heard = time.GetTimestamp();
    }

    public EndPoint? RemoteEndPoint { get; }

    public bool IsVersion5 => _isVersion5;

    public Session? Session { get; private set; }

    public RequestWindow Window { get; }

    public Acknowledgements Acknowledgements { get; }

    public int ReceiveMaximum { get; private set; } = ushort.MaxValue;

    /// <summary>What has gone to and fro, seen from the node's broker: received is what the broker outside has sent.</summary>
    public MqttTraffic Traffic => MqttViews.Of(_receiver, _sender);

    /// <summary>The MQTT that is spoken over it.</summary>
    public MqttProtocolVersion Version => _formatter.ProtocolVersion;

    /// <summary>When the broker let the node in.</summary>
    public DateTimeOffset Since { get; private set; }

    /// <summary>Whether what goes over it is encrypted.</summary>
    public bool IsTls => _stream is SslStream;

    /// <summary>The user as whom the node is there; empty for none.</summary>
    public string User => _options.MqttUsername;

    /// <summary>Why it ended, in the broker's words or ours; empty when the broker just went.</summary>
    public string Why { get; private set; } = "";

    bool MqttSender.IOwner.IsBusy => _inbox.IsBusy;

    CancellationToken MqttSender.IOwner.Closing => _closing.Token;

    /// <summary>Says CONNECT and waits for what the broker says to it.</summary>
    /// <exception cref="OutsideException">The broker does not let the node in.</exception>
    public async Task<MqttConnAckPacket> ConnectAsync(MqttConnectPacket connect, CancellationToken cancellation)
    {
        Write(connect);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellation, _closing.Token);
        MqttPacket packet;
        try
        {
            while (!_receiver.TryRead(out packet, out _))
            {
                if (!await _receiver.FillAsync(either.Token))
                {
                    throw new OutsideException("the broker ended the connection without a word") { IsDialect = true };
                }
            }
        }
        catch (MqttDoorException e)
        {
            throw new OutsideException($"the broker answered what is no CONNACK: {e.Message}", e) { IsDialect = true };
        }
        catch (Exception e) when (e is IOException or SocketException or ObjectDisposedException)
        {
            throw new OutsideException("the broker ended the connection without a word", e) { IsDialect = true };
        }

        return packet is MqttConnAckPacket answer ? Accepted(answer) : throw new OutsideException($"the broker answered CONNECT with {packet.GetType().Name}");
    }

    /// <summary>What waits in the session leaves from now on.</summary>
    public void Attach(Session session)
    {
        Session = session;
        session.Attach(this);
    }

    /// <summary>Reads until the connection is over.</summary>
    public async Task RunAsync()
    {
        await using var pings = _time.CreateTimer(static self => ((OutsideConnection)self!).Ping(), this, Tick, Tick);
        try
        {
            while (!_closing.IsCancellationRequested)
            {
                while (!_closing.IsCancellationRequested && _receiver.TryRead(out var packet, out _))
                {
                    await OnAsync(packet);
                }

                if (!await _receiver.FillAsync(_closing.Token))
                {
                    return;
                }

                _heard = _time.GetTimestamp();
            }
        }
        catch (MqttDoorException e)
        {
            _refusals.Count("mqtt.outside-violation");
            Why = $"the broker broke a rule of MQTT: {e.Message}";
        }
        catch (Exception e) when (e is IOException or SocketException or ObjectDisposedException or OperationCanceledException)
        {
            // The connection is over: that is all there is to say.
        }
    }

    public void Subscribe(IReadOnlyList<string> filters)
    {
        if (filters.Count == 0)
        {
            return;
        }

        // QoS 1, as edgecore does. What the node publishes itself does not come back.
        var id = NextId();
        _asked[id] = filters;
        Write(new MqttSubscribePacket
        {
            PacketIdentifier = id,
            TopicFilters =
            [
                .. filters.Select(filter => new MqttTopicFilter
                {
                    Topic = filter,
                    QualityOfServiceLevel = MqttQualityOfServiceLevel.AtLeastOnce,
                    NoLocal = _isVersion5,
                }),
            ],
        });
    }

    public void Unsubscribe(IReadOnlyList<string> filters)
    {
        if (filters.Count > 0)
        {
            Write(new MqttUnsubscribePacket { PacketIdentifier = NextId(), TopicFilters = [.. filters] });
        }
    }

    public Written Append(MqttMessage message, in PublishHead head, bool waits, ref bool begins)
    {
        if (_echoes && _inbox.Listens(message.Topic))
        {
            _inbox.Echoes.Sent(message.TopicUtf8, message.Payload.Span);
        }

        return _sender.Append(message.TopicUtf8, message.Payload.Span, head, waits, ref begins);
    }

    public void Flush(bool begins) => _sender.Flush(begins);

    public void Write(MqttPacket packet) => _sender.Write(packet);

    public void TryPublish(ReadOnlySpan<byte> topic, ReadOnlySpan<byte> payload, in PublishHead head)
    {
        var begins = false;
        _sender.Append(topic, payload, head, waits: false, ref begins);
        Flush(begins);
    }

    public void Acknowledge(Acknowledgements.Owed? owed, MqttPubAckReasonCode reason)
    {
        if (owed is not null)
        {
            _inbox.Done(owed.Topic);
            Acknowledgements.Ready(owed, new MqttPubAckPacket { PacketIdentifier = owed.PacketId, ReasonCode = reason });
        }
    }

    /// <summary>
    /// What is not on disk is not acknowledged: the connection ends, and the broker sends it again. One that fails every time would hold up
    /// all others: it is acknowledged in the end, its device has heard that it failed.
    /// </summary>
    public void NotDone(Acknowledgements.Owed? owed)
    {
        if (owed is null)
        {
            return;
        }

        if (_inbox.Fails(owed.Topic))
        {
            _refusals.Count("mqtt.outside-failed");
            Acknowledge(owed, MqttPubAckReasonCode.UnspecifiedError);
            return;
        }

        Why = $"a message to {owed.Topic} could not be carried out; the broker sends it again";
        Abort();
    }

    public Task GiveWayAsync() => DisconnectAsync(CancellationToken.None);

    /// <summary>Takes no more messages; what is under way is brought to its end, and so is what waits to be sent, within the time.</summary>
    public async Task DrainAsync(TimeSpan patience)
    {
        _hearsNoMore = true;
        var begin = _time.GetTimestamp();
        while (!_closing.IsCancellationRequested && (Window.Taken > 0 || Session?.Load.Messages > 0) && _time.GetElapsedTime(begin) < patience)
        {
            await Task.Delay(TimeSpan.FromMilliseconds(10), _time);
        }

        Write(new MqttDisconnectPacket { ReasonCode = MqttDisconnectReasonCode.NormalDisconnection });
        await DisconnectAsync(CancellationToken.None);
    }

    public async Task DisconnectAsync(CancellationToken cancellationToken)
    {
        try
        {
            await _sender.WrittenOut().WaitAsync(LastWords, _time, cancellationToken);
        }
        catch (Exception e) when (e is TimeoutException or OperationCanceledException)
        {
            // It does not read: it does not hear.
        }

        Abort();
    }

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
        _sender.Close();
    }

    public void Dispose()
    {
        Abort();
        _closing.Dispose();
    }

    void IThreadPoolWorkItem.Execute() => _ = _sender.FlushAsync();

    void MqttSender.IOwner.Drained() => Session?.Pump();

    private MqttConnAckPacket Accepted(MqttConnAckPacket answer)
    {
        var isIn = _isVersion5 ? answer.ReasonCode == MqttConnectReasonCode.Success : answer.ReturnCode == MqttConnectReturnCode.ConnectionAccepted;
        if (!isIn)
        {
            var said = _isVersion5 ? $"{answer.ReasonCode}{(answer.ReasonString is { Length: > 0 } why ? $" ({why})" : "")}" : $"{answer.ReturnCode}";
            throw new OutsideException($"the broker does not let the node in: {said}")
            {
                IsDialect = answer.ReasonCode == MqttConnectReasonCode.UnsupportedProtocolVersion
                    || answer.ReturnCode == MqttConnectReturnCode.ConnectionRefusedUnacceptableProtocolVersion,
            };
        }

        if (_isVersion5)
        {
            if (answer.MaximumQoS == MqttQualityOfServiceLevel.AtMostOnce)
            {
                throw new OutsideException("the broker takes no messages with QoS 1");
            }

            ReceiveMaximum = answer.ReceiveMaximum == 0 ? ushort.MaxValue : answer.ReceiveMaximum;
            _sender.LargestPacket = answer.MaximumPacketSize;
        }

        Since = _time.GetUtcNow();
        return answer;
    }

    private async ValueTask OnAsync(MqttPacket packet)
    {
        switch (packet)
        {
            case MqttPublishPacket publish:
                await OnPublishAsync(publish);
                break;
            case MqttPubAckPacket acknowledged:
                OnAcknowledged(acknowledged);
                break;
            case MqttSubAckPacket granted:
                OnGranted(granted);
                break;
            case MqttUnsubAckPacket or MqttPingRespPacket:
                break;
            case MqttDisconnectPacket goodbye:
                Why = $"the broker ended the connection: {goodbye.ReasonCode}{(goodbye.ReasonString is { Length: > 0 } why ? $" ({why})" : "")}";
                Abort();
                break;
            default:
                throw MqttRules.Violation($"{packet.GetType().Name} from a broker");
        }
    }

    private async ValueTask OnPublishAsync(MqttPublishPacket publish)
    {
        Acknowledgements.Owed? owed = null;
        if (_hearsNoMore)
        {
            return;
        }

        switch (publish.QualityOfServiceLevel)
        {
            case MqttQualityOfServiceLevel.AtLeastOnce when !Acknowledgements.TryExpect(publish.PacketIdentifier, received: false, out owed):
                // It has come again before its acknowledgement, which is on its way.
                return;
            case MqttQualityOfServiceLevel.ExactlyOnce:
                throw MqttRules.Violation($"a message with QoS 2 to {publish.Topic}; the node subscribes with QoS 1. Does somebody else use this client identifier?");
        }

        if (owed is not null)
        {
            owed.Topic = publish.Topic;
        }

        if (_echoes && _inbox.Echoes.TryTake(Encoding.UTF8.GetBytes(publish.Topic), publish.Payload.ToArray()))
        {
            Acknowledge(owed, MqttPubAckReasonCode.Success);
            return;
        }

        if (publish.Payload.Length > _options.MaxPacketSize)
        {
            _refusals.Count(MqttDoorException.TooLarge);
            LogTooLarge(publish.Topic, publish.Payload.Length, _options.MaxPacketSize);
            Acknowledge(owed, MqttPubAckReasonCode.QuotaExceeded);
            return;
        }

        var taken = _inbox.TakeAsync(this, publish, owed, _closing.Token);
        if (!taken.IsCompletedSuccessfully)
        {
            _held = true;
            await taken;
            _held = false;
            _heard = _time.GetTimestamp();
        }
    }

    private void OnAcknowledged(MqttPubAckPacket acknowledged)
    {
        if (_isVersion5 && acknowledged.ReasonCode >= MqttPubAckReasonCode.UnspecifiedError)
        {
            _refusals.Count("mqtt.outside-refused");
            LogRefused(acknowledged.ReasonCode, acknowledged.ReasonString ?? "");
        }

        Session?.Acknowledged(acknowledged.PacketIdentifier);
    }

    private void OnGranted(MqttSubAckPacket granted)
    {
        if (!_asked.TryRemove(granted.PacketIdentifier, out var filters))
        {
            return;
        }

        foreach (var (filter, code) in filters.Zip(granted.ReasonCodes))
        {
            if (code > MqttSubscribeReasonCode.GrantedQoS2)
            {
                _refusals.Count("mqtt.outside-not-subscribed");
                LogNotSubscribed(filter, code);
            }
        }
    }

    private void Ping()
    {
        if (_held)
        {
            return;
        }

        if (_time.GetElapsedTime(Volatile.Read(ref _heard)) > KeepAlive)
        {
            Why = $"the broker was silent for {KeepAlive.TotalSeconds:0} s";
            Abort();
            return;
        }

        Write(MqttPingReqPacket.Instance);
    }

    private ushort NextId()
    {
        // Apart from the identifiers of the session's messages, which begin at 1: these are few and answered at once.
        var id = Interlocked.Decrement(ref _lastId);
        return (ushort)(ushort.MaxValue + (id % 1_000));
    }

    [LoggerMessage(LogLevel.Warning, "A message of {Size} bytes to {Topic} came from the broker outside; at most {Most} are taken, and it is passed over")]
    private partial void LogTooLarge(string topic, long size, int most);

    [LoggerMessage(LogLevel.Warning, "The broker outside does not take what the node publishes: {Reason} {Said}")]
    private partial void LogRefused(MqttPubAckReasonCode reason, string said);

    [LoggerMessage(LogLevel.Warning, "The broker outside does not let the node listen to {Filter}: {Reason}")]
    private partial void LogNotSubscribed(string filter, MqttSubscribeReasonCode reason);
}
