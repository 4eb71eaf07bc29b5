using EdgeOrleans.DbManager;
using EdgeOrleans.Modules;
using EdgeOrleans.TestKit;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Time.Testing;

namespace EdgeOrleans.Edge.EventBus;

/// <summary>What the broker keeps, over an end of the process and within its bounds.</summary>
public sealed class MqttSessionTests
{
    private static readonly byte[] Long = MqttTalk.Expiry(3_600);

    [Theory]
    [InlineData(4)]
    [InlineData(5)]
    [Statement("3.1.1", "3.1.2-4", "3.1.2-5", "4.1.0-1", "4.1.0-2", "4.6.0-6")]
    [Statement("5", "3.1.2-25", "4.1.0-2", "4.5.0-1", "4.6.0-5")]
    public async Task A_session_is_there_after_a_restart_with_what_waited_for_it_in_order(int version)
    {
        await using var node = await EdgeNode.StartAsync();
        using (var reader = await ConnectAsync(node, "reader", version))
        {
            await reader.SubscribeAsync(null, ("plant/+", 2));
        }

        using (var device = await ConnectAsync(node, "device", version, clean: true))
        {
            for (var i = 0; i < 20; i++)
            {
                await device.PublishedAsync("plant/a", $"before-{i}", qos: 1 + (i % 2));
            }
        }

        await node.RestartAsync();
        using (var device = await ConnectAsync(node, "device", version, clean: true))
        {
            await device.PublishedAsync("plant/a", "after", qos: 1);
        }

        using var again = await ConnectAsync(node, "reader", version);
        Assert.True(again.IsSessionPresent);
        for (var i = 0; i < 20; i++)
        {
            var heard = await again.HearAndAckAsync();
            Assert.Equal(($"before-{i}", 1 + (i % 2)), (heard.Payload, heard.Qos));
        }

        Assert.Equal("after", (await again.HearAndAckAsync()).Payload);
        await again.HearsNothingAsync();
    }

    [Fact]
    public async Task What_was_acknowledged_before_a_restart_does_not_come_again()
    {
        await using var node = await EdgeNode.StartAsync();
        using (var reader = await ConnectAsync(node, "reader"))
        {
            await reader.SubscribeAsync("a", 2);
            using var device = await ConnectAsync(node, "device", clean: true);
            await device.PublishedAsync("a", "one", qos: 1);
            await device.PublishedAsync("a", "two", qos: 2);
            await reader.HearAndAckAsync();
            await reader.HearAndAckAsync();
            await reader.PingAsync();
        }

        await node.RestartAsync();
        using var again = await ConnectAsync(node, "reader");
        Assert.True(again.IsSessionPresent);
        await again.HearsNothingAsync();
        Assert.Equal(0, await CountAsync(node, "mqtt_delivery"));
        Assert.Equal(0, await CountAsync(node, "mqtt_message"));
    }

    [Fact]
    [Statement("5", "4.3.3-5", "4.3.3-6", "4.4.0-1")]
    public async Task A_QoS_2_message_that_was_received_is_not_sent_again_after_a_restart_and_its_release_is()
    {
        await using var node = await EdgeNode.StartAsync();
        ushort id;
        using (var reader = await ConnectAsync(node, "reader"))
        {
            await reader.SubscribeAsync("a", 2);
            using var device = await ConnectAsync(node, "device", clean: true);
            await device.PublishedAsync("a", "once", qos: 2);
            var heard = await reader.HearAsync();
            id = heard.Id;
            await reader.AckAsync(heard);
            await reader.NextAsync(MqttTalk.PubRel);
        }

        await node.RestartAsync();
        using var again = await ConnectAsync(node, "reader");
        Assert.Equal(id, (await again.NextAsync(MqttTalk.PubRel)).Id);
        await again.SendAsync(0x70, 2, (byte)(id >> 8), (byte)id);
        await again.HearsNothingAsync();
    }

    [Fact]
    [Statement("3.1.1", "4.3.3-2")]
    [Statement("5", "4.3.3-10", "4.3.3-12")]
    public async Task A_QoS_2_message_of_a_client_counts_once_over_a_restart()
    {
        await using var node = await EdgeNode.StartAsync();
        using (var reader = await ConnectAsync(node, "reader"))
        {
            await reader.SubscribeAsync("a", 2);
        }

        using (var device = await ConnectAsync(node, "device"))
        {
            await device.PublishAsync("a", "once", qos: 2, id: 9);
            await device.ReadAsync(MqttTalk.PubRec);
        }

        await node.RestartAsync();
        using (var device = await ConnectAsync(node, "device"))
        {
            await device.PublishedAsync("a", "once", qos: 2, id: 9, dup: true);
            await device.PublishedAsync("a", "next", qos: 2, id: 9);
        }

        using var again = await ConnectAsync(node, "reader");
        Assert.Equal("once", (await again.HearAndAckAsync()).Payload);
        Assert.Equal("next", (await again.HearAndAckAsync()).Payload);
        await again.HearsNothingAsync();
    }

    [Fact]
    [Statement("3.1.1", "3.3.1-5", "3.3.1-7", "3.3.1-10", "3.3.1-11")]
    [Statement("5", "3.3.1-5", "3.3.1-6", "3.3.1-7")]
    public async Task Retained_messages_of_every_QoS_are_there_after_a_restart_and_removed_ones_are_not()
    {
        await using var node = await EdgeNode.StartAsync();
        byte[] type = [0x03, .. MqttTalk.Text("text/plain")];
        using (var device = await ConnectAsync(node, "device", clean: true))
        {
            await device.PublishedAsync("r/0", "old", qos: 1, retain: true);
            await device.PublishedAsync("r/0", "zero", qos: 0, retain: true);
            await device.PublishedAsync("r/1", "one", qos: 1, retain: true, properties: type);
            await device.PublishedAsync("r/2", "two", qos: 2, retain: true);
            await device.PublishedAsync("r/3", "gone", qos: 1, retain: true);
            await device.PublishedAsync("r/3", "", qos: 1, retain: true);
        }

        await node.RestartAsync();
        using var reader = await ConnectAsync(node, "reader", clean: true);
        await reader.SubscribeAsync("r/#", 2);
        var heard = new List<MqttTalk.Heard>();
        for (var i = 0; i < 3; i++)
        {
            heard.Add(await reader.HearAndAckAsync());
        }

        await reader.HearsNothingAsync();
        Assert.All(heard, message => Assert.True(message.Retain));
        Assert.Equal([("r/0", "zero", 0), ("r/1", "one", 1), ("r/2", "two", 2)], heard.Select(m => (m.Topic, m.Payload, m.Qos)).Order());
        Assert.Equal(type, heard.Single(message => message.Topic == "r/1").Properties);
        Assert.Equal(3, await CountAsync(node, "mqtt_message"));
    }

    [Fact]
    public async Task A_message_for_many_sessions_is_on_disk_once_and_leaves_with_the_last()
    {
        await using var node = await EdgeNode.StartAsync();
        for (var i = 0; i < 5; i++)
        {
            using var reader = await ConnectAsync(node, $"reader-{i}");
            await reader.SubscribeAsync("a", 1);
        }

        using (var device = await ConnectAsync(node, "device", clean: true))
        {
            await device.PublishedAsync("a", "x", qos: 1);
        }

        Assert.Equal((5, 1), (await CountAsync(node, "mqtt_delivery"), await CountAsync(node, "mqtt_message")));
        for (var i = 0; i < 5; i++)
        {
            using var reader = await ConnectAsync(node, $"reader-{i}");
            await reader.HearAndAckAsync();
            await reader.PingAsync();
        }

        await node.RestartAsync();
        Assert.Equal((0, 0), (await CountAsync(node, "mqtt_delivery"), await CountAsync(node, "mqtt_message")));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public async Task A_client_of_5_hears_that_nobody_listens_to_what_it_publishes(int qos)
    {
        const int Nobody = 0x10;
        await using var node = await EdgeNode.StartAsync(Settings(("modules.deviceTwin.unknownDevices", "register")));
        foreach (var clean in (bool[])[true, false])
        {
            using var device = await ConnectAsync(node, "device", clean: clean);
            Assert.Equal(Nobody, await device.PublishedAsync("plant/a", "x", qos));
            Assert.Equal(0, await device.PublishedAsync("plant/kept", "x", qos, retain: true));
            Assert.Equal(0, await device.PublishedAsync("shop/user/x", "x", qos));
            Assert.Equal(0, await device.PublishedAsync("$hw/events/upload/x", "x", qos));
            Assert.Equal(0, await device.PublishedAsync("$hw/events/device/default/d/twin/update", TwinJson.Report("r", ("a", "1")), qos));
            using (var listener = await ConnectAsync(node, "listener", clean: true))
            {
                await listener.SubscribeAsync("plant/#", 0);
                Assert.Equal(0, await device.PublishedAsync("plant/a", "x", qos));
                await listener.UnsubscribeAsync("plant/#");
            }

            Assert.Equal(Nobody, await device.PublishedAsync("plant/a", "x", qos));
        }

        using var older = await ConnectAsync(node, "older", version: 4, clean: true);
        await older.PublishAsync("plant/a", "x", qos, id: 7);
        Assert.Equal(2, (await older.NextAsync(qos == 1 ? MqttPacket.PubAck : MqttTalk.PubRec)).Body.Length);
    }

    [Fact]
    public async Task A_QoS_2_message_that_nobody_listens_to_is_answered_the_same_when_it_comes_again()
    {
        await using var node = await EdgeNode.StartAsync();
        using (var device = await ConnectAsync(node, "device"))
        {
            await device.PublishAsync("plant/a", "x", qos: 2, id: 9);
            Assert.Equal(0x10, (await device.NextAsync(MqttTalk.PubRec)).Body.Span[2]);
        }

        using var again = await ConnectAsync(node, "device");
        Assert.Equal(0x10, await again.PublishedAsync("plant/a", "x", qos: 2, id: 9, dup: true));
    }

    [Fact]
    public async Task A_session_without_a_stay_costs_no_row()
    {
        await using var node = await EdgeNode.StartAsync();
        using var reader = await ConnectAsync(node, "reader", clean: true, properties: []);
        await reader.SubscribeAsync("a", 2);
        using var device = await ConnectAsync(node, "device", clean: true, properties: []);

        await device.PublishedAsync("a", "x", qos: 2);
        await reader.HearAndAckAsync();

        foreach (var table in (string[])["mqtt_session", "mqtt_subscription", "mqtt_message", "mqtt_delivery", "mqtt_received"])
        {
            Assert.Equal(0, await CountAsync(node, table));
        }
    }

    [Fact]
    [Statement("3.1.1", "3.10.4-1", "3.10.4-2")]
    [Statement("5", "3.10.4-1", "3.10.4-2", "3.3.1-13")]
    public async Task A_subscription_that_was_taken_back_stays_so_after_a_restart()
    {
        await using var node = await EdgeNode.StartAsync();
        using (var reader = await ConnectAsync(node, "reader"))
        {
            await reader.SubscribeAsync([0x0B, 5], ("stay", 1 | 8), ("go", 1));
            await reader.UnsubscribeAsync("go");
        }

        await node.RestartAsync();
        using (var device = await ConnectAsync(node, "device", clean: true))
        {
            await device.PublishedAsync("go", "unheard", qos: 1);
            await device.PublishedAsync("stay", "heard", qos: 1, retain: true);
        }

        using var again = await ConnectAsync(node, "reader");
        var heard = await again.HearAndAckAsync();
        Assert.Equal(("heard", true), (heard.Payload, heard.Retain));
        Assert.Equal([0x0B, 5], heard.Properties);
        await again.HearsNothingAsync();
    }

    [Theory]
    [InlineData("oldest", "3 4 5 6")]
    [InlineData("newest", "1 2 3 4")]
    public async Task A_full_queue_gives_way_as_it_was_told_and_counts(string policy, string left)
    {
        await using var node = await EdgeNode.StartAsync(Settings(("modules.eventBus.mqttSessionQueueSize", "4"), ("modules.eventBus.sessionQueueFull", policy)));
        using (var reader = await ConnectAsync(node, "reader"))
        {
            await reader.SubscribeAsync("a", 1);
        }

        using (var device = await ConnectAsync(node, "device", clean: true))
        {
            for (var i = 1; i <= 6; i++)
            {
                Assert.Equal(0, await device.PublishedAsync("a", $"{i}", qos: 1));
            }
        }

        await node.RestartAsync();
        using var again = await ConnectAsync(node, "reader");
        foreach (var expected in left.Split(' '))
        {
            Assert.Equal(expected, (await again.HearAndAckAsync()).Payload);
        }

        await again.HearsNothingAsync();
    }

    [Fact]
    public async Task A_queue_is_bounded_by_its_bytes_too()
    {
        await using var node = await EdgeNode.StartAsync(Settings(("modules.eventBus.sessionQueueBytes", "64Ki")));
        using (var reader = await ConnectAsync(node, "reader"))
        {
            await reader.SubscribeAsync("a", 1);
        }

        using (var device = await ConnectAsync(node, "device", clean: true))
        {
            for (var i = 1; i <= 10; i++)
            {
                await device.PublishedAsync("a", $"{i} " + new string('x', 20_000), qos: 1);
            }
        }

        using var again = await ConnectAsync(node, "reader");
        Assert.StartsWith("8 ", (await again.HearAndAckAsync()).Payload, StringComparison.Ordinal);
        Assert.Equal(7, Count(node, "mqtt.queue-full"));
    }

    [Fact]
    [Statement("5", "3.3.2-5", "3.3.2-6", "4.1.0-2")]
    public async Task Sessions_messages_and_retained_messages_end_when_their_time_is_over()
    {
        var clock = new FakeTimeProvider(DateTimeOffset.UtcNow);
        await using var node = await EdgeNode.StartAsync(Settings(), silo => silo.Services.AddSingleton<TimeProvider>(clock));
        using (var reader = await ConnectAsync(node, "reader", properties: MqttTalk.Expiry(100)))
        {
            await reader.SubscribeAsync("a/+", 1);
        }

        using (var device = await ConnectAsync(node, "device", clean: true))
        {
            await device.PublishedAsync("a/1", "short", qos: 1, retain: true, properties: [0x02, .. MqttTalk.Four(30)]);
            await device.PublishedAsync("a/2", "long", qos: 1, properties: [0x02, .. MqttTalk.Four(90)]);
        }

        await Until(() => node.Services.GetRequiredService<Sessions>().Find("reader") is { Connection: null });
        clock.Advance(TimeSpan.FromSeconds(40));
        using (var again = await ConnectAsync(node, "reader", properties: MqttTalk.Expiry(100)))
        {
            Assert.True(again.IsSessionPresent);
            var heard = await again.HearAndAckAsync();
            Assert.Equal("long", heard.Payload);
            Assert.Equal((0x02, 50), (heard.Properties[0], heard.Properties[4]));
            await again.SubscribeAsync("a/1", 1);
            await again.HearsNothingAsync();
        }

        await Until(() => node.Services.GetRequiredService<Sessions>().Find("reader") is { Connection: null });
        clock.Advance(TimeSpan.FromSeconds(101));
        await Until(() => node.Services.GetRequiredService<Sessions>().Find("reader") is null);
        using var late = await ConnectAsync(node, "reader");
        Assert.False(late.IsSessionPresent);
    }

    [Fact]
    [Statement("5", "3.1.2-8", "3.1.2-10")]
    public async Task A_will_with_a_delay_is_published_when_its_time_is_over()
    {
        var clock = new FakeTimeProvider(DateTimeOffset.UtcNow);
        await using var node = await EdgeNode.StartAsync(Settings(), silo => silo.Services.AddSingleton<TimeProvider>(clock));
        using var listener = await ConnectAsync(node, "listener", clean: true);
        await listener.SubscribeAsync("wills", 0);
        using (await MqttTalk.ConnectAsync(
            node.MqttPort, "lost", clean: false, properties: Long, will: new("wills", "late", Properties: [0x18, .. MqttTalk.Four(60)])))
        {
        }

        await Until(() => node.Services.GetRequiredService<Sessions>().Find("lost") is { Will.Due: not null });
        clock.Advance(TimeSpan.FromSeconds(59));
        await listener.HearsNothingAsync();
        clock.Advance(TimeSpan.FromSeconds(2));
        Assert.Equal("late", (await listener.HearAsync()).Payload);
    }

    [Fact]
    public async Task No_will_is_published_because_the_node_stops()
    {
        await using var node = await EdgeNode.StartAsync();
        using (var listener = await ConnectAsync(node, "listener"))
        {
            await listener.SubscribeAsync("wills", 1);
        }

        using var client = await MqttTalk.ConnectAsync(node.MqttPort, "client", will: new("wills", "lost", 1, Retain: true));
        await node.RestartAsync();

        Assert.Equal(0x8B, await client.EndedAsync());
        using var again = await ConnectAsync(node, "listener");
        await again.HearsNothingAsync();
    }

    [Fact]
    public async Task There_are_no_more_sessions_subscriptions_and_retained_messages_than_allowed()
    {
        await using var node = await EdgeNode.StartAsync(Settings(
            ("modules.eventBus.maxSessions", "2"), ("modules.eventBus.maxSubscriptions", "2"), ("modules.eventBus.maxRetainedMessages", "1")));
        using var one = await ConnectAsync(node, "one");
        using var two = await ConnectAsync(node, "two");
        using var three = await MqttTalk.OpenAsync(node.MqttPort);
        await three.SendAsync(MqttTalk.ConnectPacket("three"));
        Assert.Equal(0x88, await three.EndedAsync());

        Assert.Equal([0, 0, 0x97], await one.SubscribeAsync(null, ("a", 0), ("b", 0), ("c", 0)));
        await two.PublishedAsync("r/1", "x", retain: true);
        await two.PublishedAsync("r/2", "x", retain: true);
        await one.UnsubscribeAsync("a");
        await one.SubscribeAsync("r/+", 0);
        Assert.Equal("r/1", (await one.HearAsync()).Topic);
        await one.HearsNothingAsync();
        Assert.Equal((1, 1, 1), (Count(node, "mqtt.too-many-sessions"), Count(node, "mqtt.too-many-subscriptions"), Count(node, "mqtt.retained-full")));
    }

    [Fact]
    public async Task A_damaged_message_is_set_aside_and_the_others_arrive()
    {
        await using var node = await EdgeNode.StartAsync();
        using (var reader = await ConnectAsync(node, "reader"))
        {
            await reader.SubscribeAsync("a", 1);
        }

        using (var device = await ConnectAsync(node, "device", clean: true))
        {
            await device.PublishedAsync("a", "good", qos: 1);
            await device.PublishedAsync("a", "bad", qos: 1);
        }

        await node.Services.GetRequiredService<Database>().RunAsync(db => db.Execute("UPDATE mqtt_message SET payload=?1 WHERE payload=?2", "xxx"u8.ToArray(), "bad"u8.ToArray()));
        await node.RestartAsync();
        using var again = await ConnectAsync(node, "reader");
        Assert.Equal("good", (await again.HearAndAckAsync()).Payload);
        await again.HearsNothingAsync();
        Assert.Equal(1, await CountAsync(node, "damaged_row"));
    }

    [Fact]
    public async Task A_client_of_5_is_held_to_the_keep_alive_that_the_node_wants()
    {
        await using var node = await EdgeNode.StartAsync(Settings(("modules.eventBus.maxKeepAlive", "60s")));

        using var client = await ConnectAsync(node, "client");

        Assert.Contains("13003C", Convert.ToHexString(client.Welcome), StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_the_node_says_with_QoS_waits_for_a_client_that_is_away()
    {
        const string Update = "$hw/events/device/default/d/twin/update";
        await using var node = await EdgeNode.StartAsync(Settings(("modules.eventBus.mqttQOS", "1"), ("modules.deviceTwin.unknownDevices", "register")));
        using (var reader = await ConnectAsync(node, "reader"))
        {
            await reader.SubscribeAsync(Update + "/result", 1);
        }

        using (var device = await ConnectAsync(node, "device", clean: true))
        {
            await device.PublishedAsync(Update, """{"event_id":"e","timestamp":0,"twin":{"p":{"actual":{"value":"v"}}}}""", qos: 1);
        }

        await node.RestartAsync();
        using var again = await ConnectAsync(node, "reader");
        Assert.Contains("\"event_id\":\"e\"", (await again.HearAndAckAsync()).Payload, StringComparison.Ordinal);
    }

    private static Task<MqttTalk> ConnectAsync(EdgeNode node, string client, int version = 5, bool clean = false, byte[]? properties = null) =>
        MqttTalk.ConnectAsync(node.MqttPort, client, version, clean, properties: properties ?? (clean ? [] : Long));

    private static Dictionary<string, string> Settings(params (string Key, string Value)[] settings) =>
        settings.ToDictionary(s => s.Key, s => s.Value, StringComparer.Ordinal);

    private static Task<long> CountAsync(EdgeNode node, string table) =>
        node.Services.GetRequiredService<Database>().RunAsync(db => db.Query($"SELECT count(*) FROM {table}", row => row.GetInt64(0))[0]);

    private static long Count(EdgeNode node, string reason) => node.Services.GetRequiredService<Refusals>().Snapshot().GetValueOrDefault(reason);

    private static async Task Until(Func<bool> isSo)
    {
        using var patience = new CancellationTokenSource(Patience.Default);
        while (!isSo())
        {
            await Task.Delay(10, patience.Token);
        }
    }
}
