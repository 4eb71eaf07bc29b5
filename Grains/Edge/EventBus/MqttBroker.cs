using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using EdgeOrleans.Beehive;
using EdgeOrleans.Edge.EventBus.Access;
using EdgeOrleans.Modules;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using MQTTnet.Packets;
using MQTTnet.Protocol;

namespace EdgeOrleans.Edge.EventBus;

/// <summary>The broker inside: it lets clients in, keeps their wishes, passes free topics between them, and publishes the wills of the lost.</summary>
internal sealed partial class MqttBroker(
    Admission admission,
    BrokerCertificates certificates,
    Sessions sessions,
    SubscriptionIndex subscriptions,
    RetainedMessages retained,
    MqttStore store,
    Outlets outlets,
    Publisher publisher,
    Uploads uploads,
    HubTopics hubTopics,
    TwinRequests requests,
    Leftovers leftovers,
    Refusals refusals,
    Telemetry telemetry,
    IOptions<EventBusOptions> options,
    TimeProvider time,
    ILogger<MqttBroker> logger) : IAsyncDisposable
{
    private static readonly TimeSpan SweepEvery = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan Farewell = TimeSpan.FromSeconds(2);

    private readonly Lock _gate = new();
    private readonly ILogger _logger = logger;
    private MqttEndpoint? _endpoint;
    private ITimer? _sweep;
    private volatile bool _stopping;

    public IReadOnlyList<IPEndPoint> Addresses => _endpoint?.Addresses ?? [];

    public IReadOnlyList<IPEndPoint> TlsAddresses => _endpoint?.TlsAddresses ?? [];

    public int Connections => _endpoint?.Connections ?? 0;

    private long Now => time.GetUtcNow().ToUnixTimeMilliseconds();

    public async Task StartAsync()
    {
        _stopping = false;
        await hubTopics.LoadAsync();
        sessions.Restore(await store.LoadAsync());
        if (!options.Value.HasOutside && sessions.Find(Session.Outside) is { } left)
        {
            LogNoOutside(left.Load.Messages);
            sessions.Remove(left);
        }

        if (sessions.Count > 0 || retained.Load.Messages > 0)
        {
            Watch();
        }

        if (sessions.Count > 0)
        {
            LogRestored(sessions.Count, retained.Load.Messages);
        }

        BrokerMetrics.Add(telemetry, this, sessions, retained, refusals);
        if (!options.Value.HasInside)
        {
            return;
        }

        admission.Start(Look);
        if (options.Value.MqttServerTls.Length > 0)
        {
            certificates.Start(EndRevokedAsync);
        }

        _endpoint = new MqttEndpoint(options.Value, NewConnection, refusals, time, _logger);
        _endpoint.Start();
    }

    /// <summary>Closes the door: nobody new comes in, what is under way is answered, then the connections end. No wills are published.</summary>
    public async Task StopAsync(TimeSpan drain)
    {
        if (_stopping)
        {
            return;
        }

        _stopping = true;
        _endpoint?.StopAccepting();
        var begin = time.GetTimestamp();
        while (requests.UnderWay + publisher.UnderWay > 0 && time.GetElapsedTime(begin) < drain)
        {
            await Task.Delay(TimeSpan.FromMilliseconds(10), time);
        }

        if (_sweep is { } sweep)
        {
            await sweep.DisposeAsync();
        }

        if (_endpoint is { } endpoint)
        {
            await endpoint.StopAsync(MqttDisconnectReasonCode.ServerShuttingDown).WaitAsync(Farewell, time).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            endpoint.Dispose();
        }

        await store.StopAsync();
    }

    public async ValueTask DisposeAsync()
    {
        await StopAsync(TimeSpan.Zero);
        _endpoint = null;
    }

    /// <summary>Lets a client in, or tells it why not.</summary>
    public async Task<bool> AcceptAsync(MqttConnection connection, MqttConnectPacket connect, PacketFacts facts)
    {
        Watch();
        var isNamed = !string.IsNullOrEmpty(connect.ClientId);
        var clientId = isNamed ? connect.ClientId : $"auto-{Guid.NewGuid():N}";
        var (reason, identity) = _stopping
            ? new Admitted(MqttConnectReasonCode.ServerUnavailable, null)
            : await admission.AdmitAsync(connection, connect, clientId, connection.Closing);
        if (reason != MqttConnectReasonCode.Success)
        {
            return await RefuseAsync(connection, connect, reason);
        }

        var wish = new SessionWish(
            clientId, connect.CleanSession, ExpiryOf(connection, connect, facts), identity?.User, WillOf(connection, connect, identity));
        using var turn = await sessions.EnterAsync(wish.ClientId);
        var before = sessions.Find(wish.ClientId);
        switch (before is null ? true : admission.Owns(identity, before))
        {
            case false:
                return await RefuseAsync(connection, connect, MqttConnectReasonCode.NotAuthorized);
            case null:
                wish = wish with { IsClean = true };
                break;
        }

        if (await sessions.OpenAsync(wish) is not { } opened)
        {
            return await RefuseAsync(connection, connect, MqttConnectReasonCode.ServerUnavailable);
        }

        if (opened.Before is { Will: { } due } ended)
        {
            // The session ends before its will was due, so it is due now.
            PublishWill(ended, due);
        }

        opened.Session.Will = wish.Will;
        opened.Session.Identity = identity;
        var keepAlive = KeepAliveOf(connection, connect);
        connection.Accepted(opened.Session, connect, TimeSpan.FromSeconds(keepAlive));
        connection.Write(Welcome(opened.IsPresent, isNamed ? null : wish.ClientId, wish.Expiry, facts, (ushort)keepAlive, connect.KeepAlivePeriod));
        opened.Session.Attach(connection);
        if (connection.IsRevoked)
        {
            // Since it was admitted: who looks at the connections now may not have seen it yet.
            await EndRightsAsync(opened.Session, connection);
        }

        return true;
    }

    /// <summary>A client's connection is over.</summary>
    public void Lost(MqttConnection connection, Session session)
    {
        if (!ReferenceEquals(session.Connection, connection))
        {
            return;
        }

        // While it is still the session's connection, whoever comes next waits for its end: what a client says then comes after its will.
        var will = _stopping ? null : session.Will;
        if (will is { Delay: > 0 } && session.Expiry > 0)
        {
            session.Will = will with { Due = Now + (Math.Min(will.Delay, session.Expiry) * 1_000L) };
            _ = store.WaitAsync([session.Will]);
        }
        else if (will is not null)
        {
            PublishWill(session, will);
        }
        else
        {
            session.Will = null;
        }

        sessions.Lost(session, connection);
    }

    /// <summary>Ends the connection of a client because a person says so, and returns when it is over. The client may come again.</summary>
    /// <exception cref="RefusedException">There is no such session or connection.</exception>
    public async Task DisconnectAsync(string clientId)
    {
        using var turn = await sessions.EnterAsync(clientId);
        if (!await EndConnectionAsync(Named(clientId)))
        {
            throw new RefusedException(409, $"MQTT client '{clientId}' is not connected; its session waits for it");
        }
    }

    /// <summary>Ends a session with all that waits in it because a person says so, and its connection before.</summary>
    /// <exception cref="RefusedException">There is no such session, or the disk takes nothing.</exception>
    public async Task RemoveSessionAsync(string clientId)
    {
        using var turn = await sessions.EnterAsync(clientId);
        var session = Named(clientId);
        await EndConnectionAsync(session);
        if (sessions.Find(clientId) is { } left && !await sessions.TryRemoveAsync(left))
        {
            throw new RefusedException(503, $"the session of MQTT client '{clientId}' is still there: the database takes nothing now");
        }

        if (session.Will is { Due: not null } due)
        {
            // The session ends before its will was due, so it is due now.
            PublishWill(session, due);
        }
    }

    /// <summary>A client ends its connection on purpose. When it returns, no restart can bring back its will.</summary>
    public async Task SaidGoodbyeAsync(Session session, MqttDisconnectPacket disconnect, PacketFacts facts)
    {
        if (facts.Expiry is { } expiry)
        {
            if (session.Expiry == 0 && expiry > 0)
            {
                throw MqttRules.Violation("a session that was to end with its connection cannot outlive it");
            }

            session.Expiry = Capped(expiry);
        }

        if (disconnect.ReasonCode == MqttDisconnectReasonCode.NormalDisconnection)
        {
            await ForgetWillAsync(session);
        }
    }

    public async Task SubscribeAsync(MqttConnection connection, Session session, MqttSubscribePacket packet)
    {
        var codes = new List<MqttSubscribeReasonCode>(packet.TopicFilters.Count);
        var granted = new List<(Subscription Wish, bool IsNew)>();
        var count = subscriptions.CountOf(session);
        foreach (var filter in packet.TopicFilters)
        {
            var isNew = !subscriptions.Has(session, filter.Topic) && !granted.Exists(other => other.Wish.Filter == filter.Topic);
            var code = admission.Grant(session.Identity, filter, isNew ? count : 0);
            codes.Add(code);
            if (code <= MqttSubscribeReasonCode.GrantedQoS2)
            {
                count += isNew ? 1 : 0;
                granted.Add((NewSubscription(session, filter, packet.SubscriptionIdentifier, connection.IsBridge), isNew));
            }
        }

        if (session.IsStored && granted.Count > 0 && !await store.SubscribeAsync(session.Number, [.. granted.Select(static grant => grant.Wish)]))
        {
            refusals.Count("mqtt.not-stored");
            codes = [.. codes.Select(static code => code <= MqttSubscribeReasonCode.GrantedQoS2 ? MqttSubscribeReasonCode.UnspecifiedError : code)];
            granted.Clear();
        }

        var found = granted.ConvertAll(grant =>
            (grant.Wish, Messages: retained.Match(subscriptions, grant.Wish, grant.Wish.RetainHandling == 0 || (grant.Wish.RetainHandling == 1 && grant.IsNew))));
        connection.Write(new MqttSubAckPacket { PacketIdentifier = packet.PacketIdentifier, ReasonCodes = codes });
        found.ForEach(of => session.AddRetained(of.Messages, of.Wish));
    }

    public async Task UnsubscribeAsync(MqttConnection connection, Session session, MqttUnsubscribePacket packet)
    {
        var isDone = !session.IsStored || await store.UnsubscribeAsync(session.Number, packet.TopicFilters);
        connection.Write(new MqttUnsubAckPacket
        {
            PacketIdentifier = packet.PacketIdentifier,
            ReasonCodes =
            [
                .. packet.TopicFilters.Select(filter =>
                    !isDone ? MqttUnsubscribeReasonCode.UnspecifiedError
                    : subscriptions.Remove(session, filter) ? MqttUnsubscribeReasonCode.Success
                    : MqttUnsubscribeReasonCode.NoSubscriptionExisted),
            ],
        });
    }

    /// <summary>Whether a client may publish to a topic.</summary>
    public bool MayPublish(Session session, RequestTopic topic) => admission.MayPublish(session.Identity, topic);

    /// <summary>Passes a publish to those who listen. It returns when the next publish of this client may be read.</summary>
    public ValueTask PassAsync(
        IMqttPeer connection,
        RequestTopic topic,
        MqttPublishPacket publish,
        PacketFacts facts,
        Acknowledgements.Owed? owed,
        CancellationToken cancellation)
    {
        if (topic.Kind == TopicKind.Unknown)
        {
            refusals.Count("mqtt.unknown-topic");
        }

        var (session, outlet) = (connection.Session!, outlets.OfTopic(publish.Topic));
        var message = MqttMessage.Of(publish, outlet, publish.Retain, facts.Expiry, Now);
        if (message.Retain && !retained.HasRoomFor(message))
        {
            refusals.Count("mqtt.retained-full");
            message = MqttMessage.Of(publish, outlet, retain: false, facts.Expiry, Now);
        }

        var received = owed is { IsReceived: true } && session.IsStored ? owed.PacketId : (ushort)0;
        var upload = uploads.Of(outlet, topic.Kind, message.Payload, connection.IsVersion5);
        if (received != 0 || upload is not null || Publisher.Survives(outlet, message.Qos, message.Retain))
        {
            return PassStoredAsync(connection, topic, message, outlet, received, upload, owed, cancellation);
        }

        var reason = ReasonOf(connection, topic, message, outlet);
        publisher.Publish(message, outlet, session);
        connection.Acknowledge(owed, reason);
        return ValueTask.CompletedTask;
    }

    private Session Named(string clientId)
    {
        if (clientId == Session.Outside)
        {
            throw new RefusedException(409, $"'{clientId}' is the node itself: what waits for the broker outside; modules.eventBus.mqttMode 0 ends it");
        }

        return sessions.Find(clientId) ?? throw new RefusedException(404, $"there is no MQTT client '{clientId}', connected or with a session");
    }

    /// <returns>Whether there was one.</returns>
    private static async Task<bool> EndConnectionAsync(Session session)
    {
        if (session.Connection is not MqttConnection connection)
        {
            return false;
        }

        await connection.GiveWayAsync(MqttDisconnectReasonCode.AdministrativeAction);
        return true;
    }

    // A bridge of MQTT 3.1.1 cannot ask for it: what it brings does not go back to where it came from, and what is retained here is retained there.
    private static Subscription NewSubscription(Session session, MqttTopicFilter filter, uint identifier, bool isBridge) => new(
        session,
        filter.Topic,
        (int)filter.QualityOfServiceLevel
            | (filter.NoLocal || isBridge ? 4 : 0)
            | (filter.RetainAsPublished || isBridge ? 8 : 0)
            | ((int)filter.RetainHandling << 4),
        identifier);

    private async ValueTask PassStoredAsync(
        IMqttPeer connection,
        RequestTopic topic,
        MqttMessage message,
        Outlet outlet,
        ushort received,
        Upload? upload,
        Acknowledgements.Owed? owed,
        CancellationToken cancellation)
    {
        await connection.Window.EnterAsync(cancellation);
        var reason = ReasonOf(connection, topic, message, outlet);
        _ = AcknowledgeAsync(connection, owed, publisher.Publish(message, outlet, connection.Session, received, upload), upload, reason);
    }

    // Who listens is known at no cost, and only MQTT 5 has words for it: the others keep their short way. What is retained or goes up is for more than those.
    private static MqttPubAckReasonCode ReasonOf(IMqttPeer connection, RequestTopic topic, MqttMessage message, Outlet outlet) =>
        connection.IsVersion5 && topic.Kind == TopicKind.Free && !message.Retain && !outlet.GoesUp && outlet.Subscribers.Length == 0
            ? MqttPubAckReasonCode.NoMatchingSubscribers
            : MqttPubAckReasonCode.Success;

    private async Task AcknowledgeAsync(IMqttPeer connection, Acknowledgements.Owed? owed, Task<bool>? storing, Upload? upload, MqttPubAckReasonCode reason)
    {
        if (storing is null || await storing)
        {
            connection.Acknowledge(owed, upload is null ? reason : Uploads.ReasonOf(upload));
        }
        else
        {
            refusals.Count("mqtt.not-stored");
            connection.NotDone(owed);
        }

        connection.Window.Leave();
    }

    private uint ExpiryOf(MqttConnection connection, MqttConnectPacket connect, PacketFacts facts) =>
        Capped(connection.IsVersion5 ? facts.Expiry ?? 0 : connect.CleanSession ? 0 : Session.Never);

    private uint Capped(uint expiry) => options.Value.MaxSessionExpiry is var most && most > TimeSpan.Zero
        ? (uint)Math.Min(expiry, most.TotalSeconds)
        : expiry;

    private int KeepAliveOf(MqttConnection connection, MqttConnectPacket connect)
    {
        var most = (int)options.Value.MaxKeepAlive.TotalSeconds;
        return connection.IsVersion5 && most > 0 && (connect.KeepAlivePeriod == 0 || connect.KeepAlivePeriod > most) ? most : connect.KeepAlivePeriod;
    }

    private LastWill? WillOf(MqttConnection connection, MqttConnectPacket connect, AccessIdentity? identity) => !connect.WillFlag
        ? null
        : new LastWill(MqttMessage.WillOf(connect), connect.WillDelayInterval, connect.WillMessageExpiryInterval)
        {
            Number = store.NextWill(),
            Identity = identity,
            IsByPassword = identity?.User is not null && connection.CertificateUser is null,
        };

    private Task ForgetWillAsync(Session session)
    {
        var will = session.Will;
        session.Will = null;
        return will is null ? Task.CompletedTask : store.ForgetWillAsync(will.Number);
    }

    private MqttConnAckPacket Welcome(bool isPresent, string? assigned, uint expiry, PacketFacts asked, ushort keepAlive, ushort askedKeepAlive) => new()
    {
        ReasonCode = MqttConnectReasonCode.Success,
        ReturnCode = MqttConnectReturnCode.ConnectionAccepted,
        IsSessionPresent = isPresent,
        AssignedClientIdentifier = assigned,
        SessionExpiryInterval = asked.Expiry is { } wished && wished != expiry ? expiry : 0,
        ServerKeepAlive = keepAlive != askedKeepAlive ? keepAlive : (ushort)0,
        MaximumPacketSize = (uint)options.Value.MaxPacketSize,
        ReceiveMaximum = IncomingMessages.Most,
        TopicAliasMaximum = MqttReceiver.MostAliases,
        MaximumQoS = MqttQualityOfServiceLevel.ExactlyOnce,
        RetainAvailable = true,
        WildcardSubscriptionAvailable = true,
        SubscriptionIdentifiersAvailable = true,
        SharedSubscriptionAvailable = false,
    };

    private async Task<bool> RefuseAsync(MqttConnection connection, MqttConnectPacket connect, MqttConnectReasonCode reason)
    {
        refusals.Count("mqtt.not-admitted");
        LogNotAdmitted(connect.ClientId ?? "", connection.RemoteEndPoint, reason);
        connection.Write(new MqttConnAckPacket
        {
            ReasonCode = reason,
            ReturnCode = reason switch
            {
                MqttConnectReasonCode.ClientIdentifierNotValid => MqttConnectReturnCode.ConnectionRefusedIdentifierRejected,
                MqttConnectReasonCode.BadUserNameOrPassword => MqttConnectReturnCode.ConnectionRefusedBadUsernameOrPassword,
                MqttConnectReasonCode.NotAuthorized => MqttConnectReturnCode.ConnectionRefusedNotAuthorized,
                _ => MqttConnectReturnCode.ConnectionRefusedServerUnavailable,
            },
            MaximumQoS = MqttQualityOfServiceLevel.ExactlyOnce,
            RetainAvailable = true,
            WildcardSubscriptionAvailable = true,
            SubscriptionIdentifiersAvailable = true,
            SharedSubscriptionAvailable = true,
        });
        await connection.DisconnectAsync(CancellationToken.None);
        return false;
    }

    // Others may do other things from now on: whoever is connected with what is over is disconnected, and hears of nothing that he may not.
    private async Task Look(AccessState before, AccessState after)
    {
        foreach (var session in sessions.All)
        {
            string[] over = [.. subscriptions.Of(session).Select(static wish => wish.Filter).Where(filter => !admission.MayHear(session, filter))];
            if (over.Length > 0)
            {
                foreach (var filter in over)
                {
                    subscriptions.Remove(session, filter);
                }

                if (session.IsStored)
                {
                    await store.UnsubscribeAsync(session.Number, over);
                }
            }

            if (session.Connection is MqttConnection connection && (over.Length > 0 || IsOver(session, connection, before, after)))
            {
                await EndRightsAsync(session, connection);
            }
        }
    }

    private async Task EndRevokedAsync()
    {
        foreach (var session in sessions.All)
        {
            if (session.Connection is MqttConnection { IsRevoked: true, IsOver: false } connection)
            {
                await EndRightsAsync(session, connection);
            }
        }
    }

    private async Task EndRightsAsync(Session session, MqttConnection connection)
    {
        // Nothing is said in its name any more.
        await ForgetWillAsync(session);
        refusals.Count("mqtt.rights-ended");
        await connection.DisconnectAsync(MqttDisconnectReasonCode.NotAuthorized);
    }

    private static bool IsOver(Session session, MqttConnection connection, AccessState before, AccessState after) =>
        connection.CertificateUser is null
        && session.Identity?.User is { } user
        && !Equals(before.Users.Find(user), after.Users.Find(user));

    private void PublishWill(Session session, LastWill will)
    {
        session.Will = null;
        var message = will.Message.At(Now, will.Expiry);
        var topic = requests.Read(message.Topic);
        if (!admission.MayPublish(will, topic))
        {
            _ = store.ForgetWillAsync(will.Number);
            return;
        }

        if (topic.Kind is not (TopicKind.Free or TopicKind.Unknown))
        {
            _ = RequestAsync(topic, message, will.Number);
            return;
        }

        if (message.Retain && !retained.HasRoomFor(message))
        {
            refusals.Count("mqtt.retained-full");
            message = will.Message.At(Now, will.Expiry, retain: false);
        }

        var outlet = outlets.OfTopic(message.Topic);
        publisher.Publish(message, outlet, session, upload: uploads.Of(outlet, topic.Kind, message.Payload), will: will.Number);
    }

    // The twin has a commit of its own: over a kill between it and the row's end the request is carried out again.
    private async Task RequestAsync(RequestTopic topic, MqttMessage message, long number)
    {
        await requests.TakeWillAsync(topic, message);
        await store.ForgetWillAsync(number);
    }

    // One timer for all, and none on a node where nobody was ever connected and nothing was kept.
    private void Watch()
    {
        if (_sweep is not null)
        {
            return;
        }

        lock (_gate)
        {
            _sweep ??= time.CreateTimer(static self => ((MqttBroker)self!).Sweep(), this, SweepEvery, SweepEvery);
        }
    }

    private void Sweep()
    {
        try
        {
            leftovers.Settle();
            if (options.Value.MqttServerTls.Length > 0)
            {
                // Who is revoked in a file is disconnected without a handshake of another.
                certificates.LookAgain();
            }

            foreach (var session in sessions.Sweep())
            {
                if (session.Will is { } will)
                {
                    PublishWill(session, will);
                }
            }

            foreach (var message in retained.Expire(Now))
            {
                store.RetainLater(message.Topic);
                store.Replaced(message);
            }

            store.Retry();
        }
        catch (Exception e)
        {
            LogSweepFailed(e);
        }
    }

    /// <summary>A connection is over, whether its client was let in or not.</summary>
    public void Gone(MqttConnection connection) => leftovers.Add(connection.Buffers);

    private MqttConnection NewConnection(Socket socket, bool isTls) => new(
        isTls ? new SslStream(new ClientStream(socket)) : new ClientStream(socket),
        isTls ? certificates : null,
        socket.RemoteEndPoint,
        options.Value,
        this,
        requests,
        refusals,
        time,
        _logger);

    [LoggerMessage(LogLevel.Information, "MQTT sessions: {Sessions} wait for their clients, {Retained} messages are retained")]
    private partial void LogRestored(int sessions, int retained);

    [LoggerMessage(LogLevel.Warning, "There is no broker outside any more (mqttMode 0): {Messages} messages that waited for it are dropped")]
    private partial void LogNoOutside(int messages);

    [LoggerMessage(LogLevel.Warning, "MQTT client '{Client}' at {Address} was not let in: {Reason}")]
    private partial void LogNotAdmitted(string client, EndPoint? address, MqttConnectReasonCode reason);

    [LoggerMessage(LogLevel.Error, "MQTT sessions could not be swept")]
    private partial void LogSweepFailed(Exception exception);
}
