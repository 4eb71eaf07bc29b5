using System.Buffers.Binary;
using System.Text.Unicode;
using MQTTnet.Protocol;

namespace EdgeOrleans.Edge.EventBus;

/// <summary>What a packet says that its decoded form does not keep.</summary>
/// <param name="Expiry">The session expiry interval of a CONNECT or DISCONNECT, the message expiry interval of a PUBLISH; null when it is not there.</param>
internal readonly record struct PacketFacts(uint? Expiry);

/// <summary>
/// The rules of MQTT for the bytes of a packet, looked at before it is decoded: the decoder is made for honest clients and passes over
/// reserved bits, impossible values, properties out of place and text that is none.
/// </summary>
internal static class MqttRules
{
    private const byte SessionExpiry = 0x11;
    private const byte MessageExpiry = 0x02;

    [Flags]
    private enum Place
    {
        None = 0,
        Connect = 1,
        Will = 2,
        Publish = 4,
        Acknowledgement = 8,
        Subscribe = 16,
        Unsubscribe = 32,
        Disconnect = 64,
        Everywhere = 127,
    }

    private enum Form
    {
        Flag,
        Two,
        TwoNotZero,
        Four,
        FourNotZero,
        VariableNotZero,
        Text,
        Topic,
        Binary,
        Pair,
    }

    /// <summary>Checks a packet that a client has sent.</summary>
    /// <exception cref="MqttDoorException">It breaks a rule.</exception>
    public static PacketFacts Check(byte header, ReadOnlySpan<byte> body, bool isVersion5)
    {
        CheckHeader(header);
        var cursor = new MqttCursor(body);
        var facts = (header >> 4) switch
        {
            1 => Connect(ref cursor, isVersion5),
            3 => Publish(header, ref cursor, isVersion5),
            4 or 5 or 6 or 7 => Acknowledgement(ref cursor, isVersion5),
            8 => Subscribe(ref cursor, isVersion5),
            10 => Unsubscribe(ref cursor, isVersion5),
            12 => default,
            14 => Disconnect(ref cursor, isVersion5),
            _ => throw Violation("a packet of a type that a client does not send"),
        };
        return cursor.AtEnd ? facts : throw Malformed("a packet that is longer than what it says");
    }

    /// <summary>Checks a packet that a broker has sent, as far as the decoder does not.</summary>
    /// <exception cref="MqttDoorException">It breaks a rule.</exception>
    public static PacketFacts CheckOfBroker(byte header, ReadOnlySpan<byte> body)
    {
        var cursor = new MqttCursor(body);
        switch (header >> 4)
        {
            case 3:
                CheckHeader(header);
                cursor.Text();
                if ((header & 0x06) != 0)
                {
                    Identifier(ref cursor);
                }

                return default;
            case 2 or 4 or 5 or 6 or 7 or 9 or 11 or 13 or 14:
                return default;
            default:
                throw Violation("a packet of a type that a broker does not send");
        }
    }

    /// <summary>Whether text may be a topic's name: not empty, and without wildcards.</summary>
    public static bool IsTopic(string? topic) => !string.IsNullOrEmpty(topic) && topic.AsSpan().IndexOfAny('+', '#', '\0') < 0;

    /// <summary>Whether text may be a topic filter: wildcards stand for whole levels, and <c>#</c> for the last.</summary>
    public static bool IsFilter(string filter)
    {
        if (filter.Length == 0)
        {
            return false;
        }

        for (var i = 0; i < filter.Length; i++)
        {
            var isWhole = (i == 0 || filter[i - 1] == '/') && (i == filter.Length - 1 || filter[i + 1] == '/');
            if ((filter[i] is '+' or '#' && !isWhole) || (filter[i] == '#' && i != filter.Length - 1))
            {
                return false;
            }
        }

        return true;
    }

    private static void CheckHeader(byte header)
    {
        var flags = header & 0x0F;
        var isRight = (header >> 4) switch
        {
            3 => (flags & 0x06) != 0x06 && (flags & 0x0E) != 0x08,
            6 or 8 or 10 => flags == 2,
            _ => flags == 0,
        };
        if (!isRight)
        {
            throw Malformed("reserved bits in a fixed header, a QoS of 3, or a repeated message with QoS 0");
        }
    }

    private static PacketFacts Connect(ref MqttCursor cursor, bool isVersion5)
    {
        cursor.Text();
        cursor.Byte();
        var flags = cursor.Byte();
        var (hasWill, hasUser, hasPassword) = ((flags & 0x04) != 0, (flags & 0x80) != 0, (flags & 0x40) != 0);
        if ((flags & 0x01) != 0 || (flags & 0x18) == 0x18 || (!hasWill && (flags & 0x38) != 0) || (!isVersion5 && hasPassword && !hasUser))
        {
            throw Malformed("flags of a CONNECT that cannot be together");
        }

        cursor.Short();
        var expiry = isVersion5 ? Properties(ref cursor, Place.Connect) : null;
        cursor.Text();
        if (hasWill)
        {
            if (isVersion5)
            {
                Properties(ref cursor, Place.Will);
            }

            cursor.Text();
            cursor.Binary();
        }

        if (hasUser)
        {
            cursor.Text();
        }

        if (hasPassword)
        {
            cursor.Binary();
        }

        return new PacketFacts(expiry);
    }

    private static PacketFacts Publish(byte header, ref MqttCursor cursor, bool isVersion5)
    {
        cursor.Text();
        if ((header & 0x06) != 0)
        {
            Identifier(ref cursor);
        }

        var facts = new PacketFacts(isVersion5 ? Properties(ref cursor, Place.Publish) : null);
        cursor.Rest();
        return facts;
    }

    private static PacketFacts Acknowledgement(ref MqttCursor cursor, bool isVersion5)
    {
        Identifier(ref cursor);
        if (isVersion5 && !cursor.AtEnd)
        {
            cursor.Byte();
            if (!cursor.AtEnd)
            {
                Properties(ref cursor, Place.Acknowledgement);
            }
        }

        return default;
    }

    private static PacketFacts Subscribe(ref MqttCursor cursor, bool isVersion5)
    {
        Identifier(ref cursor);
        if (isVersion5)
        {
            Properties(ref cursor, Place.Subscribe);
        }

        do
        {
            Filter(ref cursor);
            var options = cursor.Byte();
            if ((options & 0x03) == 0x03 || (options & (isVersion5 ? 0xC0 : 0xFC)) != 0 || (options & 0x30) == 0x30)
            {
                throw Malformed("options of a subscription that are none");
            }
        }
        while (!cursor.AtEnd);
        return default;
    }

    private static PacketFacts Unsubscribe(ref MqttCursor cursor, bool isVersion5)
    {
        Identifier(ref cursor);
        if (isVersion5)
        {
            Properties(ref cursor, Place.Unsubscribe);
        }

        do
        {
            Filter(ref cursor);
        }
        while (!cursor.AtEnd);
        return default;
    }

    private static PacketFacts Disconnect(ref MqttCursor cursor, bool isVersion5)
    {
        if (!isVersion5 || cursor.AtEnd)
        {
            return default;
        }

        cursor.Byte();
        return new PacketFacts(cursor.AtEnd ? null : Properties(ref cursor, Place.Disconnect));
    }

    private static void Filter(ref MqttCursor cursor)
    {
        if (cursor.Text().IsEmpty)
        {
            throw Violation("a topic filter without a character");
        }
    }

    private static void Identifier(ref MqttCursor cursor)
    {
        if (cursor.Short() == 0)
        {
            throw Violation("a packet identifier of 0");
        }
    }

    /// <returns>The expiry interval among them.</returns>
    private static uint? Properties(ref MqttCursor cursor, Place place)
    {
        var properties = new MqttCursor(cursor.Take(cursor.Variable()));
        uint? expiry = null;
        ulong seen = 0;
        while (!properties.AtEnd)
        {
            var id = properties.Byte();
            var (form, where) = Of(id);
            if ((where & place) == 0)
            {
                throw Violation($"property 0x{id:x2} has no place in this packet");
            }

            if (form != Form.Pair && (seen & (1UL << id)) != 0)
            {
                throw Violation($"property 0x{id:x2} twice");
            }

            seen |= 1UL << id;
            var value = Value(ref properties, form);
            if (id is SessionExpiry or MessageExpiry)
            {
                expiry = value;
            }
        }

        return expiry;
    }

    private static uint Value(ref MqttCursor cursor, Form form)
    {
        switch (form)
        {
            case Form.Flag:
                var flag = cursor.Byte();
                return flag <= 1 ? flag : throw Violation("a property that is 0 or 1 has another value");
            case Form.Two:
                return cursor.Short();
            case Form.TwoNotZero:
                return NotZero(cursor.Short());
            case Form.Four:
                return cursor.Long();
            case Form.FourNotZero:
                return NotZero(cursor.Long());
            case Form.VariableNotZero:
                return NotZero((uint)cursor.Variable());
            case Form.Binary:
                cursor.Binary();
                return 0;
            case Form.Pair:
                cursor.Text();
                cursor.Text();
                return 0;
            case Form.Topic:
                return cursor.Text().IndexOfAny((byte)'+', (byte)'#') < 0 ? 0u : throw Violation("a response topic with wildcards");
            default:
                cursor.Text();
                return 0;
        }
    }

    private static uint NotZero(uint value) => value != 0 ? value : throw Violation("a property that may not be 0 is 0");

    private static (Form Form, Place Where) Of(byte id) => id switch
    {
        0x01 => (Form.Flag, Place.Publish | Place.Will),
        MessageExpiry => (Form.Four, Place.Publish | Place.Will),
        0x03 => (Form.Text, Place.Publish | Place.Will),
        0x08 => (Form.Topic, Place.Publish | Place.Will),
        0x09 => (Form.Binary, Place.Publish | Place.Will),
        0x0B => (Form.VariableNotZero, Place.Subscribe),
        SessionExpiry => (Form.Four, Place.Connect | Place.Disconnect),
        0x15 => (Form.Text, Place.Connect),
        0x16 => (Form.Binary, Place.Connect),
        0x17 or 0x19 => (Form.Flag, Place.Connect),
        0x18 => (Form.Four, Place.Will),
        0x1F => (Form.Text, Place.Acknowledgement | Place.Disconnect),
        0x21 => (Form.TwoNotZero, Place.Connect),
        0x22 => (Form.Two, Place.Connect),
        0x23 => (Form.TwoNotZero, Place.Publish),
        0x26 => (Form.Pair, Place.Everywhere),
        0x27 => (Form.FourNotZero, Place.Connect),
        _ => (Form.Flag, Place.None),
    };

    internal static MqttDoorException Malformed(string what) =>
        new(MqttDoorException.Violation, what) { Code = MqttDisconnectReasonCode.MalformedPacket };

    internal static MqttDoorException Violation(string what) => new(MqttDoorException.Violation, what);
}

/// <summary>Reads the parts of a packet, and ends with an exception where they are not there.</summary>
internal ref struct MqttCursor(ReadOnlySpan<byte> bytes)
{
    private ReadOnlySpan<byte> _rest = bytes;

    public readonly bool AtEnd => _rest.IsEmpty;

    public byte Byte() => Take(1)[0];

    public ushort Short() => BinaryPrimitives.ReadUInt16BigEndian(Take(2));

    public uint Long() => BinaryPrimitives.ReadUInt32BigEndian(Take(4));

    public int Variable()
    {
        var value = 0;
        for (var shift = 0; shift < 28; shift += 7)
        {
            var next = Byte();
            value |= (next & 0x7F) << shift;
            if (next < 0x80)
            {
                return next > 0 || shift == 0 ? value : throw MqttRules.Malformed("a variable length with more bytes than it needs");
            }
        }

        throw MqttRules.Malformed("a variable length of more than four bytes");
    }

    public ReadOnlySpan<byte> Binary() => Take(Short());

    /// <summary>Text as UTF-8: well-formed, and without the character 0.</summary>
    public ReadOnlySpan<byte> Text()
    {
        var text = Binary();
        return Utf8.IsValid(text) && !text.Contains((byte)0) ? text : throw MqttRules.Malformed("text that is no UTF-8, or with a character 0");
    }

    public void Rest() => _rest = default;

    public ReadOnlySpan<byte> Take(int length)
    {
        if (length > _rest.Length)
        {
            throw MqttRules.Malformed("a packet that ends before its parts do");
        }

        var taken = _rest[..length];
        _rest = _rest[length..];
        return taken;
    }
}
