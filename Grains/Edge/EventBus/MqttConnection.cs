using System.ComponentModel;
using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;
using EdgeOrleans.Edge.EventBus.Access;
using EdgeOrleans.Modules;
using EdgeOrleans.Mqtt;
using Microsoft.Extensions.Logging;
using MQTTnet.Formatter;
using MQTTnet.Packets;
using MQTTnet.Protocol;

namespace EdgeOrleans.Edge.EventBus;

/// <summary>
/// One client's connection: it reads packets in order and gives each to whom it is for. Requests to twins leave here for the beehive,
/// everything else goes to the broker. It bounds what a client can make us hold.
/// </summary>
internal sealed partial class MqttConnection : IMqttPeer, MqttSender.IOwner, IDisposable
{
    private const int LargestKeptBuffer = 16_384;

    // No reason of ours is longer.
    private const int SmallPacket = 512;

    // So often a client that never stops sending lets others have the thread.
    private const int FillsOfATurn = 64;

    private static readonly TimeSpan LastWords = TimeSpan.FromSeconds(1);

    private readonly Stream _stream;
    private readonly BrokerCertificates? _tls;
    private readonly ShownCertificates? _shown;
    private readonly EventBusOptions _options;
    private readonly MqttBroker _broker;
    private readonly TwinRequests _requests;
    private readonly Refusals _refusals;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly MqttPacketFormatterAdapter _formatter;
    private readonly MqttReceiver _receiver;
    private readonly MqttSender _sender;
    private readonly CancellationTokenSource _closing = new();
    private readonly TaskCompletionSource _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);

    private Session? _session;
    private long _heard;
    private TimeSpan _keepAlive;
    private volatile bool _held;

    public MqttConnection(
        Stream stream,
        BrokerCertificates? tls,
        EndPoint? remote,
        EventBusOptions options,
        MqttBroker broker,
        TwinRequests requests,
        Refusals refusals,
        TimeProvider time,
        ILogger logger)
    {
        (_stream, _tls, _options, _broker, _requests, _refusals, _time, _logger) = (stream, tls, options, broker, requests, refusals, time, logger);
        RemoteEndPoint = remote;
        _shown = tls is null ? null : new ShownCertificates();
        _formatter = new MqttPacketFormatterAdapter(new MqttBufferWriter(512, LargestKeptBuffer));
        _receiver = new MqttReceiver(stream, options.MaxPacketSize, _formatter);
        _sender = new MqttSender(stream, options.MaxPendingBytes, _formatter, this);
        Acknowledgements = new Acknowledgements(_sender.Write);
        Window = new RequestWindow(options.MaxRequestsUnderWay);
        _heard = time.GetTimestamp();
    }

    public EndPoint? RemoteEndPoint { get; }

    public string ClientId { get; private set; } = "";

    public long BytesReceived => _receiver.BytesReceived;

    public long BytesSent => _sender.BytesSent;

    /// <summary>How large its buffers are, in bytes.</summary>
    public long Buffers => _receiver.Buffer + _sender.Buffers;

    /// <summary>What has gone to and fro. Each number has one writer, and who reads them sees each as it is about now.</summary>
    public MqttTraffic Traffic => MqttViews.Of(_receiver, _sender);

    /// <summary>The MQTT that its client speaks.</summary>
    public MqttProtocolVersion Version => _formatter.ProtocolVersion;

    /// <summary>When its CONNECT was accepted.</summary>
    public DateTimeOffset Since { get; private set; }

    /// <summary>The keep-alive that holds for it; zero for none.</summary>
    public TimeSpan KeepAlive => _keepAlive;

    /// <summary>Whether its client began anew.</summary>
    public bool IsClean { get; private set; }

    public bool IsVersion5 => _formatter.ProtocolVersion == MqttProtocolVersion.V500;

    /// <summary>Whether its client is a bridge to another broker.</summary>
    public bool IsBridge => _receiver.IsBridge;

    /// <summary>Whether what goes over it is encrypted.</summary>
    public bool IsTls => _tls is not null;

    /// <summary>The user that its client's certificate names; null without one.</summary>
    public string? CertificateUser { get; private set; }

    /// <summary>The serial number of its client's certificate; null without one.</summary>
    public string? CertificateSerial => _shown?.All is [var own, ..] ? own.Serial : null;

    /// <summary>Whether its client's certificate, or one above it, was revoked.</summary>
    public bool IsRevoked => _tls is not null && _tls.IsRevoked(_shown!.All);

    /// <summary>Ends when the connection does.</summary>
    public CancellationToken Closing => _closing.Token;

    /// <summary>Whether its CONNECT was accepted.</summary>
    public bool IsIn => _session is not null;

    /// <summary>Whether its CONNECT is here.</summary>
    public bool HasSpoken { get; private set; }

    /// <summary>Whether it has ended, or is about to.</summary>
    public bool IsOver => _closing.IsCancellationRequested;

    public Session? Session => _session;

    public RequestWindow Window { get; }

    public Acknowledgements Acknowledgements { get; }

    public int ReceiveMaximum { get; private set; } = ushort.MaxValue;

    /// <summary>Whether the client has been silent for one and a half of its keep-alive. Held back by us it may be silent.</summary>
    public bool IsSilent => _keepAlive > TimeSpan.Zero && !_held && _time.GetElapsedTime(_heard) > _keepAlive * 1.5;

    bool MqttSender.IOwner.IsBusy => _requests.UnderWay > 1;

    CancellationToken MqttSender.IOwner.Closing => _closing.Token;

    /// <summary>Serves the client until its connection ends.</summary>
    public async Task RunAsync()
    {
        try
        {
            if (await ConnectAsync())
            {
                await ServeAsync();
            }
        }
        catch (MqttDoorException broken)
        {
            await RefuseAsync(broken);
        }
        catch (Exception e) when (e is IOException or SocketException or ObjectDisposedException or OperationCanceledException)
        {
            // The connection is over: that is all there is to say.
        }
    }

    /// <summary>Ends the connection when what was said last is on its way: a refusal is heard before the line goes dead.</summary>
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

    /// <summary>Ends the connection, and tells a client of MQTT 5 why.</summary>
    public Task DisconnectAsync(MqttDisconnectReasonCode reason)
    {
        if (IsVersion5)
        {
            Write(new MqttDisconnectPacket { ReasonCode = reason });
        }

        return DisconnectAsync(CancellationToken.None);
    }

    public void Dispose()
    {
        Abort();
        _closing.Dispose();
    }

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
        _sender.Close();
    }

    /// <summary>
    /// Ends the connection because its client has come again. It returns when nothing that it had read is still on its way, and the
    /// session is free.
    /// </summary>
    public Task GiveWayAsync() => GiveWayAsync(MqttDisconnectReasonCode.SessionTakenOver);

    /// <summary>Ends the connection with a reason; it returns when nothing that it had read is still on its way, and the session is free.</summary>
    public async Task GiveWayAsync(MqttDisconnectReasonCode reason)
    {
        await DisconnectAsync(reason);
        await _ended.Task.WaitAsync(_options.RequestTimeout, _time).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }

    /// <summary>Nothing more comes of this connection.</summary>
    public void End()
    {
        Dispose();
        _broker.Gone(this);
        if (_session is { } session)
        {
            _broker.Lost(this, session);
        }

        _ended.TrySetResult();
    }

    public void Write(MqttPacket packet) => _sender.Write(packet);

    public Written Append(MqttMessage message, in PublishHead head, bool waits, ref bool begins) =>
        _sender.Append(message.TopicUtf8, message.Payload.Span, head, waits, ref begins);

    public void Flush(bool begins) => _sender.Flush(begins);

    public void TryPublish(ReadOnlySpan<byte> topic, ReadOnlySpan<byte> payload, in PublishHead head)
    {
        var begins = false;
        switch (_sender.Append(topic, payload, head, waits: false, ref begins))
        {
            case Written.Full:
                _session!.Losses.SlowReader();
                break;
            case Written.TooLarge:
                _session!.Losses.TooLarge();
                break;
        }

        Flush(begins);
    }

    /// <summary>The connection's client is known, and its CONNECT was accepted.</summary>
    public void Accepted(Session session, MqttConnectPacket connect, TimeSpan keepAlive)
    {
        (ClientId, Since, IsClean) = (session.ClientId, _time.GetUtcNow(), connect.CleanSession);
        (_session, _keepAlive) = (session, keepAlive);
        _sender.LargestPacket = connect.MaximumPacketSize;
        ReceiveMaximum = connect.ReceiveMaximum == 0 ? ushort.MaxValue : connect.ReceiveMaximum;
    }

    public void Acknowledge(Acknowledgements.Owed? owed, MqttPubAckReasonCode reason)
    {
        if (owed is null)
        {
            return;
        }

        // MQTT 3.1.1 has no reason code: there every acknowledgement reads as "taken", and the result topic says what came of it.
        if (!owed.IsReceived)
        {
            Acknowledgements.Ready(owed, new MqttPubAckPacket { PacketIdentifier = owed.PacketId, ReasonCode = reason });
            return;
        }

        _ = AnswerAsync(owed, new MqttPubRecPacket { PacketIdentifier = owed.PacketId, ReasonCode = (MqttPubRecReasonCode)reason });
    }

    /// <summary>
    /// A publish was not carried out, and the client should send it again: MQTT 5 hears why, MQTT 3.1.1 is disconnected without an
    /// acknowledgement. What is not on disk is never acknowledged.
    /// </summary>
    public void NotDone(Acknowledgements.Owed? owed)
    {
        if (owed is null)
        {
            return;
        }

        if (IsVersion5)
        {
            Acknowledge(owed, MqttPubAckReasonCode.UnspecifiedError);
            return;
        }

        if (owed.IsReceived)
        {
            _session!.Incoming.Forget(owed.PacketId);
            if (_session.Connection is { } current && !ReferenceEquals(current, this) && current.Acknowledgements.IsOwed(owed.PacketId))
            {
                // It has come again on another connection, which would wait for its answer.
                _ = current.DisconnectAsync(CancellationToken.None);
            }
        }

        _ = DisconnectAsync(CancellationToken.None);
    }

    void IThreadPoolWorkItem.Execute() => _ = _sender.FlushAsync();

    void MqttSender.IOwner.Drained() => _session?.Pump();

    private async Task<bool> ConnectAsync()
    {
        using var late = new CancellationTokenSource(_options.ConnectTimeout, _time);
        await using var ends = late.Token.UnsafeRegister(static self => ((MqttConnection)self!).Abort(), this);
        MqttPacket packet;
        PacketFacts facts;
        try
        {
            if (_tls is { } tls && !await SecureAsync((SslStream)_stream, tls, _shown!))
            {
                return false;
            }

            while (!_receiver.TryRead(out packet, out facts))
            {
                if (!await _receiver.FillAsync(_closing.Token))
                {
                    return false;
                }
            }
        }
        catch (Exception e) when (late.IsCancellationRequested && e is not MqttDoorException)
        {
            _refusals.Count("mqtt.no-connect");
            return false;
        }

        HasSpoken = true;
        late.CancelAfter(Timeout.InfiniteTimeSpan);
        return await _broker.AcceptAsync(this, (MqttConnectPacket)packet, facts);
    }

    private async Task<bool> SecureAsync(SslStream stream, BrokerCertificates tls, ShownCertificates shown)
    {
        try
        {
            await stream.AuthenticateAsServerAsync(tls.ForHandshake(shown), _closing.Token);
        }
        catch (Exception e) when (e is AuthenticationException or Win32Exception)
        {
            _refusals.Count(shown.IsRefused ? "mqtt.certificate-revoked" : "mqtt.tls-failed");
            LogNotSecure(RemoteEndPoint, shown.IsRefused ? $"its certificate {CertificateSerial} is revoked" : (e.InnerException ?? e).Message);
            return false;
        }

        if (stream.RemoteCertificate is not X509Certificate2 certificate)
        {
            return true;
        }

        if (!CertificateNames.TryRead(certificate, reserved: "", out var user, out var reason))
        {
            _refusals.Count("mqtt.bad-certificate");
            LogNotSecure(RemoteEndPoint, reason);
            return false;
        }

        CertificateUser = user;
        return true;
    }

    private async Task ServeAsync()
    {
        for (var fills = 1; ; fills++)
        {
            // What a connection that is over had still read is not carried out: its client may be here again, with newer values.
            while (!_closing.IsCancellationRequested && _receiver.TryRead(out var packet, out var facts))
            {
                await ReadsAsync();
                if (packet is MqttPublishPacket publish)
                {
                    await OnPublishAsync(publish, facts);
                }
                else if (!await OnAsync(packet, facts))
                {
                    return;
                }
            }

            if (_closing.IsCancellationRequested || !await _receiver.FillAsync(_closing.Token))
            {
                return;
            }

            _heard = _time.GetTimestamp();
            if (fills % FillsOfATurn == 0)
            {
                await Task.Yield();
            }
        }
    }

    /// <returns>False when it was the last packet.</returns>
    private async ValueTask<bool> OnAsync(MqttPacket packet, PacketFacts facts)
    {
        var session = _session!;
        switch (packet)
        {
            case MqttPubAckPacket acknowledged:
                session.Acknowledged(acknowledged.PacketIdentifier);
                return true;
            case MqttPubRecPacket received:
                session.ReceivedByClient(this, received);
                return true;
            case MqttPubCompPacket completed:
                session.Completed(completed.PacketIdentifier);
                return true;
            case MqttPubRelPacket release:
                _ = session.Incoming.ReleaseAsync(this, release.PacketIdentifier);
                return true;
            case MqttSubscribePacket subscribe:
                await HoldAsync(_broker.SubscribeAsync(this, session, subscribe));
                return true;
            case MqttUnsubscribePacket unsubscribe:
                await HoldAsync(_broker.UnsubscribeAsync(this, session, unsubscribe));
                return true;
            case MqttPingReqPacket:
                Write(MqttPingRespPacket.Instance);
                return true;
            case MqttDisconnectPacket disconnect:
                await HoldAsync(_broker.SaidGoodbyeAsync(session, disconnect, facts));
                return false;
            default:
                throw MqttRules.Violation("a second CONNECT, or a packet that a client does not send");
        }
    }

    private async ValueTask OnPublishAsync(MqttPublishPacket publish, PacketFacts facts)
    {
        if (!IsFirstTime(publish, out var owed))
        {
            return;
        }

        var topic = _requests.Read(publish.Topic);
        if (!_broker.MayPublish(_session!, topic))
        {
            Acknowledge(owed, MqttPubAckReasonCode.NotAuthorized);
            return;
        }

        try
        {
            var taken = topic.Kind is TopicKind.Free or TopicKind.Unknown
                ? _broker.PassAsync(this, topic, publish, facts, owed, _closing.Token)
                : _requests.TakeAsync(this, topic, publish, owed, _closing.Token);
            if (!taken.IsCompletedSuccessfully)
            {
                // The reader stands still until there is room again: TCP holds the client back. It is not silent meanwhile.
                await HoldAsync(taken.AsTask());
            }
        }
        catch (OperationCanceledException)
        {
            // It was read and not carried out: when it comes again it is new.
            if (owed is { IsReceived: true })
            {
                _session!.Incoming.Forget(owed.PacketId);
            }

            throw;
        }
    }

    /// <summary>Whether a publish is new. One that comes again is not carried out again where that can be known.</summary>
    private bool IsFirstTime(MqttPublishPacket publish, out Acknowledgements.Owed? owed)
    {
        var id = publish.PacketIdentifier;
        owed = null;
        switch (publish.QualityOfServiceLevel)
        {
            case MqttQualityOfServiceLevel.AtMostOnce:
                return true;
            case MqttQualityOfServiceLevel.AtLeastOnce:
                // Only what came on this connection, and is still without its acknowledgement, is known to be the same.
                return Acknowledgements.TryExpect(id, received: false, out owed) ? true : publish.Dup ? false : throw UsedAgain(id);
            default:
                return _session!.Incoming.TryTake(id, IsVersion5)
                    ? Acknowledgements.TryExpect(id, received: true, out owed) ? true : throw UsedAgain(id)
                    : Acknowledgements.TryExpect(id, received: true, out owed) && !IsAnsweredAgain(owed);
        }
    }

    // What is known is answered; what is still under way, from an older connection, is answered when it is known. If it has failed in this
    // moment it is new after all.
    private bool IsAnsweredAgain(Acknowledgements.Owed owed)
    {
        if (_session!.Incoming.TryFind(owed.PacketId, out var answer))
        {
            if (answer is not null)
            {
                Acknowledgements.Ready(owed, answer);
            }

            return true;
        }

        return !_session.Incoming.TryTake(owed.PacketId, IsVersion5);
    }

    private static MqttDoorException UsedAgain(ushort id) =>
        MqttRules.Violation($"packet identifier {id} is used again before its acknowledgement");

    private async Task AnswerAsync(Acknowledgements.Owed owed, MqttPubRecPacket answer)
    {
        if (!await _session!.Incoming.TryAnswerAsync(answer, IsVersion5))
        {
            NotDone(owed);
            return;
        }

        Acknowledgements.Ready(owed, answer);
        if (_session.Connection is { } current && !ReferenceEquals(current, this))
        {
            // The client has come again meanwhile, and has sent it again.
            current.Acknowledgements.ReadyIfOwed(owed.PacketId, answer);
        }
    }

    private async Task HoldAsync(Task work)
    {
        if (work.IsCompletedSuccessfully)
        {
            return;
        }

        _held = true;
        await work;
        _held = false;
        _heard = _time.GetTimestamp();
    }

    /// <summary>Who sends and does not read what comes back is not read either, once too much waits for him.</summary>
    private async ValueTask ReadsAsync()
    {
        var drained = _sender.Drained();
        if (drained.IsCompleted)
        {
            return;
        }

        _refusals.Count("mqtt.held-back");
        await HoldAsync(drained.WaitAsync(_closing.Token));
    }

    private async Task RefuseAsync(MqttDoorException broken)
    {
        _refusals.Count(broken.Reason);
        LogBroken(ClientId, RemoteEndPoint, broken.Message);
        if (broken.Farewell.Length > 0)
        {
            _sender.WriteRaw(broken.Farewell);
        }
        else if (IsVersion5 && IsIn)
        {
            var takesReasons = _sender.LargestPacket is 0 or > SmallPacket;
            Write(new MqttDisconnectPacket { ReasonCode = broken.Code, ReasonString = takesReasons ? broken.Message : null });
        }
        else if (IsVersion5)
        {
            Write(new MqttConnAckPacket
            {
                ReasonCode = (MqttConnectReasonCode)broken.Code,
                RetainAvailable = true,
                WildcardSubscriptionAvailable = true,
                SubscriptionIdentifiersAvailable = true,
                SharedSubscriptionAvailable = true,
                MaximumQoS = MqttQualityOfServiceLevel.ExactlyOnce,
                ReasonString = broken.Message,
            });
        }

        await HeardAsync();
    }

    // Closing a socket with unread bytes tells the other end at once, and it may never read what was said last. So its bytes are read
    // and thrown away until it has closed too, or has had time to.
    private async Task HeardAsync()
    {
        try
        {
            using var patience = new CancellationTokenSource(LastWords, _time);
            using var ends = CancellationTokenSource.CreateLinkedTokenSource(patience.Token, _closing.Token);
            await _sender.WrittenOut().WaitAsync(ends.Token);
            (_stream as NetworkStream)?.Socket.Shutdown(SocketShutdown.Send);
            var rest = new byte[1_024];
            while (await _stream.ReadAsync(rest, ends.Token) > 0)
            {
            }
        }
        catch (Exception e) when (e is OperationCanceledException or IOException or SocketException or ObjectDisposedException)
        {
            // It does not read: it does not hear.
        }

        Abort();
    }

    [LoggerMessage(LogLevel.Information, "An MQTT client at {Address} could not be let in over TLS: {Reason}")]
    private partial void LogNotSecure(EndPoint? address, string reason);

    [LoggerMessage(LogLevel.Warning, "Closed the connection of MQTT client '{Client}' at {Address}: {Reason}")]
    private partial void LogBroken(string client, EndPoint? address, string reason);
}
