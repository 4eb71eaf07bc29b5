using MQTTnet.Packets;
using MQTTnet.Protocol;

namespace EdgeOrleans.Edge.EventBus;

/// <summary>
/// The QoS 2 messages that a client has published and not released, by their identifiers: one that comes again is answered again and not
/// carried out again, on whatever connection. What survives the connection is on disk before the client hears of it.
/// </summary>
internal sealed class IncomingMessages(MqttStore? store, long session)
{
    /// <summary>How many a client of MQTT 5 may leave unreleased.</summary>
    public const ushort Most = 1_024;

    private readonly Lock _gate = new();
    private readonly Dictionary<ushort, Incoming> _byId = [];

    /// <summary>How many there are.</summary>
    public int Count
    {
        get
        {
            lock (_gate)
            {
                return _byId.Count;
            }
        }
    }

    private bool IsStored => session != 0;

    /// <summary>A message came in.</summary>
    /// <param name="id">Its identifier.</param>
    /// <param name="isVersion5">Whether the client was told how many it may have.</param>
    /// <returns>Whether it is new.</returns>
    /// <exception cref="MqttDoorException">More of them are unreleased than the client may have.</exception>
    public bool TryTake(ushort id, bool isVersion5)
    {
        lock (_gate)
        {
            if (_byId.ContainsKey(id))
            {
                return false;
            }

            if (isVersion5 && _byId.Count >= Most)
            {
                throw new MqttDoorException(MqttDoorException.Violation, $"more than {Most} messages with QoS 2 that are not released")
                {
                    Code = MqttDisconnectReasonCode.ReceiveMaximumExceeded,
                };
            }

            _byId[id] = new Incoming();
            return true;
        }
    }

    /// <summary>What was answered to a message; null when that is not known yet. False when there is no such message.</summary>
    public bool TryFind(ushort id, out MqttPubRecPacket? answer)
    {
        lock (_gate)
        {
            var isThere = _byId.TryGetValue(id, out var incoming);
            answer = incoming?.Answer;
            return isThere;
        }
    }

    /// <summary>A message was carried out, or refused.</summary>
    /// <returns>Whether the client may hear so; false when a restart could double the message.</returns>
    public async ValueTask<bool> TryAnswerAsync(MqttPubRecPacket answer, bool isVersion5)
    {
        var id = answer.PacketIdentifier;
        if (isVersion5 && answer.ReasonCode >= MqttPubRecReasonCode.UnspecifiedError)
        {
            // With an error the exchange ends here, and the identifier is free for another message.
            Forget(id);
            return true;
        }

        if (IsStored && !HasRow(id) && !await store!.ReceivedAsync(session, id))
        {
            return false;
        }

        lock (_gate)
        {
            if (_byId.TryGetValue(id, out var incoming))
            {
                incoming.Answer = answer;
            }
        }

        return true;
    }

    /// <summary>The row of a message is in the commit that carries it out.</summary>
    public void StoredWithItsMessage(ushort id)
    {
        lock (_gate)
        {
            if (_byId.TryGetValue(id, out var incoming))
            {
                incoming.HasRow = true;
            }
        }
    }

    /// <summary>
    /// A message is told as failed, and its row may be on disk all the same: it goes before the identifier is free for another message,
    /// which a restart would take for this one.
    /// </summary>
    /// <returns>Whether the client may hear so.</returns>
    public async Task<bool> TryTakeBackAsync(ushort id)
    {
        var isGone = !IsStored || await store!.ForgetReceivedAsync(session, id);
        if (!isGone)
        {
            Forget(id);
        }

        return isGone;
    }

    /// <summary>A message was not carried out: when it comes again it is new.</summary>
    public void Forget(ushort id)
    {
        lock (_gate)
        {
            _byId.Remove(id);
        }
    }

    /// <summary>PUBREL of the client: the identifier is free, and the client hears so when no restart can bring it back.</summary>
    public async Task ReleaseAsync(IMqttPeer connection, ushort id)
    {
        bool isKnown;
        lock (_gate)
        {
            isKnown = _byId.TryGetValue(id, out var incoming) && incoming.Answer is not null;
        }

        if (isKnown && IsStored && !await store!.ForgetReceivedAsync(session, id))
        {
            connection.Abort();
            return;
        }

        if (isKnown)
        {
            Forget(id);
        }

        connection.Write(new MqttPubCompPacket
        {
            PacketIdentifier = id,
            ReasonCode = isKnown ? MqttPubCompReasonCode.Success : MqttPubCompReasonCode.PacketIdentifierNotFound,
        });
    }

    /// <summary>Takes up what the disk has kept.</summary>
    public void Restore(ushort id) => _byId[id] = new Incoming { Answer = new MqttPubRecPacket { PacketIdentifier = id }, HasRow = true };

    public void Clear()
    {
        lock (_gate)
        {
            _byId.Clear();
        }
    }

    private bool HasRow(ushort id)
    {
        lock (_gate)
        {
            return _byId.TryGetValue(id, out var incoming) && incoming.HasRow;
        }
    }

    private sealed class Incoming
    {
        public MqttPubRecPacket? Answer { get; set; }

        public bool HasRow { get; set; }
    }
}
