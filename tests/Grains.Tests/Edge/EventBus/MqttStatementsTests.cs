using EdgeOrleans.TestKit;

namespace EdgeOrleans.Edge.EventBus;

/// <summary>One node for many tests: each has clients and topics of its own.</summary>
public sealed class MqttNode : IAsyncLifetime
{
    public int Port { get; private set; }

    private EdgeNode Node { get; set; } = null!;

    public async ValueTask InitializeAsync()
    {
        Node = await EdgeNode.StartAsync();
        Port = Node.MqttPort;
    }

    public ValueTask DisposeAsync() => Node.DisposeAsync();
}

/// <summary>What the specifications say a server MUST do, on one connection or between connections of a running node.</summary>
public sealed class MqttStatementsTests(MqttNode node) : IClassFixture<MqttNode>
{
    private readonly int _port = node.Port;

    // ---- CONNECT

    [Theory]
    [InlineData(4)]
    [InlineData(5)]
    [Statement("3.1.1", "3.1.0-1", "4.8.0-1")]
    [Statement("5", "3.1.0-1", "4.13.1-1")]
    public async Task A_first_packet_that_is_no_CONNECT_ends_the_connection(int version)
    {
        using var client = await MqttTalk.OpenAsync(_port, version);

        await client.SendAsync(0xC0, 0);

        Assert.Null(await client.EndedAsync());
    }

    [Theory]
    [InlineData(4)]
    [InlineData(5)]
    [Statement("3.1.1", "3.1.0-2", "3.2.0-1")]
    [Statement("5", "3.1.0-2", "3.2.0-1", "3.2.0-2", "3.14.4-2")]
    public async Task A_second_CONNECT_ends_the_connection(int version)
    {
        using var client = await ConnectAsync("second", version);

        await client.SendAsync(MqttTalk.ConnectPacket("second", version));

        Assert.Equal(version == 5 ? 0x82 : null, await client.EndedAsync());
    }

    [Theory]
    [InlineData(6, 0x84)]
    [InlineData(3, 0x01)]
    [Statement("3.1.1", "3.1.2-2")]
    [Statement("5", "3.1.2-1", "3.1.2-2", "3.2.2-7")]
    public async Task A_version_that_is_not_spoken_here_is_told_so(byte level, int code)
    {
        using var client = await MqttTalk.OpenAsync(_port);

        await client.SendAsync(MqttPacket.Whole(0x10, [.. MqttTalk.Text("MQTT"), level, 2, 0, 0, 0, .. MqttTalk.Text("x")]));

        Assert.Equal(code, await client.EndedAsync());
    }

    [Theory]
    [InlineData(0x03)] // reserved bit
    [InlineData(0x1E)] // QoS 3 of a will
    [InlineData(0x0A)] // QoS of a will that is not there
    [InlineData(0x22)] // retain of a will that is not there
    [InlineData(0x42)] // password without a user
    [Statement("3.1.1", "3.1.2-3", "3.1.2-11", "3.1.2-13", "3.1.2-14", "3.1.2-15", "3.1.2-22", "3.1.4-1")]
    [Statement("5", "3.1.2-3", "3.1.2-11", "3.1.2-13", "3.1.2-15", "3.1.4-1")]
    public async Task Flags_of_a_CONNECT_that_cannot_be_together_end_the_connection(byte flags)
    {
        using var client = await MqttTalk.OpenAsync(_port, 4);

        await client.SendAsync(MqttPacket.Whole(0x10, [
            .. MqttTalk.Text("MQTT"), 4, flags, 0, 0, .. MqttTalk.Text("f"), .. MqttTalk.Text("t"), .. MqttTalk.Text("m")]));

        Assert.Null(await client.EndedAsync());
    }

    [Theory]
    [InlineData(new byte[] { 0xC3, 0x28 })]
    [InlineData(new byte[] { 0xED, 0xA0, 0x80 })] // a surrogate
    [InlineData(new byte[] { 0x61, 0x00 })]
    [Statement("3.1.1", "1.5.3-1", "1.5.3-2", "4.7.3-2", "3.1.3-4")]
    [Statement("5", "1.5.4-1", "1.5.4-2", "4.7.3-2", "3.3.2-1")]
    public async Task Text_that_is_no_UTF8_or_has_a_zero_ends_the_connection(byte[] text)
    {
        using var client = await ConnectAsync("utf8");

        await client.SendAsync(MqttPacket.Whole(0x30, [0, (byte)text.Length, .. text, 0]));

        Assert.Equal(0x81, await client.EndedAsync());
    }

    [Fact]
    [Statement("3.1.1", "3.1.3-6", "3.1.3-7", "3.1.3-8")]
    public async Task Without_an_identifier_a_client_needs_a_clean_session()
    {
        using var clean = await MqttTalk.ConnectAsync(_port, "", version: 4);
        using var kept = await MqttTalk.OpenAsync(_port, 4);

        await kept.SendAsync(MqttTalk.ConnectPacket("", version: 4, clean: false));

        Assert.Equal(0, clean.Code);
        Assert.Equal(2, await kept.EndedAsync());
    }

    [Fact]
    [Statement("5", "3.1.3-6", "3.1.3-7", "3.2.2-16")]
    public async Task A_client_without_an_identifier_is_told_the_one_it_gets()
    {
        using var one = await MqttTalk.ConnectAsync(_port, "");
        using var other = await MqttTalk.ConnectAsync(_port, "");

        Assert.Contains((byte)0x12, one.Welcome[3..]);
        Assert.NotEqual(Convert.ToHexString(one.Welcome), Convert.ToHexString(other.Welcome));
    }

    [Theory]
    [InlineData(4, null)]
    [InlineData(5, 0x8E)]
    [Statement("3.1.1", "3.1.4-2")]
    [Statement("5", "3.1.4-3")]
    public async Task A_client_that_comes_again_ends_its_older_connection(int version, int? told)
    {
        using var older = await ConnectAsync("again", version);

        using var newer = await ConnectAsync("again", version);

        Assert.Equal(told, await older.EndedAsync());
        await newer.PingAsync();
    }

    [Fact]
    [Statement("5", "4.12.0-1", "4.13.2-1")]
    public async Task An_authentication_method_that_is_not_known_is_refused()
    {
        using var client = await MqttTalk.OpenAsync(_port);

        await client.SendAsync(MqttTalk.ConnectPacket("auth", properties: [0x15, .. MqttTalk.Text("SCRAM-SHA-1")]));

        Assert.Equal(0x8C, await client.EndedAsync());
    }

    [Theory]
    [InlineData(new byte[] { 0x21, 0, 0 })] // receive maximum 0
    [InlineData(new byte[] { 0x27, 0, 0, 0, 0 })] // maximum packet size 0
    [InlineData(new byte[] { 0x17, 2 })] // neither yes nor no
    [InlineData(new byte[] { 0x11, 0, 0, 0, 1, 0x11, 0, 0, 0, 1 })] // twice
    [InlineData(new byte[] { 0x0B, 1 })] // of another packet
    [InlineData(new byte[] { 0x21, 0 })] // half
    [Statement("5", "3.1.4-1", "4.13.1-1", "2.2.2-1")]
    public async Task Properties_that_are_none_end_the_connection(byte[] properties)
    {
        using var client = await MqttTalk.OpenAsync(_port);

        await client.SendAsync(MqttTalk.ConnectPacket("props", properties: properties));

        Assert.True(await client.EndedAsync() is 0x81 or 0x82);
    }

    [Fact]
    [Statement("3.1.1", "3.1.2-24")]
    [Statement("5", "3.1.2-24", "3.2.2-22")]
    public async Task A_client_that_is_silent_for_longer_than_it_said_is_lost()
    {
        using var client = await ConnectAsync("silent", keepAlive: 1);

        await client.EndedAsync();
    }

    // ---- sessions

    [Fact]
    [Statement("3.1.1", "3.1.2-4", "3.1.2-5", "3.1.2-6", "3.2.2-1", "3.2.2-2", "3.2.2-3", "4.1.0-1", "4.1.0-2")]
    public async Task A_session_of_3_1_1_lives_until_its_client_begins_anew()
    {
        using (var first = await ConnectAsync("kept", 4, clean: false))
        {
            Assert.False(first.IsSessionPresent);
            await first.SubscribeAsync(Topic("kept"), 1);
        }

        await PublishAsync(Topic("kept"), "while away");
        using (var second = await ConnectAsync("kept", 4, clean: false))
        {
            Assert.True(second.IsSessionPresent);
            Assert.Equal("while away", (await second.HearAndAckAsync()).Payload);
        }

        using (var anew = await ConnectAsync("kept", 4))
        {
            Assert.False(anew.IsSessionPresent);
        }

        using var last = await ConnectAsync("kept", 4, clean: false);
        Assert.False(last.IsSessionPresent);
    }

    [Fact]
    [Statement("5", "3.1.2-4", "3.1.2-5", "3.1.2-6", "3.1.2-25", "3.1.4-4", "3.2.2-2", "3.2.2-3", "4.1.0-2")]
    public async Task A_session_of_5_lives_for_its_expiry_interval()
    {
        using (var none = await ConnectAsync("expires"))
        {
            Assert.False(none.IsSessionPresent);
        }

        using (var first = await ConnectAsync("expires", clean: false, properties: MqttTalk.Expiry(60)))
        {
            Assert.False(first.IsSessionPresent);
        }

        using (var second = await ConnectAsync("expires", clean: false, properties: MqttTalk.Expiry(60)))
        {
            Assert.True(second.IsSessionPresent);
            await second.SendAsync(MqttPacket.Whole(0xE0, [0, 5, .. MqttTalk.Expiry(0)]));
            await second.EndedAsync();
        }

        using var third = await ConnectAsync("expires", clean: false);
        Assert.False(third.IsSessionPresent);
    }

    [Fact]
    [Statement("5", "4.13.1-1")]
    public async Task A_session_that_was_to_end_with_its_connection_cannot_be_prolonged_at_its_end()
    {
        using var client = await ConnectAsync("prolong");

        await client.SendAsync(MqttPacket.Whole(0xE0, [0, 5, .. MqttTalk.Expiry(60)]));

        Assert.Equal(0x82, await client.EndedAsync());
    }

    [Theory]
    [InlineData(4)]
    [InlineData(5)]
    [Statement("3.1.1", "3.3.1-1", "3.3.1-3", "4.4.0-1", "4.6.0-6", "4.5.0-1")]
    [Statement("5", "3.3.1-1", "3.3.1-3", "4.4.0-1", "4.5.0-1", "4.6.0-5", "2.2.1-4")]
    public async Task What_was_not_acknowledged_comes_again_in_its_order_marked_and_with_its_identifier(int version)
    {
        var (name, topic) = ($"resend-{version}", Topic($"resend-{version}"));
        var sent = new List<MqttTalk.Heard>();
        using (var before = await ConnectAsync(name, version, clean: false, properties: MqttTalk.Expiry(60)))
        {
            await before.SubscribeAsync(topic, 2);
            using var device = await ConnectAsync(name + "-device");
            for (var i = 0; i < 6; i++)
            {
                await device.PublishedAsync(topic, $"{i}", qos: 1 + (i % 2));
                sent.Add(await before.HearAsync());
            }
        }

        Assert.All(sent, message => Assert.False(message.Dup));
        using var after = await ConnectAsync(name, version, clean: false, properties: MqttTalk.Expiry(60));
        foreach (var message in sent)
        {
            var again = await after.HearAsync();
            Assert.Equal((true, message.Id, message.Payload, message.Qos), (again.Dup, again.Id, again.Payload, again.Qos));
        }
    }

    [Fact]
    [Statement("3.1.1", "4.3.3-1", "4.4.0-1")]
    [Statement("5", "4.3.3-4", "4.3.3-5", "4.3.3-6", "4.4.0-1")]
    public async Task After_its_PUBREC_a_message_is_not_sent_again_and_its_PUBREL_is()
    {
        var topic = Topic("release");
        ushort id;
        using (var before = await ConnectAsync("release", clean: false, properties: MqttTalk.Expiry(60)))
        {
            await before.SubscribeAsync(topic, 2);
            await PublishAsync(topic, "once", qos: 2);
            var heard = await before.HearAsync();
            id = heard.Id;
            await before.AckAsync(heard);
            Assert.Equal(id, (await before.NextAsync(MqttTalk.PubRel)).Id);
        }

        using var after = await ConnectAsync("release", clean: false, properties: MqttTalk.Expiry(60));
        Assert.Equal(id, (await after.NextAsync(MqttTalk.PubRel)).Id);
        await after.SendAsync(0x70, 2, (byte)(id >> 8), (byte)id);
        await after.HearsNothingAsync();
    }

    [Theory]
    [InlineData(4)]
    [InlineData(5)]
    [Statement("3.1.1", "4.3.3-2")]
    [Statement("5", "4.3.3-8", "4.3.3-10", "4.3.3-11", "4.3.3-12")]
    public async Task A_QoS_2_message_that_comes_again_after_a_reconnect_is_delivered_once_and_its_identifier_is_free_after_the_release(int version)
    {
        var (name, topic) = ($"exactly-{version}", Topic($"exactly-{version}"));
        using var listener = await ConnectAsync(name + "-listener");
        await listener.SubscribeAsync(topic, 2);
        using (var before = await ConnectAsync(name, version, clean: false, properties: MqttTalk.Expiry(60)))
        {
            await before.PublishAsync(topic, "first", qos: 2, id: 7);
            await before.ReadAsync(MqttTalk.PubRec);
            await before.PublishAsync(topic, "first", qos: 2, id: 7, dup: true);
            await before.ReadAsync(MqttTalk.PubRec);
        }

        using var after = await ConnectAsync(name, version, clean: false, properties: MqttTalk.Expiry(60));
        await after.PublishedAsync(topic, "first", qos: 2, id: 7, dup: true);
        await after.PublishedAsync(topic, "second", qos: 2, id: 7);

        Assert.Equal("first", (await listener.HearAndAckAsync()).Payload);
        Assert.Equal("second", (await listener.HearAndAckAsync()).Payload);
    }

    [Fact]
    [Statement("5", "4.3.3-11")]
    public async Task A_release_of_nothing_is_completed_and_told_so()
    {
        using var client = await ConnectAsync("nothing");

        await client.SendAsync(0x62, 2, 0, 5);

        Assert.Equal(0x92, (await client.NextAsync(MqttTalk.PubComp)).Body.Span[2]);
    }

    [Fact]
    [Statement("5", "4.4.0-2", "3.5.2-1")]
    public async Task What_a_client_refuses_with_a_reason_does_not_come_again()
    {
        var topic = Topic("refuses");
        using (var before = await ConnectAsync("refuses", clean: false, properties: MqttTalk.Expiry(60)))
        {
            await before.SubscribeAsync(topic, 2);
            await PublishAsync(topic, "unwanted", qos: 2);
            var heard = await before.HearAsync();
            await before.SendAsync(0x50, 4, (byte)(heard.Id >> 8), (byte)heard.Id, 0x83, 0);
            await before.PingAsync();
        }

        using var after = await ConnectAsync("refuses", clean: false, properties: MqttTalk.Expiry(60));
        await after.HearsNothingAsync();
        await PublishAsync(topic, "wanted");
        Assert.Equal("wanted", (await after.HearAsync()).Payload);
    }

    // ---- publishing

    [Theory]
    [InlineData(new byte[] { 0x36, 6, 0, 1, 97, 0, 1, 0 })] // QoS 3
    [InlineData(new byte[] { 0x38, 4, 0, 1, 97, 0 })] // repeated, with QoS 0
    [InlineData(new byte[] { 0x60, 2, 0, 1 })] // PUBREL with wrong flags
    [InlineData(new byte[] { 0x80, 7, 0, 1, 0, 0, 1, 97, 0 })] // SUBSCRIBE with wrong flags
    [InlineData(new byte[] { 0xA0, 6, 0, 1, 0, 0, 1, 97 })] // UNSUBSCRIBE with wrong flags
    [InlineData(new byte[] { 0xE1, 0 })] // DISCONNECT with wrong flags
    [InlineData(new byte[] { 0xC1, 0 })] // PINGREQ with wrong flags
    [Statement("3.1.1", "2.2.2-1", "2.2.2-2", "3.3.1-2", "3.3.1-4", "3.6.1-1", "3.8.1-1", "3.10.1-1", "3.14.1-1")]
    [Statement("5", "2.1.3-1", "3.3.1-2", "3.3.1-4", "3.6.1-1", "3.8.1-1", "3.10.1-1", "3.14.1-1")]
    public async Task Reserved_bits_end_the_connection(byte[] packet)
    {
        using var client = await ConnectAsync("bits");

        await client.SendAsync(packet);

        Assert.Equal(0x81, await client.EndedAsync());
    }

    [Theory]
    [InlineData(new byte[] { 0x30, 4, 0, 1, 0x2B, 0 }, 0x90)] // PUBLISH to +
    [InlineData(new byte[] { 0x30, 3, 0, 0, 0 }, 0x82)] // PUBLISH without a topic
    [InlineData(new byte[] { 0x32, 6, 0, 1, 97, 0, 0, 0 }, 0x82)] // identifier 0
    [InlineData(new byte[] { 0x30, 6, 0, 1, 97, 2, 0x0B, 1 }, 0x82)] // a subscription identifier
    [InlineData(new byte[] { 0x30, 7, 0, 1, 97, 3, 0x23, 0, 0 }, 0x82)] // alias 0
    [InlineData(new byte[] { 0x30, 7, 0, 1, 97, 3, 0x23, 1, 0 }, 0x94)] // an alias beyond what was granted
    [InlineData(new byte[] { 0x30, 8, 0, 1, 97, 4, 0x08, 0, 1, 0x23 }, 0x82)] // a response topic with a wildcard
    [InlineData(new byte[] { 0x30, 5, 0, 1, 97, 0x80, 0 }, 0x81)] // a length with more bytes than it needs
    [InlineData(new byte[] { 0x82, 7, 0, 1, 0, 0, 1, 97, 0x40 }, 0x81)] // reserved bits of a subscription
    [InlineData(new byte[] { 0x82, 7, 0, 1, 0, 0, 1, 97, 3 }, 0x81)] // QoS 3 of a subscription
    [InlineData(new byte[] { 0x82, 3, 0, 1, 0 }, 0x81)] // SUBSCRIBE to nothing
    [InlineData(new byte[] { 0x82, 6, 0, 1, 0, 0, 0, 0 }, 0x82)] // SUBSCRIBE to an empty filter
    [InlineData(new byte[] { 0xA2, 3, 0, 1, 0 }, 0x81)] // UNSUBSCRIBE from nothing
    [InlineData(new byte[] { 0xF0, 2, 0x18, 0 }, 0x82)] // AUTH, which nobody asked for
    [InlineData(new byte[] { 0x20, 3, 0, 0, 0 }, 0x82)] // a packet of a server
    [Statement("3.1.1", "2.3.1-1", "3.3.2-2", "3.8.3-3", "3.10.3-2", "4.7.1-1", "4.7.3-1")]
    [Statement("5", "1.5.5-1", "2.2.1-3", "3.3.2-2", "3.3.2-8", "3.3.2-14", "3.3.4-6", "3.8.3-2", "3.8.3-5", "3.10.3-2", "4.7.0-1", "4.7.3-1", "4.12.0-6")]
    public async Task A_packet_that_breaks_a_rule_ends_the_connection_with_its_reason(byte[] packet, int reason)
    {
        using var client = await ConnectAsync("rule");

        await client.SendAsync(packet);

        Assert.Equal(reason, await client.EndedAsync());
    }

    [Theory]
    [InlineData(4)]
    [InlineData(5)]
    [Statement("3.1.1", "3.3.5-1", "3.3.5-2", "3.8.4-6", "4.3.1-1", "4.3.2-2", "3.3.4-1")]
    [Statement("5", "3.3.4-1", "3.3.4-2", "3.8.4-8", "4.3.1-1", "4.3.2-4", "2.2.1-5")]
    public async Task A_message_is_delivered_with_the_lower_of_both_QoS(int version)
    {
        var topic = Topic($"lower-{version}");
        for (var granted = 0; granted <= 2; granted++)
        {
            using var listener = await ConnectAsync($"lower-{granted}-{version}", version);
            Assert.Equal([(byte)granted], await listener.SubscribeAsync(topic, granted));
            using var device = await ConnectAsync($"lower-device-{version}", version);
            for (var published = 0; published <= 2; published++)
            {
                await device.PublishedAsync(topic, $"{published}", published);
                var heard = await listener.HearAndAckAsync();
                Assert.Equal((Math.Min(granted, published), $"{published}", false), (heard.Qos, heard.Payload, heard.Dup));
            }
        }
    }

    [Fact]
    [Statement("3.1.1", "4.6.0-5", "4.6.0-6", "4.6.0-2", "4.6.0-3")]
    [Statement("5", "4.6.0-5", "4.6.0-6", "4.6.0-2", "4.6.0-3")]
    public async Task Messages_of_one_client_to_one_topic_keep_their_order()
    {
        var topic = Topic("order");
        using var kept = await ConnectAsync("order-kept", clean: false, properties: MqttTalk.Expiry(60));
        using var clean = await ConnectAsync("order-clean");
        await kept.SubscribeAsync(topic, 1);
        await clean.SubscribeAsync(topic, 1);
        using var device = await ConnectAsync("order-device");

        for (ushort i = 1; i <= 200; i++)
        {
            await device.PublishAsync(topic, $"{i}", qos: 1, id: i);
        }

        for (var i = 1; i <= 200; i++)
        {
            Assert.Equal(i, (await device.NextAsync(MqttPacket.PubAck)).Id);
            Assert.Equal($"{i}", (await kept.HearAndAckAsync()).Payload);
            Assert.Equal($"{i}", (await clean.HearAndAckAsync()).Payload);
        }
    }

    [Fact]
    [Statement("5", "3.3.4-9", "3.3.4-10", "4.9.0-1", "4.9.0-2", "4.9.0-3")]
    public async Task No_more_is_sent_than_the_client_wants_unacknowledged()
    {
        var topic = Topic("window");
        using var listener = await ConnectAsync("window", properties: [0x21, 0, 2]);
        await listener.SubscribeAsync(topic, 1);
        using var device = await ConnectAsync("window-device");
        for (var i = 1; i <= 5; i++)
        {
            await device.PublishedAsync(topic, $"{i}");
        }

        var first = await listener.HearAsync();
        await listener.HearAsync();
        await listener.HearsNothingAsync();
        await listener.AckAsync(first);
        Assert.Equal("3", (await listener.HearAsync()).Payload);
        await listener.HearsNothingAsync();
    }

    [Fact]
    [Statement("5", "3.1.2-27", "3.1.2-28")]
    public async Task What_is_larger_than_the_client_takes_is_left_out_for_it()
    {
        var topic = Topic("size");
        using var listener = await ConnectAsync("size", properties: [0x27, .. MqttTalk.Four(100)]);
        await listener.SubscribeAsync(topic, 1);
        using var device = await ConnectAsync("size-device");

        foreach (var qos in (int[])[0, 1, 1])
        {
            await device.PublishedAsync(topic, new string('x', 200), qos);
            await device.PublishedAsync(topic, "small", qos);
            Assert.Equal("small", (await listener.HearAndAckAsync()).Payload);
        }
    }

    [Fact]
    [Statement("5", "3.3.2-7", "3.3.2-12")]
    public async Task An_alias_stands_for_its_topic_on_its_connection_alone()
    {
        var topic = Topic("alias");
        using var listener = await ConnectAsync("alias-listener");
        await listener.SubscribeAsync(topic, 0);
        using (var device = await ConnectAsync("alias-device"))
        {
            await device.PublishAsync(topic, "long", properties: [0x23, 0, 64]);
            await device.PublishAsync("", "short", properties: [0x23, 0, 64]);
            Assert.Equal((topic, "long"), Both(await listener.HearAsync()));
            Assert.Equal((topic, "short"), Both(await listener.HearAsync()));
        }

        using var other = await ConnectAsync("alias-device");
        await other.PublishAsync("", "lost", properties: [0x23, 0, 64]);
        Assert.Equal(0x82, await other.EndedAsync());

        static (string, string) Both(MqttTalk.Heard heard) => (heard.Topic, heard.Payload);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(2)]
    [Statement("5", "3.3.2-4", "3.3.2-13", "3.3.2-15", "3.3.2-16", "3.3.2-17", "3.3.2-18", "3.3.2-19", "3.3.2-20")]
    public async Task What_a_message_says_of_itself_goes_through_unchanged(int qos)
    {
        var topic = Topic($"properties-{qos}");
        byte[] properties =
        [
            0x01, 1, 0x03, .. MqttTalk.Text("text/plain"), 0x08, .. MqttTalk.Text("answer/here"), 0x09, 0, 3, 1, 0, 255,
            0x26, .. MqttTalk.Text("b"), .. MqttTalk.Text("1"), 0x26, .. MqttTalk.Text("a"), .. MqttTalk.Text("2"), 0x26, .. MqttTalk.Text("b"), .. MqttTalk.Text("3"),
        ];
        using var listener = await ConnectAsync($"properties-{qos}");
        await listener.SubscribeAsync(topic, qos);
        using var device = await ConnectAsync("properties-device");

        await device.PublishedAsync(topic, "x", qos, properties: properties);

        Assert.Equal(properties, (await listener.HearAndAckAsync()).Properties);
    }

    [Fact]
    [Statement("5", "3.3.2-6")]
    public async Task The_expiry_interval_is_passed_on()
    {
        var topic = Topic("expiry");
        using var listener = await ConnectAsync("expiry");
        await listener.SubscribeAsync(topic, 1);
        using var device = await ConnectAsync("expiry-device");

        await device.PublishedAsync(topic, "x", properties: [0x02, .. MqttTalk.Four(1_000)]);

        var properties = (await listener.HearAsync()).Properties;
        Assert.Equal(0x02, properties[0]);
        Assert.InRange((properties[3] << 8) | properties[4], 990, 1_000);
    }

    // ---- subscriptions

    [Theory]
    [InlineData(4)]
    [InlineData(5)]
    [Statement("3.1.1", "3.8.4-1", "3.8.4-2", "3.8.4-4", "3.8.4-5", "3.9.3-1", "3.9.3-2")]
    [Statement("5", "2.2.1-6", "3.8.4-1", "3.8.4-2", "3.8.4-5", "3.8.4-6", "3.8.4-7", "3.9.3-1", "3.9.3-2", "4.7.1-1", "4.7.1-2")]
    public async Task Each_wish_is_answered_in_its_place(int version)
    {
        using var client = await ConnectAsync($"wishes-{version}", version);

        var codes = await client.SubscribeAsync(null, ("a/+", 2), ("a/b#", 1), ("a/#", 1), ("a/+b", 0), ("$share/g/a", 1), ("a/#/b", 0), ("+", 0));

        Assert.Equal(version == 5 ? [2, 0x8F, 1, 0x8F, 0x9E, 0x8F, 0] : [2, 0x80, 1, 0x80, 0x80, 0x80, 0], codes);
    }

    [Fact]
    [Statement("3.1.1", "3.8.4-3")]
    [Statement("5", "3.8.4-3", "3.8.4-4", "3.3.1-9")]
    public async Task The_same_wish_again_takes_the_place_of_the_older_and_brings_what_is_retained_again()
    {
        var topic = Topic("replace");
        await PublishAsync(topic, "kept", retain: true);
        using var client = await ConnectAsync("replace");

        await client.SubscribeAsync(topic, 0);
        Assert.Equal((0, true), Of(await client.HearAsync()));
        await client.SubscribeAsync(topic, 1);
        Assert.Equal((1, true), Of(await client.HearAndAckAsync()));
        await PublishAsync(topic, "live");
        Assert.Equal((1, false), Of(await client.HearAndAckAsync()));

        static (int, bool) Of(MqttTalk.Heard heard) => (heard.Qos, heard.Retain);
    }

    [Theory]
    [InlineData(4)]
    [InlineData(5)]
    [Statement("3.1.1", "3.10.4-1", "3.10.4-2", "3.10.4-4", "3.10.4-5", "3.10.4-6")]
    [Statement("5", "3.10.4-1", "3.10.4-2", "3.10.4-4", "3.10.4-5", "3.10.4-6", "3.11.3-1", "3.11.3-2")]
    public async Task A_wish_that_is_taken_back_brings_nothing_more(int version)
    {
        var (one, other) = (Topic($"back-{version}"), Topic($"stay-{version}"));
        using var client = await ConnectAsync($"back-{version}", version);
        await client.SubscribeAsync(null, (one, 1), (other, 1));

        var codes = await client.UnsubscribeAsync(one, "never/wished");
        await PublishAsync(one, "unheard");
        await PublishAsync(other, "heard");

        Assert.Equal(version == 5 ? [0, 0x11] : [], codes);
        Assert.Equal("heard", (await client.HearAsync()).Payload);
    }

    [Fact]
    [Statement("3.1.1", "4.7.2-1", "4.7.1-2", "4.7.1-3", "4.7.3-4")]
    [Statement("5", "4.7.2-1", "4.7.3-4")]
    public async Task A_wildcard_at_the_beginning_stands_for_no_topic_with_a_dollar()
    {
        using var client = await ConnectAsync("dollar");
        await client.SubscribeAsync(null, ("#", 2 << 4), ("+/events/upload/dollar", 2 << 4), ("$hw/events/upload/+", 1));

        await PublishAsync("$hw/events/upload/dollar", "x");

        Assert.Equal(1, (await client.HearAndAckAsync()).Qos);
        await client.HearsNothingAsync();
    }

    [Fact]
    [Statement("5", "3.8.3-3")]
    public async Task A_client_may_want_none_of_its_own()
    {
        var topic = Topic("own");
        using var client = await ConnectAsync("own");
        await client.SubscribeAsync(topic, 1 | 4);

        await client.PublishedAsync(topic, "mine");
        await PublishAsync(topic, "another's");

        Assert.Equal("another's", (await client.HearAsync()).Payload);
    }

    [Fact]
    [Statement("5", "3.3.4-2", "3.3.4-3", "3.3.4-4")]
    public async Task Overlapping_wishes_bring_one_message_with_all_their_identifiers()
    {
        var topic = Topic("overlap");
        using var client = await ConnectAsync("overlap");
        await client.SubscribeAsync([0x0B, 3], (topic, 0));
        await client.SubscribeAsync([0x0B, 200, 1], (topic + "/#", 2));

        await PublishAsync(topic, "x", qos: 2);
        var heard = await client.HearAndAckAsync();

        Assert.Equal(2, heard.Qos);
        Assert.Contains(Convert.ToHexString(heard.Properties), (string[])["0B030BC801", "0BC8010B03"]);
        await client.HearsNothingAsync();
    }

    [Theory]
    [InlineData(0, true)]
    [InlineData(8, false)]
    [Statement("3.1.1", "3.3.1-9")]
    [Statement("5", "3.3.1-12", "3.3.1-13")]
    public async Task The_retain_flag_is_passed_on_only_where_it_is_wanted(int option, bool isCleared)
    {
        var topic = Topic($"flag-{option}");
        using var client = await ConnectAsync($"flag-{option}");
        await client.SubscribeAsync(topic, 1 | option);

        await PublishAsync(topic, "kept", retain: true);
        await PublishAsync(topic, "live");

        Assert.Equal(!isCleared, (await client.HearAsync()).Retain);
        Assert.False((await client.HearAsync()).Retain);
    }

    [Fact]
    [Statement("5", "3.3.1-9", "3.3.1-10", "3.3.1-11")]
    public async Task A_wish_says_when_it_wants_what_is_retained()
    {
        var topic = Topic("handling");
        await PublishAsync(topic, "kept", retain: true);
        using var client = await ConnectAsync("handling");

        await client.SubscribeAsync(topic, 2 << 4);
        await client.HearsNothingAsync();
        await client.SubscribeAsync(topic, 1 << 4);
        await client.HearsNothingAsync();
        await client.UnsubscribeAsync(topic);
        await client.SubscribeAsync(topic, 1 << 4);
        Assert.Equal("kept", (await client.HearAsync()).Payload);
    }

    // ---- retained messages

    [Theory]
    [InlineData(4)]
    [InlineData(5)]
    [Statement("3.1.1", "3.1.2-7", "3.3.1-5", "3.3.1-6", "3.3.1-7", "3.3.1-8", "3.3.1-10", "3.3.1-11", "3.3.1-12")]
    [Statement("5", "3.3.1-5", "3.3.1-6", "3.3.1-7", "3.3.1-8")]
    public async Task The_last_retained_message_of_a_topic_is_what_a_later_listener_hears_first(int version)
    {
        var topic = Topic($"retained-{version}");
        await PublishAsync(topic, "one", retain: true, version: version);
        await PublishAsync(topic, "two", qos: 0, retain: true, version: version);
        await PublishAsync(topic, "three", version: version);
        using (var first = await ConnectAsync($"retained-1-{version}", version))
        {
            await first.SubscribeAsync(topic, 2);
            var heard = await first.HearAsync();
            Assert.Equal(("two", true, 0), (heard.Payload, heard.Retain, heard.Qos));
        }

        await PublishAsync(topic, "", retain: true, version: version);
        using var second = await ConnectAsync($"retained-2-{version}", version);
        await second.SubscribeAsync(topic, 2);
        await second.HearsNothingAsync();
    }

    // ---- wills

    [Theory]
    [InlineData(4)]
    [InlineData(5)]
    [Statement("3.1.1", "3.1.2-8", "3.1.2-16", "3.1.2-17")]
    [Statement("5", "3.1.2-7", "3.1.2-8", "3.1.2-16", "3.1.2-17", "3.1.2-14")]
    public async Task The_will_of_a_lost_client_is_published_with_its_QoS_and_flag(int version)
    {
        var topic = Topic($"will-{version}");
        using var listener = await ConnectAsync($"will-{version}");
        await listener.SubscribeAsync(topic, 2);
        for (var qos = 0; qos <= 2; qos++)
        {
            using (await ConnectAsync($"will-lost-{version}", version, will: new(topic, $"lost-{qos}", qos, Retain: qos == 2)))
            {
            }

            var heard = await listener.HearAndAckAsync();
            Assert.Equal(($"lost-{qos}", qos), (heard.Payload, heard.Qos));
        }

        using var later = await ConnectAsync($"will-later-{version}");
        await later.SubscribeAsync(topic, 0);
        Assert.Equal("lost-2", (await later.HearAsync()).Payload);
    }

    [Theory]
    [InlineData(4)]
    [InlineData(5)]
    [Statement("3.1.1", "3.1.2-10", "3.14.4-3")]
    [Statement("5", "3.1.2-10", "3.14.4-3", "3.1.2-12")]
    public async Task A_client_that_says_goodbye_leaves_no_will(int version)
    {
        var topic = Topic($"goodbye-{version}");
        using var listener = await ConnectAsync($"goodbye-{version}");
        await listener.SubscribeAsync(topic, 0);
        using (var client = await ConnectAsync($"goodbye-client-{version}", version, will: new(topic, "will")))
        {
            await client.GoodbyeAsync();
            await client.EndedAsync();
        }

        await PublishAsync(topic, "marker");
        Assert.Equal("marker", (await listener.HearAsync()).Payload);
    }

    [Fact]
    [Statement("5", "3.1.2-8")]
    public async Task A_goodbye_can_ask_for_the_will()
    {
        var topic = Topic("with-will");
        using var listener = await ConnectAsync("with-will");
        await listener.SubscribeAsync(topic, 0);
        using var client = await ConnectAsync("with-will-client", will: new(topic, "will"));

        await client.SendAsync(0xE0, 1, 4);

        Assert.Equal("will", (await listener.HearAsync()).Payload);
    }

    [Fact]
    [Statement("5", "3.1.2-8", "3.1.2-26")]
    public async Task A_will_that_waits_is_not_published_when_its_client_comes_back_and_is_when_the_session_ends()
    {
        var topic = Topic("delay");
        using var listener = await ConnectAsync("delay");
        await listener.SubscribeAsync(topic, 0);
        var will = new MqttTalk.Will(topic, "will", Properties: [0x18, .. MqttTalk.Four(3_600)]);
        using (await ConnectAsync("delay-client", clean: false, properties: MqttTalk.Expiry(7_200), will: will))
        {
        }

        using (await ConnectAsync("delay-client", clean: false, properties: MqttTalk.Expiry(7_200), will: will))
        {
            await PublishAsync(topic, "marker");
            Assert.Equal("marker", (await listener.HearAsync()).Payload);
        }

        // The session ends because its client begins anew: its will is due.
        using var anew = await ConnectAsync("delay-client");
        Assert.Equal("will", (await listener.HearAsync()).Payload);
    }

    [Theory]
    [InlineData(4)]
    [InlineData(5)]
    [Statement("3.1.1", "3.1.2-8")]
    [Statement("5", "3.1.2-8")]
    public async Task The_will_of_a_connection_that_is_taken_over_is_published(int version)
    {
        var topic = Topic($"takeover-{version}");
        using var listener = await ConnectAsync($"takeover-{version}");
        await listener.SubscribeAsync(topic, 0);
        using var older = await ConnectAsync($"takeover-client-{version}", version, will: new(topic, "will"));

        using var newer = await ConnectAsync($"takeover-client-{version}", version);

        Assert.Equal("will", (await listener.HearAsync()).Payload);
    }

    [Theory]
    [InlineData(4)]
    [InlineData(5)]
    [Statement("3.1.1", "3.12.4-1")]
    [Statement("5", "3.12.4-1")]
    public async Task A_ping_is_answered(int version)
    {
        using var client = await ConnectAsync("ping", version);

        await client.PingAsync();
    }

    private Task<MqttTalk> ConnectAsync(
        string client, int version = 5, bool clean = true, ushort keepAlive = 0, byte[]? properties = null, MqttTalk.Will? will = null) =>
        MqttTalk.ConnectAsync(_port, client, version, clean, keepAlive, properties, will);

    private async Task PublishAsync(string topic, string payload, int qos = 1, bool retain = false, int version = 5)
    {
        using var device = await MqttTalk.ConnectAsync(_port, $"device-{Guid.NewGuid():N}", version);
        await device.PublishedAsync(topic, payload, qos, retain: retain);
    }

    private static string Topic(string name) => $"statements/{name}";
}
