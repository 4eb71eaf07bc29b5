using MQTTnet.Adapter;
using MQTTnet.Formatter;
using MQTTnet.Packets;

namespace EdgeOrleans.Edge.EventBus;

/// <summary>
/// Reads packets from a socket. A packet's header is looked at before anything is allocated for the rest, and its bytes are checked
/// before they are decoded.
/// </summary>
/// <param name="stream">The socket.</param>
/// <param name="maxPacketSize">The largest packet that is taken, in bytes.</param>
/// <param name="formatter">What decodes them.</param>
/// <param name="ofBroker">Whether a broker sends them. Otherwise a client does, and its first packet says which MQTT it speaks.</param>
internal sealed class MqttReceiver(Stream stream, int maxPacketSize, MqttPacketFormatterAdapter formatter, bool ofBroker = false)
{
    /// <summary>How many topic aliases a client of MQTT 5 may use.</summary>
    public const ushort MostAliases = 64;

    private const int FirstBuffer = 2_048;
    private const int LargestKeptBuffer = 16_384;

    private byte[] _received = new byte[FirstBuffer];
    private int _from;
    private int _to;
    private Dictionary<ushort, string>? _aliases;

    public long BytesReceived { get; private set; }

    /// <summary>How large its buffer is, in bytes.</summary>
    public int Buffer => _received.Length;

    public long PacketsReceived { get; private set; }

    public long MessagesReceived { get; private set; }

    /// <summary>Whether the client has said that it is a bridge to another broker: the highest bit of its protocol level, before MQTT 5.</summary>
    public bool IsBridge { get; private set; }

    private bool IsVersion5 => formatter.ProtocolVersion == MqttProtocolVersion.V500;

    /// <summary>Takes the next packet when all of it is here.</summary>
    /// <exception cref="MqttDoorException">It is too large, or it breaks a rule.</exception>
    public bool TryRead(out MqttPacket packet, out PacketFacts facts)
    {
        (packet, facts) = (null!, default);
        if (_to - _from < 2 || !MqttFrame.TryRead(_received.AsSpan(_from, _to - _from), maxPacketSize, out var frame))
        {
            return false;
        }

        if (_to - _from < frame.Length)
        {
            MakeRoom(frame.Length);
            return false;
        }

        var body = new ArraySegment<byte>(_received, _from + frame.HeaderLength, frame.BodyLength);
        _from += frame.Length;
        BytesReceived += frame.Length;
        PacketsReceived++;
        packet = Decode(new ReceivedMqttPacket(frame.Header, body, frame.Length), out facts);
        return true;
    }

    /// <summary>Reads more bytes. False when the client has ended the connection.</summary>
    public async ValueTask<bool> FillAsync(CancellationToken cancellation)
    {
        if (_from == _to)
        {
            (_from, _to) = (0, 0);
            if (_received.Length > LargestKeptBuffer)
            {
                _received = new byte[FirstBuffer];
            }
        }
        else if (_to == _received.Length)
        {
            MakeRoom(Math.Min(2 * (_to - _from), maxPacketSize + 5));
        }

        var read = await stream.ReadAsync(_received.AsMemory(_to), cancellation);
        _to += read;
        return read > 0;
    }

    private MqttPacket Decode(ReceivedMqttPacket received, out PacketFacts facts)
    {
        if (formatter.ProtocolVersion == MqttProtocolVersion.Unknown)
        {
            Detect(received);
        }

        facts = ofBroker ? MqttRules.CheckOfBroker(received.FixedHeader, received.Body) : MqttRules.Check(received.FixedHeader, received.Body, IsVersion5);
        try
        {
            var packet = formatter.Decode(received);
            if (packet is MqttPublishPacket publish)
            {
                MessagesReceived++;
                Unalias(publish);
            }

            return packet;
        }
        catch (Exception e) when (e is not MqttDoorException)
        {
            throw new MqttDoorException(MqttDoorException.Violation, e.Message);
        }
    }

    private void Detect(ReceivedMqttPacket received)
    {
        if (received.FixedHeader >> 4 != 1)
        {
            throw MqttRules.Violation("a first packet that is no CONNECT");
        }

        var cursor = new MqttCursor(received.Body);
        var name = cursor.Text();
        var said = cursor.Byte();
        var level = said & 0x7F;
        var isKnown = name.SequenceEqual("MQTT"u8) ? level is 4 or 5 : name.SequenceEqual("MQIsdp"u8) && level == 3;
        if (!isKnown)
        {
            throw new MqttDoorException(MqttDoorException.Version, $"protocol level {level}; 3.1, 3.1.1 and 5 are spoken here")
            {
                Farewell = !name.SequenceEqual("MQTT"u8) ? [] : level > 5 ? [0x20, 3, 0, 0x84, 0] : [0x20, 2, 0, 1],
            };
        }

        // The decoder wants an identifier or a clean session; what the client is told without either is the same in all versions before 5.
        if (level < 5 && IsNobody(ref cursor))
        {
            throw new MqttDoorException(MqttDoorException.Violation, "no client identifier and no clean session") { Farewell = [0x20, 2, 0, 2] };
        }

        IsBridge = level < 5 && said != level;
        formatter.DetectProtocolVersion(received);
    }

    private static bool IsNobody(ref MqttCursor cursor)
    {
        var isClean = (cursor.Byte() & 0x02) != 0;
        cursor.Short();
        return !isClean && cursor.Text().IsEmpty;
    }

    // Aliases are this connection's alone: nobody behind the door hears of them.
    private void Unalias(MqttPublishPacket publish)
    {
        if (publish.TopicAlias > MostAliases)
        {
            throw new MqttDoorException(MqttDoorException.Violation, $"topic alias {publish.TopicAlias}; at most {MostAliases} are granted")
            {
                Code = MQTTnet.Protocol.MqttDisconnectReasonCode.TopicAliasInvalid,
            };
        }

        if (publish.TopicAlias != 0)
        {
            _aliases ??= [];
            if (string.IsNullOrEmpty(publish.Topic))
            {
                publish.Topic = _aliases.GetValueOrDefault(publish.TopicAlias, "");
            }
            else
            {
                _aliases[publish.TopicAlias] = publish.Topic;
            }
        }

        if (!MqttRules.IsTopic(publish.Topic))
        {
            throw new MqttDoorException(MqttDoorException.Violation, "a PUBLISH without a topic, with an unknown alias, or to a filter with wildcards")
            {
                Code = string.IsNullOrEmpty(publish.Topic)
                    ? MQTTnet.Protocol.MqttDisconnectReasonCode.ProtocolError
                    : MQTTnet.Protocol.MqttDisconnectReasonCode.TopicNameInvalid,
            };
        }
    }

    private void MakeRoom(int length)
    {
        var waiting = _received.AsSpan(_from, _to - _from);
        if (length > _received.Length)
        {
            // It grows with what has arrived, not with what was announced.
            var larger = new byte[Math.Min(length, Math.Max(2 * _received.Length, 2 * waiting.Length))];
            waiting.CopyTo(larger);
            _received = larger;
        }
        else if (_from > 0)
        {
            waiting.CopyTo(_received);
        }
        else
        {
            return;
        }

        (_from, _to) = (0, waiting.Length);
    }
}
