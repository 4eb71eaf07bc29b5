using System.Buffers.Binary;
using System.Text;
using EdgeOrleans.TestKit;

namespace EdgeOrleans.Edge.EventBus;

/// <summary>A client that says exactly what a test wants, in MQTT 3.1.1 or 5, byte by byte.</summary>
internal sealed class MqttTalk : IDisposable
{
    public const int PubRec = 5;
    public const int PubRel = 6;
    public const int PubComp = 7;
    public const int UnsubAck = 11;
    public const int PingResp = 13;
    public const int Disconnect = 14;

    private readonly MqttSocket _socket;
    private readonly int _version;
    private readonly Queue<MqttPacket> _passed = new();

    private MqttTalk(MqttSocket socket, int version) => (_socket, _version) = (socket, version);

    /// <summary>The body of the CONNACK: flags, code, properties.</summary>
    public byte[] Welcome { get; private set; } = [];

    public bool IsSessionPresent => Welcome[0] == 1;

    public int Code => Welcome[1];

    public static async Task<MqttTalk> OpenAsync(int port, int version = 5) => new(await MqttSocket.OpenAsync(port), version);

    /// <summary>Connects.</summary>
    public static async Task<MqttTalk> ConnectAsync(
        int port, string client, int version = 5, bool clean = true, ushort keepAlive = 0, byte[]? properties = null, Will? will = null, Login? login = null)
    {
        var talk = await OpenAsync(port, version);
        await talk.SendAsync(ConnectPacket(client, version, clean, keepAlive, properties, will, login));
        talk.Welcome = (await talk.ReadAsync(MqttPacket.ConnAck)).Body.ToArray();
        return talk;
    }

    public static byte[] ConnectPacket(
        string client, int version = 5, bool clean = true, ushort keepAlive = 0, byte[]? properties = null, Will? will = null, Login? login = null)
    {
        var flags = (login is null ? 0 : 0xC0) | (clean ? 2 : 0) | (will is null ? 0 : 4 | (will.Qos << 3) | (will.Retain ? 32 : 0));
        return MqttPacket.Whole(0x10,
        [
            .. Text("MQTT"), (byte)version, (byte)flags, (byte)(keepAlive >> 8), (byte)keepAlive,
            .. version == 5 ? Properties(properties ?? []) : [],
            .. Text(client),
            .. will is null ? [] : (byte[])[.. version == 5 ? Properties(will.Properties ?? []) : [], .. Text(will.Topic), .. Text(will.Payload)],
            .. login is null ? [] : (byte[])[.. Text(login.User), .. Text(login.Password)],
        ]);
    }

    public ValueTask SendAsync(params byte[] bytes) => _socket.SendAsync(bytes);

    public ValueTask PublishAsync(
        string topic, string payload, int qos = 0, ushort id = 0, bool retain = false, bool dup = false, byte[]? properties = null) =>
        SendAsync(MqttPacket.Whole((byte)(0x30 | (dup ? 8 : 0) | (qos << 1) | (retain ? 1 : 0)),
        [
            .. Text(topic), .. qos > 0 ? (byte[])[(byte)(id >> 8), (byte)id] : [], .. _version == 5 ? Properties(properties ?? []) : [],
            .. Encoding.UTF8.GetBytes(payload),
        ]));

    /// <summary>Publishes and waits until the broker has taken it, whatever that is with this QoS.</summary>
    public async Task<int> PublishedAsync(
        string topic, string payload, int qos = 1, ushort id = 1, bool retain = false, bool dup = false, byte[]? properties = null)
    {
        await PublishAsync(topic, payload, qos, id, retain, dup, properties);
        if (qos == 0)
        {
            await PingAsync();
            return 0;
        }

        var answer = await ReadAsync(qos == 1 ? MqttPacket.PubAck : PubRec);
        Assert.Equal(id, answer.Id);
        var code = answer.Body.Length > 2 ? answer.Body.Span[2] : 0;
        if (qos == 2 && code < 0x80)
        {
            await SendAsync(0x62, 2, (byte)(id >> 8), (byte)id);
            Assert.Equal(id, (await ReadAsync(PubComp)).Id);
        }

        return code;
    }

    /// <summary>Subscribes and returns the codes.</summary>
    public async Task<byte[]> SubscribeAsync(byte[]? properties, params (string Filter, int Options)[] wishes)
    {
        await SendAsync(MqttPacket.Whole(0x82,
        [
            0, 9, .. _version == 5 ? Properties(properties ?? []) : [], .. wishes.SelectMany(wish => (byte[])[.. Text(wish.Filter), (byte)wish.Options]),
        ]));
        var answer = await ReadAsync(MqttPacket.SubAck);
        Assert.Equal(9, answer.Id);
        return answer.Body.ToArray()[(_version == 5 ? 3 : 2)..];
    }

    public Task<byte[]> SubscribeAsync(string filter, int options = 0) => SubscribeAsync(null, (filter, options));

    public async Task<byte[]> UnsubscribeAsync(params string[] filters)
    {
        await SendAsync(MqttPacket.Whole(0xA2, [0, 8, .. _version == 5 ? (byte[])[0] : [], .. filters.SelectMany(Text)]));
        var answer = await ReadAsync(UnsubAck);
        Assert.Equal(8, answer.Id);
        return answer.Body.ToArray()[(_version == 5 ? 3 : 2)..];
    }

    public async Task PingAsync()
    {
        await SendAsync(0xC0, 0);
        await ReadAsync(PingResp);
    }

    /// <summary>The broker has nothing for this client but the answer to its ping.</summary>
    public async Task HearsNothingAsync()
    {
        await SendAsync(0xC0, 0);
        await NextAsync(PingResp);
    }

    public ValueTask AckAsync(Heard heard) => SendAsync((byte)(heard.Qos == 1 ? 0x40 : 0x50), 2, (byte)(heard.Id >> 8), (byte)heard.Id);

    public ValueTask GoodbyeAsync() => SendAsync(0xE0, 0);

    /// <summary>The next packet, which has to be of this type.</summary>
    public async Task<MqttPacket> NextAsync(int type)
    {
        var packet = await NextAsync();
        Assert.True(packet is not null, $"the connection ended before a packet of type {type}");
        Assert.Equal(type, packet.Value.Type);
        return packet.Value;
    }

    public async Task<MqttPacket?> NextAsync()
    {
        if (_passed.TryDequeue(out var passed))
        {
            return passed;
        }

        using var patience = new CancellationTokenSource(Patience.Default);
        await using var end = patience.Token.Register(_socket.Dispose);
        return await _socket.ReadAsync();
    }

    /// <summary>The first packet of a type; those before it are kept for later.</summary>
    public async Task<MqttPacket> ReadAsync(int type)
    {
        MqttPacket? found = null;
        for (var kept = _passed.Count; kept > 0; kept--)
        {
            var packet = _passed.Dequeue();
            if (found is null && packet.Type == type)
            {
                found = packet;
            }
            else
            {
                _passed.Enqueue(packet);
            }
        }

        if (found is not null)
        {
            return found.Value;
        }

        using var patience = new CancellationTokenSource(Patience.Default);
        await using var end = patience.Token.Register(_socket.Dispose);
        while (await _socket.ReadAsync() is { } packet)
        {
            if (packet.Type == type)
            {
                return packet;
            }

            _passed.Enqueue(packet with { Body = packet.Body.ToArray() });
        }

        throw new EndOfStreamException($"the connection ended before a packet of type {type}");
    }

    /// <summary>The next PUBLISH, which has to be the next packet.</summary>
    public async Task<Heard> HearAsync() => Parse(await NextAsync(MqttPacket.Publish));

    /// <summary>The next PUBLISH whatever comes before, acknowledged to its end.</summary>
    public async Task<Heard> HearAndAckAsync()
    {
        var heard = Parse(await ReadAsync(MqttPacket.Publish));
        if (heard.Qos > 0)
        {
            await AckAsync(heard);
        }

        if (heard.Qos == 2)
        {
            Assert.Equal(heard.Id, (await ReadAsync(PubRel)).Id);
            await SendAsync(0x70, 2, (byte)(heard.Id >> 8), (byte)heard.Id);
        }

        return heard;
    }

    /// <summary>The broker ends the connection; what it said last in MQTT 5.</summary>
    public async Task<int?> EndedAsync()
    {
        int? code = null;
        while (await NextAsync() is { } packet)
        {
            code = packet.Type switch
            {
                Disconnect => packet.Body.Length > 0 ? packet.Body.Span[0] : 0,
                MqttPacket.ConnAck => packet.Body.Span[1],
                _ => code,
            };
        }

        return code;
    }

    public Heard Parse(MqttPacket packet)
    {
        var body = packet.Body.Span;
        var topic = Encoding.UTF8.GetString(packet.Topic);
        var at = 2 + packet.Topic.Length;
        var id = packet.Qos > 0 ? BinaryPrimitives.ReadUInt16BigEndian(body[at..]) : (ushort)0;
        at += packet.Qos > 0 ? 2 : 0;
        byte[] properties = [];
        if (_version == 5)
        {
            int length = 0, shift = 0, next;
            do
            {
                next = body[at++];
                length |= (next & 0x7F) << shift;
                shift += 7;
            }
            while (next >= 0x80);
            properties = body.Slice(at, length).ToArray();
            at += length;
        }

        return new Heard(packet.Qos, (packet.First & 8) != 0, (packet.First & 1) != 0, topic, id, properties, Encoding.UTF8.GetString(body[at..]));
    }

    public void Dispose() => _socket.Dispose();

    public static byte[] Text(string text)
    {
        var bytes = Encoding.UTF8.GetBytes(text);
        return [(byte)(bytes.Length >> 8), (byte)bytes.Length, .. bytes];
    }

    public static byte[] Expiry(uint seconds) => [0x11, .. Four(seconds)];

    public static byte[] Four(uint value) => [(byte)(value >> 24), (byte)(value >> 16), (byte)(value >> 8), (byte)value];

    private static byte[] Properties(byte[] properties) => [.. MqttPacket.Length(properties.Length), .. properties];

    internal sealed record Will(string Topic, string Payload, int Qos = 0, bool Retain = false, byte[]? Properties = null);

    internal sealed record Login(string User, string Password);

    internal sealed record Heard(int Qos, bool Dup, bool Retain, string Topic, ushort Id, byte[] Properties, string Payload);
}
