using MQTTnet.Packets;

namespace EdgeOrleans.Edge.EventBus;

/// <summary>
/// The acknowledgements that one connection owes. MQTT wants them in the order of the publishes, and ours wait for a commit: each
/// leaves when it and all before it are ready.
/// </summary>
internal sealed class Acknowledgements(Action<MqttPacket> send)
{
    private readonly Queue<Owed> _owed = new();
    private readonly Dictionary<ushort, Owed> _byId = [];

    /// <summary>One publish with QoS 1 or 2 came in.</summary>
    public Owed Expect(ushort packetId, bool received)
    {
        lock (_owed)
        {
            var owed = new Owed(packetId, received);
            _owed.Enqueue(owed);
            _byId[packetId] = owed;
            return owed;
        }
    }

    /// <summary>Whether a publish of this id is still without its acknowledgement.</summary>
    public bool IsOwed(ushort packetId)
    {
        lock (_owed)
        {
            return _byId.ContainsKey(packetId);
        }
    }

    /// <summary>The acknowledgement of a publish is ready.</summary>
    public void Ready(ushort packetId, MqttPacket acknowledgement)
    {
        lock (_owed)
        {
            if (!_byId.TryGetValue(packetId, out var owed))
            {
                send(acknowledgement);
                return;
            }

            Ready(owed, acknowledgement);
        }
    }

    /// <inheritdoc cref="Ready(ushort, MqttPacket)"/>
    public void Ready(Owed owed, MqttPacket acknowledgement)
    {
        lock (_owed)
        {
            owed.Packet = acknowledgement;
            while (_owed.TryPeek(out var first) && first.Packet is { } packet)
            {
                _owed.Dequeue();
                if (_byId.TryGetValue(first.PacketId, out var current) && ReferenceEquals(current, first))
                {
                    _byId.Remove(first.PacketId);
                }

                send(packet);
            }
        }
    }

    internal sealed class Owed(ushort packetId, bool received)
    {
        public ushort PacketId { get; } = packetId;

        /// <summary>Whether it is a PUBREC (QoS 2) and not a PUBACK.</summary>
        public bool IsReceived { get; } = received;

        public MqttPacket? Packet { get; set; }
    }
}
