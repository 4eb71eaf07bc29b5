using System.Buffers.Binary;
using System.Text;

namespace EdgeOrleans.TestKit;

/// <summary>A packet of MQTT 3.1.1 as it came. Its bytes are good until the next one is read.</summary>
/// <param name="First">The first byte: type and flags.</param>
/// <param name="Body">What follows the length.</param>
public readonly record struct MqttPacket(byte First, ReadOnlyMemory<byte> Body)
{
    /// <summary>CONNACK.</summary>
    public const int ConnAck = 2;

    /// <summary>PUBLISH.</summary>
    public const int Publish = 3;

    /// <summary>PUBACK.</summary>
    public const int PubAck = 4;

    /// <summary>SUBACK.</summary>
    public const int SubAck = 9;

    /// <summary>The type.</summary>
    public int Type => First >> 4;

    /// <summary>The QoS of a PUBLISH.</summary>
    public int Qos => (First >> 1) & 3;

    /// <summary>The topic of a PUBLISH.</summary>
    public ReadOnlySpan<byte> Topic => Body.Span.Slice(2, TopicLength);

    /// <summary>The payload of a PUBLISH.</summary>
    public ReadOnlySpan<byte> Payload => Body.Span[(2 + TopicLength + (Qos > 0 ? 2 : 0))..];

    /// <summary>The packet identifier of a PUBLISH with QoS, or of an acknowledgement.</summary>
    public ushort Id => BinaryPrimitives.ReadUInt16BigEndian(Type == Publish ? Body.Span[(2 + TopicLength)..] : Body.Span);

    private int TopicLength => BinaryPrimitives.ReadUInt16BigEndian(Body.Span);

    /// <summary>CONNECT with a clean session and no keep-alive.</summary>
    public static byte[] Connect(string clientId)
    {
        byte[] id = Encoding.UTF8.GetBytes(clientId);
        return Whole(0x10, [0, 4, .. "MQTT"u8, 4, 2, 0, 0, (byte)(id.Length >> 8), (byte)id.Length, .. id]);
    }

    /// <summary>CONNECT with a clean session, no keep-alive and a last will.</summary>
    public static byte[] Connect(string clientId, string topic, string will, int qos)
    {
        return Whole(0x10, [0, 4, .. "MQTT"u8, 4, (byte)(2 | 4 | (qos << 3)), 0, 0, .. Text(clientId), .. Text(topic), .. Text(will)]);

        static byte[] Text(string text) => [(byte)(Encoding.UTF8.GetByteCount(text) >> 8), (byte)Encoding.UTF8.GetByteCount(text), .. Encoding.UTF8.GetBytes(text)];
    }

    /// <summary>SUBSCRIBE to one filter.</summary>
    public static byte[] Subscribe(ushort id, string filter, int qos)
    {
        byte[] topic = Encoding.UTF8.GetBytes(filter);
        return Whole(0x82, [(byte)(id >> 8), (byte)id, (byte)(topic.Length >> 8), (byte)topic.Length, .. topic, (byte)qos]);
    }

    /// <summary>PUBLISH; the identifier counts with QoS only.</summary>
    public static byte[] Message(ReadOnlySpan<byte> topic, ReadOnlySpan<byte> payload, int qos = 0, ushort id = 0)
    {
        ReadOnlySpan<byte> identifier = qos > 0 ? [(byte)(id >> 8), (byte)id] : [];
        return Whole((byte)(0x30 | (qos << 1)), [(byte)(topic.Length >> 8), (byte)topic.Length, .. topic, .. identifier, .. payload]);
    }

    /// <summary>PUBLISH of texts.</summary>
    public static byte[] Message(string topic, string payload, int qos = 0, ushort id = 0) =>
        Message(Encoding.UTF8.GetBytes(topic), Encoding.UTF8.GetBytes(payload), qos, id);

    /// <summary>A packet of any first byte and body.</summary>
    public static byte[] Whole(byte first, ReadOnlySpan<byte> body) => [first, .. Length(body.Length), .. body];

    /// <summary>A length as MQTT writes it.</summary>
    public static byte[] Length(int length)
    {
        var bytes = new List<byte>(4);
        do
        {
            bytes.Add((byte)((length & 0x7f) | (length > 0x7f ? 0x80 : 0)));
            length >>= 7;
        }
        while (length > 0);
        return [.. bytes];
    }
}
