using System.Diagnostics.CodeAnalysis;
using EdgeOrleans.Edge.EventBus.Access;
using EdgeOrleans.Modules;
using MQTTnet.Packets;
using MQTTnet.Protocol;

namespace EdgeOrleans.Edge.EventBus;

/// <summary>What a session needs of the broker.</summary>
internal sealed record SessionHouse(EventBusOptions Options, MqttStore Store, RetainedMessages Retained, Refusals Refusals, TimeProvider Time);

/// <summary>
/// What the broker knows of one client beyond its connection: what waits for it, and what it has not acknowledged. Messages leave in the
/// order in which they came, as many at once as the client allows.
/// </summary>
internal sealed class Session(string clientId, long number, SessionHouse house)
{
    /// <summary>The name of the session that holds what is to be published to a broker outside. No client may have it.</summary>
    public const string Outside = "$outside";

    /// <summary>An expiry interval that never ends.</summary>
    public const uint Never = uint.MaxValue;

    private readonly Lock _gate = new();
    private readonly LinkedList<Delivery> _waiting = new();
    private readonly LinkedList<Delivery> _sent = new();
    private readonly Dictionary<ushort, Delivery> _byId = [];
    private readonly Queue<(MqttMessage Message, Subscription Subscription)> _retained = new();
    private volatile IMqttPeer? _connection;
    private Task _releasing = Task.CompletedTask;
    private int _window;
    private ushort _lastId;
    private long _lastPlace;
    private long _bytes;

    public string ClientId { get; } = clientId;

    /// <summary>Its number on disk; 0 when it is not there.</summary>
    public long Number { get; } = number;

    /// <summary>Whether it outlives the process.</summary>
    public bool IsStored => Number != 0;

    /// <summary>The QoS 2 messages of the client that it has not released.</summary>
    public IncomingMessages Incoming { get; } = new(house?.Store, number);

    /// <summary>How long it outlives its connection, in seconds.</summary>
    public uint Expiry { get; set; }

    /// <summary>When its connection ended, in Unix milliseconds; null while it has one.</summary>
    public long? Gone { get; set; }

    public LastWill? Will { get; set; }

    /// <summary>Whether there is nothing of it but its last will: its client was connected without a stay when the process died.</summary>
    public bool IsWillOnly { get; init; }

    /// <summary>Until when its client is waited for because the process died, in Unix milliseconds.</summary>
    public long Awaited { get; set; }

    /// <summary>The user that began it; null when it had none.</summary>
    public string? Owner { get; init; }

    /// <summary>Who its client is, or was; null when nobody asked.</summary>
    public AccessIdentity? Identity { get; set; }

    /// <summary>What was to reach the client and did not.</summary>
    public Losses Losses { get; } = new(house?.Refusals);

    public IMqttPeer? Connection => _connection;

    /// <summary>How many messages wait or are unacknowledged, and their bytes.</summary>
    public (int Messages, long Bytes) Load
    {
        get
        {
            lock (_gate)
            {
                return (_byId.Count, _bytes);
            }
        }
    }

    /// <summary>How far what waits is.</summary>
    public SessionLoad Look()
    {
        lock (_gate)
        {
            return new SessionLoad(_waiting.Count, _sent.Count, _bytes, _waiting.First?.Value.Message.Created, _retained.Count);
        }
    }

    private bool IsOutside => ClientId == Outside;

    private int MostMessages => IsOutside ? house.Options.OutsideQueueSize : house.Options.MqttSessionQueueSize;

    private int MostBytes => IsOutside ? house.Options.OutsideQueueBytes : house.Options.SessionQueueBytes;

    public bool IsOver(long now) => Gone is { } gone && Expiry != Never && now >= Math.Max(gone + (Expiry * 1_000L), Awaited);

    /// <summary>
    /// A client is connected: what it had not acknowledged goes out again in its order, then what has waited.
    /// </summary>
    public void Attach(IMqttPeer connection)
    {
        ushort[] released;
        lock (_gate)
        {
            (Gone, Awaited) = (null, 0);
            _window = Math.Min(connection.ReceiveMaximum, house.Options.MaxUnacknowledged);
            for (var node = _sent.Last; node is not null;)
            {
                var before = node.Previous;
                if (node.Value.State == DeliveryState.Sent)
                {
                    _sent.Remove(node);
                    _waiting.AddFirst(node);
                    node.Value.State = DeliveryState.Waiting;
                    node.Value.Dup = true;
                }

                node = before;
            }

            _connection = connection;
            released = [.. _sent.Where(static delivery => delivery.State == DeliveryState.Released).Select(static delivery => delivery.Id)];
        }

        foreach (var id in released)
        {
            connection.Write(new MqttPubRelPacket { PacketIdentifier = id });
        }

        Pump();
    }

    /// <summary>The connection is over. False when it was not this session's any more.</summary>
    public bool Detach(IMqttPeer connection, long now)
    {
        lock (_gate)
        {
            if (!ReferenceEquals(_connection, connection))
            {
                return false;
            }

            (_connection, Gone) = (null, now);
            return true;
        }
    }

    /// <summary>Puts a message with QoS 1 or 2 behind those that wait.</summary>
    /// <returns>False when there is no room for it.</returns>
    public bool TryAdd(MqttMessage message, int qos, Subscription subscription, bool held, [NotNullWhen(true)] out Delivery? delivery)
    {
        lock (_gate)
        {
            delivery = null;
            if (!MakeRoom(message.Size))
            {
                Losses.QueueFull();
                return false;
            }

            delivery = NewDelivery(message, qos, subscription.RetainAsPublished && message.Retain, subscription.Identifiers, IsStored);
            delivery.State = held ? DeliveryState.Held : DeliveryState.Waiting;
            _waiting.AddLast(delivery.Node);
            return true;
        }
    }

    /// <summary>A delivery is on disk and may leave.</summary>
    public void Release(Delivery delivery)
    {
        lock (_gate)
        {
            if (delivery.State != DeliveryState.Held)
            {
                return;
            }

            delivery.State = DeliveryState.Waiting;
        }

        Pump();
    }

    /// <summary>A delivery did not reach the disk: it never was.</summary>
    public void Withdraw(Delivery delivery)
    {
        lock (_gate)
        {
            if (delivery.State == DeliveryState.Held)
            {
                Remove(delivery);
            }
        }

        Pump();
    }

    /// <summary>Retained messages for a new subscription. They are no part of the queue: the broker has them anyway.</summary>
    public void AddRetained(IReadOnlyList<MqttMessage> messages, Subscription subscription)
    {
        lock (_gate)
        {
            foreach (var message in messages)
            {
                if (_retained.Count >= house.Options.MaxRetainedMessages)
                {
                    house.Refusals.Count("mqtt.retained-backlog");
                    break;
                }

                _retained.Enqueue((message, subscription));
            }
        }

        Pump();
    }

    /// <summary>PUBACK of the client.</summary>
    public void Acknowledged(ushort id)
    {
        lock (_gate)
        {
            if (_byId.TryGetValue(id, out var delivery) && delivery is { Qos: 1, State: DeliveryState.Sent })
            {
                Remove(delivery);
            }
        }

        Pump();
    }

    /// <summary>PUBREC of the client: whatever happens, the message is not sent again before the PUBREL. These leave in the order of the PUBRECs.</summary>
    public void ReceivedByClient(IMqttPeer connection, MqttPubRecPacket received)
    {
        var (answer, delivery) = TakeReceived(received);
        if (answer == AfterReceived.Nothing)
        {
            Pump();
            return;
        }

        var released = new MqttPubRelPacket
        {
            PacketIdentifier = received.PacketIdentifier,
            ReasonCode = answer == AfterReceived.Unknown ? MqttPubRelReasonCode.PacketIdentifierNotFound : MqttPubRelReasonCode.Success,
        };
        if (answer == AfterReceived.Store || !_releasing.IsCompleted)
        {
            var storing = answer == AfterReceived.Store ? StoreReleasedAsync(delivery!) : Task.FromResult(true);
            _releasing = ReleaseAsync(_releasing, storing, connection, released);
        }
        else
        {
            connection.Write(released);
        }
    }

    /// <summary>PUBCOMP of the client.</summary>
    public void Completed(ushort id)
    {
        lock (_gate)
        {
            if (_byId.TryGetValue(id, out var delivery) && delivery is { Qos: 2, State: DeliveryState.Released })
            {
                Remove(delivery);
            }
        }

        Pump();
    }

    /// <summary>Sends what may be sent.</summary>
    public void Pump()
    {
        IMqttPeer? connection;
        var begins = false;
        lock (_gate)
        {
            connection = _connection;
            if (connection is null)
            {
                return;
            }

            var now = house.Time.GetUtcNow().ToUnixTimeMilliseconds();
            while (SendNext(connection, now, ref begins))
            {
            }
        }

        connection.Flush(begins);
    }

    /// <summary>Removes what is too old to be waited for.</summary>
    public void Sweep(long now)
    {
        lock (_gate)
        {
            // What may have been sent has to be brought to its end.
            for (var node = _waiting.First; node is not null && (node.Value.Dup || IsTooOld(node.Value.Message, now));)
            {
                var next = node.Next;
                if (!node.Value.Dup)
                {
                    Expire(node.Value);
                }

                node = next;
            }
        }
    }

    /// <summary>The session is over: nothing waits any more.</summary>
    public void Clear()
    {
        lock (_gate)
        {
            foreach (var delivery in _byId.Values.ToArray())
            {
                Remove(delivery);
            }

            _retained.Clear();
        }

        Incoming.Clear();
    }

    /// <summary>Takes up what the disk has kept, in its order.</summary>
    public void Restore(MqttMessage message, StoredDelivery row)
    {
        var id = (ushort)row.Id;
        var delivery = new Delivery
        {
            Session = this,
            Message = message,
            Qos = row.Qos,
            Retain = row.Retain,
            Identifiers = row.Identifiers,
            Id = _byId.ContainsKey(id) ? NextId() : id,
            Place = row.Place,
            IsStored = true,
            State = row.IsReleased ? DeliveryState.Released : DeliveryState.Waiting,

            // Nobody has written down whether it was sent. The first ones that were there before the connection ended may have been.
            Dup = !row.IsReleased && _waiting.Count < house.Options.MaxUnacknowledged && message.Created <= Gone,
        };
        _byId[delivery.Id] = delivery;
        _lastId = delivery.Id;
        _lastPlace = Math.Max(_lastPlace, delivery.Place);
        _bytes += message.Size;
        (row.IsReleased ? _sent : _waiting).AddLast(delivery.Node);
    }

    private bool SendNext(IMqttPeer connection, long now, ref bool begins)
    {
        var first = _waiting.First?.Value;
        if (_retained.Count > 0 && first is not { Dup: true })
        {
            return SendRetained(connection, now, ref begins);
        }

        if (first is null || first.State == DeliveryState.Held)
        {
            return false;
        }

        if (!first.Dup && IsTooOld(first.Message, now))
        {
            Expire(first);
            return true;
        }

        return _sent.Count < _window && Send(connection, first, now, ref begins);
    }

    private bool Send(IMqttPeer connection, Delivery delivery, long now, ref bool begins)
    {
        switch (Append(connection, delivery, now, ref begins))
        {
            case Written.Yes:
                if (delivery.Node.List is { } list)
                {
                    list.Remove(delivery.Node);
                }

                _sent.AddLast(delivery.Node);
                delivery.State = DeliveryState.Sent;
                return true;
            case Written.TooLarge:
                // As if it had been sent: to this client it cannot be.
                Losses.TooLarge();
                Remove(delivery);
                return true;
            default:
                return false;
        }
    }

    private static Written Append(IMqttPeer connection, Delivery delivery, long now, ref bool begins) => connection.Append(
        delivery.Message,
        new PublishHead(
            delivery.Qos, delivery.Id, delivery.Dup, delivery.Retain, delivery.Message.Properties, delivery.Message.SecondsLeft(now), delivery.Identifiers),
        waits: true,
        ref begins);

    private bool SendRetained(IMqttPeer connection, long now, ref bool begins)
    {
        var (message, subscription) = _retained.Peek();
        if (message.IsExpired(now) || !house.Retained.IsCurrent(message))
        {
            // What took its place was sent to this subscription as it came.
            _retained.Dequeue();
            return true;
        }

        var qos = Math.Min(message.Qos, subscription.Qos);
        if (qos > 0 && (_sent.Count >= _window || _byId.Count >= ushort.MaxValue - 1))
        {
            return false;
        }

        if (qos == 0)
        {
            var head = new PublishHead(0, 0, false, true, message.Properties, message.SecondsLeft(now), subscription.Identifiers);
            var written = connection.Append(message, head, waits: true, ref begins);
            if (written is Written.Full or Written.Closed)
            {
                return false;
            }

            _retained.Dequeue();
            return true;
        }

        var delivery = NewDelivery(message, qos, retain: true, subscription.Identifiers, stored: false);
        if (!Send(connection, delivery, now, ref begins))
        {
            Remove(delivery);
            return false;
        }

        _retained.Dequeue();
        return true;
    }

    private Delivery NewDelivery(MqttMessage message, int qos, bool retain, uint[] identifiers, bool stored)
    {
        var delivery = new Delivery
        {
            Session = this,
            Message = message,
            Qos = qos,
            Retain = retain,
            Identifiers = identifiers,
            Id = NextId(),
            Place = ++_lastPlace,
            IsStored = stored,
        };
        _byId[delivery.Id] = delivery;
        _bytes += message.Size;
        return delivery;
    }

    private ushort NextId()
    {
        do
        {
            _lastId = _lastId == ushort.MaxValue ? (ushort)1 : (ushort)(_lastId + 1);
        }
        while (_byId.ContainsKey(_lastId));
        return _lastId;
    }

    private bool MakeRoom(int size)
    {
        while (_byId.Count >= MostMessages || _bytes + size > MostBytes)
        {
            if (house.Options.SessionQueueFull == QueuePolicy.Newest || OldestUnsent() is not { } oldest)
            {
                return false;
            }

            Losses.QueueFull();
            Remove(oldest);
        }

        return true;
    }

    // What the client may have seen keeps its place: its identifier is in use at the other end.
    private Delivery? OldestUnsent()
    {
        var node = _waiting.First;
        while (node is { Value.Dup: true })
        {
            node = node.Next;
        }

        return node?.Value;
    }

    private bool IsTooOld(MqttMessage message, long now) =>
        message.IsExpired(now)
        || (house.Options.SessionQueueAge > TimeSpan.Zero && now - message.Created > (long)house.Options.SessionQueueAge.TotalMilliseconds);

    private void Expire(Delivery delivery)
    {
        Losses.Expired();
        Remove(delivery);
    }

    private void Remove(Delivery delivery)
    {
        if (delivery.State == DeliveryState.Gone)
        {
            return;
        }

        delivery.State = DeliveryState.Gone;
        delivery.Node.List?.Remove(delivery.Node);
        _byId.Remove(delivery.Id);
        _bytes -= delivery.Message.Size;
        if (delivery.IsStored)
        {
            house.Store.Forget(delivery);
        }
    }

    private (AfterReceived Answer, Delivery? Delivery) TakeReceived(MqttPubRecPacket received)
    {
        lock (_gate)
        {
            if (!_byId.TryGetValue(received.PacketIdentifier, out var delivery) || delivery.Qos != 2)
            {
                return (AfterReceived.Unknown, null);
            }

            switch (delivery.State)
            {
                case DeliveryState.Sent when received.ReasonCode >= MqttPubRecReasonCode.UnspecifiedError:
                    Remove(delivery);
                    return (AfterReceived.Nothing, null);
                case DeliveryState.Sent when delivery.IsStored:
                    delivery.State = DeliveryState.Releasing;
                    return (AfterReceived.Store, delivery);
                case DeliveryState.Sent:
                    delivery.State = DeliveryState.Released;
                    return (AfterReceived.Release, delivery);
                case DeliveryState.Released:
                    return (AfterReceived.Release, delivery);
                case DeliveryState.Releasing:
                    return (AfterReceived.Nothing, delivery);
                default:
                    return (AfterReceived.Unknown, null);
            }
        }
    }

    private async Task ReleaseAsync(Task before, Task<bool> storing, IMqttPeer connection, MqttPubRelPacket released)
    {
        await before;
        if (await storing)
        {
            (_connection ?? connection).Write(released);
        }
        else
        {
            // The client will come and say so again.
            (_connection ?? connection).Abort();
        }
    }

    private async Task<bool> StoreReleasedAsync(Delivery delivery)
    {
        var isStored = await house.Store.ReleasedAsync(delivery);
        lock (_gate)
        {
            if (delivery.State == DeliveryState.Releasing)
            {
                delivery.State = isStored ? DeliveryState.Released : DeliveryState.Sent;
            }
        }

        return isStored;
    }

    private enum AfterReceived
    {
        Unknown,
        Nothing,
        Store,
        Release,
    }
}

/// <summary>What waits in a session.</summary>
/// <param name="Waiting">Messages that wait to be sent.</param>
/// <param name="InFlight">Messages that are sent and not acknowledged to their end.</param>
/// <param name="Bytes">The bytes of both.</param>
/// <param name="Oldest">When the first that waits was published, in Unix milliseconds; null when none waits.</param>
/// <param name="Retained">Retained messages that are still to be sent for new subscriptions.</param>
internal readonly record struct SessionLoad(int Waiting, int InFlight, long Bytes, long? Oldest, int Retained);
