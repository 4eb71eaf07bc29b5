using System.Diagnostics.CodeAnalysis;
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

    /// <summary>One publish with QoS 1 or 2 came in. False when its identifier is still in use.</summary>
    public bool TryExpect(ushort packetId, bool received, [NotNullWhen(true)] out Owed? owed)
    {
        lock (_owed)
        {
            owed = new Owed(packetId, received);
            if (!_byId.TryAdd(packetId, owed))
            {
                owed = null;
                return false;
            }

            _owed.Enqueue(owed);
            return true;
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

    /// <summary>The acknowledgement of a publish is ready, if it is still owed here.</summary>
    public void ReadyIfOwed(ushort packetId, MqttPacket acknowledgement)
    {
        lock (_owed)
        {
            if (_byId.TryGetValue(packetId, out var owed) && owed.Packet is null)
            {
                Ready(owed, acknowledgement);
            }
        }
    }

    /// <summary>The acknowledgement of a publish is ready.</summary>
    public void Ready(Owed owed, MqttPacket acknowledgement)
    {
        lock (_owed)
        {
            owed.Packet = acknowledgement;
            while (_owed.TryPeek(out var first) && first.Packet is { } packet)
            {
                _owed.Dequeue();
                _byId.Remove(first.PacketId);

                send(packet);
            }
        }
    }

    internal sealed class Owed(ushort packetId, bool received)
    {
        public ushort PacketId { get; } = packetId;

        /// <summary>Whether it is a PUBREC (QoS 2) and not a PUBACK.</summary>
        public bool IsReceived { get; } = received;

        /// <summary>Where it was published to, when that is to be known.</summary>
        public string Topic { get; set; } = "";

        public MqttPacket? Packet { get; set; }
    }
}
