using MQTTnet.Protocol;

namespace EdgeOrleans.Edge.EventBus;

/// <summary>The fixed header of an MQTT packet: looked at before anything is allocated for the rest.</summary>
internal readonly record struct MqttFrame(byte Header, int HeaderLength, int BodyLength)
{
    public int Length => HeaderLength + BodyLength;

    /// <summary>Reads the fixed header.</summary>
    /// <returns>False when more bytes are needed.</returns>
    /// <exception cref="MqttDoorException">The remaining length has more than four bytes, or the packet is larger than allowed.</exception>
    public static bool TryRead(ReadOnlySpan<byte> bytes, int maxPacketSize, out MqttFrame frame)
    {
        frame = default;
        var body = 0;
        for (var i = 1; i < bytes.Length; i++)
        {
            body |= (bytes[i] & 0x7F) << (7 * (i - 1));
            if ((bytes[i] & 0x80) == 0)
            {
                frame = new MqttFrame(bytes[0], i + 1, body);
                return frame.Length <= maxPacketSize
                    ? true
                    : throw new MqttDoorException(MqttDoorException.TooLarge, $"a packet of {frame.Length} bytes; at most {maxPacketSize} are taken");
            }

            if (i == 4)
            {
                throw new MqttDoorException(MqttDoorException.Violation, "a remaining length of more than four bytes");
            }
        }

        return false;
    }
}

/// <summary>A client broke a rule of MQTT or a limit of the door: its connection ends, and the reason is counted.</summary>
internal sealed class MqttDoorException(string reason, string message) : Exception(message)
{
    public const string TooLarge = "mqtt.packet-too-large";
    public const string Violation = "mqtt.protocol-violation";
    public const string Version = "mqtt.unknown-version";

    /// <summary>What is counted.</summary>
    public string Reason { get; } = reason;

    /// <summary>What an MQTT 5 client is told.</summary>
    public MqttDisconnectReasonCode Code { get; init; } =
        reason == TooLarge ? MqttDisconnectReasonCode.PacketTooLarge : MqttDisconnectReasonCode.ProtocolError;

    /// <summary>The bytes that a client is told whose version nobody knows yet.</summary>
    public byte[] Farewell { get; init; } = [];
}
