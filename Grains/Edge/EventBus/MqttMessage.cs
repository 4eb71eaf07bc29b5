using System.Buffers;
using System.Buffers.Binary;
using System.Text;
using MQTTnet.Packets;
using MQTTnet.Protocol;

namespace EdgeOrleans.Edge.EventBus;

/// <summary>A message as it was published. However many sessions wait for it, it is there once: in memory and on disk.</summary>
internal sealed class MqttMessage
{
    // What an entry costs besides its bytes.
    private const int Overhead = 128;
    private long _number;

    public required string Topic { get; init; }

    public required byte[] TopicUtf8 { get; init; }

    public required ReadOnlyMemory<byte> Payload { get; init; }

    public required int Qos { get; init; }

    /// <summary>Whether it was published to be retained.</summary>
    public bool Retain { get; init; }

    /// <summary>The properties that go through unchanged, as MQTT 5 writes them.</summary>
    public byte[] Properties { get; init; } = [];

    /// <summary>When it was published, in Unix milliseconds.</summary>
    public required long Created { get; init; }

    /// <summary>When it is worth nothing any more, in Unix milliseconds; <see cref="long.MaxValue"/> for never.</summary>
    public long Expires { get; init; } = long.MaxValue;

    public int Size => Overhead + TopicUtf8.Length + Payload.Length + Properties.Length;

    /// <summary>Its number on disk; 0 as long as it is not meant to go there.</summary>
    public long Number => Interlocked.Read(ref _number);

    public bool IsExpired(long now) => now >= Expires;

    /// <summary>What is left of its expiry interval, in whole seconds; null when it has none.</summary>
    public uint? SecondsLeft(long now) => Expires == long.MaxValue ? null : (uint)Math.Clamp((Expires - now + 999) / 1_000, 0, uint.MaxValue);

    /// <summary>Gives it its number, once.</summary>
    public void Numbered(long number) => Interlocked.CompareExchange(ref _number, number, 0);

    /// <summary>A message that a client has published.</summary>
    public static MqttMessage Of(MqttPublishPacket publish, Outlet outlet, bool retain, uint? expiry, long now) => new()
    {
        Topic = outlet.Topic,
        TopicUtf8 = outlet.TopicUtf8,
        Payload = publish.Payload.IsSingleSegment ? publish.Payload.First : publish.Payload.ToArray(),
        Qos = (int)publish.QualityOfServiceLevel,
        Retain = retain,
        Properties = Encode(
            publish.PayloadFormatIndicator, publish.ContentType, publish.ResponseTopic, publish.CorrelationData, publish.UserProperties),
        Created = now,
        Expires = expiry is { } seconds ? now + (seconds * 1_000L) : long.MaxValue,
    };

    /// <summary>The last will of a client, as it is known from its CONNECT.</summary>
    public static MqttMessage WillOf(MqttConnectPacket connect) => new()
    {
        Topic = connect.WillTopic,
        TopicUtf8 = Encoding.UTF8.GetBytes(connect.WillTopic),
        Payload = connect.WillMessage ?? [],
        Qos = (int)connect.WillQoS,
        Retain = connect.WillRetain,
        Properties = Encode(
            connect.WillPayloadFormatIndicator,
            connect.WillContentType,
            connect.WillResponseTopic,
            connect.WillCorrelationData,
            connect.WillUserProperties),
        Created = 0,
    };

    /// <summary>The same as it is published now, retained only where both want it.</summary>
    public MqttMessage At(long now, uint expiry, bool retain = true) => new()
    {
        Topic = Topic,
        TopicUtf8 = TopicUtf8,
        Payload = Payload,
        Qos = Qos,
        Retain = Retain && retain,
        Properties = Properties,
        Created = now,
        Expires = expiry > 0 ? now + (expiry * 1_000L) : long.MaxValue,
    };

    private static byte[] Encode(
        MqttPayloadFormatIndicator format,
        string? contentType,
        string? responseTopic,
        byte[]? correlation,
        List<MqttUserProperty>? user)
    {
        if (format == MqttPayloadFormatIndicator.Unspecified && contentType is null && responseTopic is null && correlation is null && user is null)
        {
            return [];
        }

        var written = new ArrayBufferWriter<byte>(64);
        if (format != MqttPayloadFormatIndicator.Unspecified)
        {
            written.Write([(byte)0x01, (byte)format]);
        }

        Text(written, 0x03, contentType);
        Text(written, 0x08, responseTopic);
        if (correlation is not null)
        {
            written.Write([(byte)0x09]);
            Binary(written, correlation);
        }

        foreach (var property in user ?? [])
        {
            Text(written, 0x26, property.Name);
            Binary(written, property.ValueBuffer.Span);
        }

        return written.WrittenSpan.ToArray();
    }

    private static void Text(ArrayBufferWriter<byte> written, byte id, string? text)
    {
        if (text is not null)
        {
            written.Write([id]);
            Binary(written, Encoding.UTF8.GetBytes(text));
        }
    }

    private static void Binary(ArrayBufferWriter<byte> written, ReadOnlySpan<byte> bytes)
    {
        BinaryPrimitives.WriteUInt16BigEndian(written.GetSpan(2), (ushort)bytes.Length);
        written.Advance(2);
        written.Write(bytes);
    }
}
