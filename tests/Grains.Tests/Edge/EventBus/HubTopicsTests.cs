using System.Text;
using EdgeOrleans.Beehive;
using EdgeOrleans.DbManager;
using EdgeOrleans.Link;
using EdgeOrleans.Modules;
using EdgeOrleans.TestKit;
using Microsoft.Extensions.DependencyInjection;

namespace EdgeOrleans.Edge.EventBus;

/// <summary>Topics to and from the cloud.</summary>
public sealed class HubTopicsTests
{
    private static readonly Dictionary<string, string> Linked = new()
    {
        ["modules.edgeHub.websocket.server"] = "127.0.0.1:10000",
        ["modules.edgeHub.enable"] = "false",
    };

    [Theory]
    [InlineData("$hw/events/upload/a", true)]
    [InlineData("$hw/events/upload", true)]
    [InlineData("SYS/dis/upload_records", true)]
    [InlineData("SYS/dis/upload_records/more", false)]
    [InlineData("shop/user/a/b", true)]
    [InlineData("shop/user", true)]
    [InlineData("user/a", false)]
    [InlineData("$x/user/a", false)]
    public async Task The_topics_of_the_reference_go_up(string topic, bool goes)
    {
        await using var node = await EdgeNode.StartAsync(Linked);
        using var device = await MqttTalk.ConnectAsync(node.MqttPort, "device", 4);

        await device.PublishedAsync(topic, "x", qos: 1);

        Assert.Equal(goes ? [topic] : [], (await WaitingAsync(node)).Select(entry => entry.Resource));
    }

    [Theory]
    [InlineData(4, 1)]
    [InlineData(4, 2)]
    [InlineData(5, 1)]
    [InlineData(5, 2)]
    public async Task An_upload_is_on_disk_when_it_is_acknowledged_and_others_hear_it(int version, int qos)
    {
        await using var node = await EdgeNode.StartAsync(Linked);
        using var listener = await MqttTalk.ConnectAsync(node.MqttPort, "listener", version);
        await listener.SubscribeAsync("shop/user/#", qos);
        using var device = await MqttTalk.ConnectAsync(node.MqttPort, "device", version);

        await device.PublishedAsync("shop/user/a", "héllo", qos);

        var entry = Assert.Single(await WaitingAsync(node));
        Assert.Equal(("bus", "user", "upload", "héllo"), (entry.Source, entry.Group, entry.Operation, Encoding.UTF8.GetString(entry.Content.Span)));
        Assert.True(entry.IsText);
        Assert.Equal("héllo", (await listener.HearAndAckAsync()).Payload);
    }

    [Fact]
    public async Task Without_a_cloud_nothing_is_kept_and_that_is_counted()
    {
        await using var node = await EdgeNode.StartAsync();
        using var device = await MqttTalk.ConnectAsync(node.MqttPort, "device", 4);

        await device.PublishedAsync("shop/user/a", "x", qos: 1);

        Assert.Empty(await WaitingAsync(node));
        Assert.Equal(1, node.Services.GetRequiredService<Outbox>().NoCloud[OutboxClasses.Telemetry]);
    }

    [Theory]
    [InlineData(4, 0)]
    [InlineData(5, 0x97)]
    public async Task An_outbox_without_room_refuses_with_a_count_and_a_reason_where_there_is_one(int version, int reason)
    {
        await using var node = await EdgeNode.StartAsync(new Dictionary<string, string>(Linked) { ["outbox.maxBytes"] = "1Mi" });
        using var device = await MqttTalk.ConnectAsync(node.MqttPort, "device", version);

        var answered = await device.PublishedAsync("shop/user/a", new string('x', 2 * 1024 * 1024), qos: 1);

        Assert.Equal(reason, answered);
        Assert.Empty(await WaitingAsync(node));
        Assert.Equal(1, Refused(node, "mqtt.upload-refused"));
    }

    [Fact]
    public async Task What_the_cloud_subscribes_to_survives_a_restart_until_it_unsubscribes()
    {
        await using var node = await EdgeNode.StartAsync(Linked);
        await OrderAsync(node, Operations.Subscribe, "plant/+/temperature");
        await node.RestartAsync();
        using (var device = await MqttTalk.ConnectAsync(node.MqttPort, "device", 4))
        {
            await device.PublishedAsync("plant/a/temperature", "1", qos: 1);
            Assert.Single(await WaitingAsync(node));

            await OrderAsync(node, Operations.Unsubscribe, "plant/+/temperature");
            await device.PublishedAsync("plant/a/temperature", "2", qos: 1);
        }

        await node.RestartAsync();
        Assert.Single(await WaitingAsync(node));
        Assert.Empty(node.Services.GetRequiredService<HubTopics>().Managed);
    }

    [Theory]
    [InlineData(Operations.Subscribe, "a/#/b", "\"\"")]
    [InlineData(Operations.Subscribe, "", "\"\"")]
    [InlineData(Operations.Unsubscribe, "+/user/#", "\"\"")]
    [InlineData(Operations.Publish, "a/+", "\"x\"")]
    [InlineData(Operations.Publish, "", "\"x\"")]
    [InlineData(Operations.Publish, "a", "{\"x\":1}")]
    [InlineData(Operations.Publish, "a", "")]
    [InlineData("message", "", "{\"message\":{\"k\":1}}")]
    [InlineData("message", "", "{\"message\":{\"topic\":\"#\"}}")]
    [InlineData("message", "", "17")]
    [InlineData("message", "", "{")]
    [InlineData(Operations.Subscribe, "$share/group/a", "\"\"")]
    [InlineData(Operations.Publish, "a", "\"\\ud800\"")]
    [InlineData("fly", "", "\"\"")]
    public async Task An_order_that_cannot_be_done_is_counted_and_the_next_is_done(string operation, string resource, string content)
    {
        await using var node = await EdgeNode.StartAsync(Linked);
        using var listener = await MqttTalk.ConnectAsync(node.MqttPort, "listener", 4);
        await listener.SubscribeAsync("#", 0);

        await OrderAsync(node, operation, resource, content);
        await OrderAsync(node, Operations.Publish, "next", "\"done\"");

        Assert.Equal(1, Refused(node, "mqtt.order-refused"));
        Assert.Equal(("next", "done"), await listener.HearAsync() is var heard ? (heard.Topic, heard.Payload) : default);
        Assert.Equal(3, node.Services.GetRequiredService<HubTopics>().Filters.Count());
    }

    [Fact]
    public async Task The_cloud_cannot_manage_more_topics_than_there_may_be()
    {
        await using var node = await EdgeNode.StartAsync(Linked);
        var topics = node.Services.GetRequiredService<HubTopics>();
        await Task.WhenAll(Enumerable.Range(0, HubTopics.Most).Select(i => topics.AddAsync($"many/{i}")));

        var refused = await topics.AddAsync("one/more");

        Assert.Contains($"{HubTopics.Most}", refused, StringComparison.Ordinal);
        Assert.Equal(HubTopics.Most, topics.Managed.Count);
    }

    [Fact]
    public async Task What_is_below_a_device_never_goes_up_whatever_the_cloud_subscribes_to()
    {
        await using var node = await EdgeNode.StartAsync(Linked);
        await OrderAsync(node, Operations.Subscribe, "$hw/#");
        using var device = await MqttTalk.ConnectAsync(node.MqttPort, "device", 4);

        await device.PublishedAsync("$hw/events/device/default/x/else", "1", qos: 1);
        await device.PublishedAsync("$hw/events/device", "1", qos: 1);
        await device.PublishedAsync("$hw/events/node", "1", qos: 1);
        await device.PublishedAsync("$hw/own", "2", qos: 1);

        Assert.Equal(["$hw/own"], (await WaitingAsync(node)).Select(entry => entry.Resource));
    }

    [Fact]
    public async Task What_is_no_text_is_counted()
    {
        await using var node = await EdgeNode.StartAsync(Linked);
        await using var device = await MqttProbe.ConnectAsync(node.MqttPort);
        using var raw = await MqttSocket.ConnectAsync(node.MqttPort, "raw");

        await raw.SendAsync(MqttPacket.Message("shop/user/a"u8, [0xff, 0xfe]));
        await raw.SendAsync(MqttPacket.Message("shop/user/b", "x", qos: 1, id: 1));
        await device.PublishAsync("after", "x");

        await WaitForAsync(node, 2);
        Assert.Equal(1, Refused(node, "mqtt.upload-not-text"));
    }

    [Fact]
    public async Task Without_an_acknowledgement_too_an_upload_is_kept_in_its_order()
    {
        await using var node = await EdgeNode.StartAsync(Linked);
        using var device = await MqttTalk.ConnectAsync(node.MqttPort, "device");
        for (var i = 0; i < 300; i++)
        {
            await device.PublishAsync("shop/user/a", $"{i}");
        }

        await device.PublishedAsync("shop/user/a", "end", qos: 1);

        Assert.Equal(Enumerable.Range(0, 300).Select(i => $"{i}").Append("end"), await TextsAsync(node));
    }

    [Fact]
    public async Task A_QoS_2_upload_goes_up_once_over_a_restart()
    {
        await using var node = await EdgeNode.StartAsync(Linked);
        using (var device = await KeptAsync(node, "device"))
        {
            await device.PublishAsync("shop/user/a", "once", qos: 2, id: 9);
            await device.ReadAsync(MqttTalk.PubRec);
        }

        await node.RestartAsync();
        using (var device = await KeptAsync(node, "device"))
        {
            await device.PublishedAsync("shop/user/a", "once", qos: 2, id: 9, dup: true);
            await device.PublishedAsync("shop/user/a", "next", qos: 2, id: 9);
        }

        Assert.Equal(["once", "next"], await TextsAsync(node));
    }

    [Theory]
    [InlineData(4, 0)]
    [InlineData(5, 0x97)]
    public async Task The_identifier_of_a_QoS_2_upload_without_room_is_free_for_another_message_after_a_restart(int version, int reason)
    {
        await using var node = await EdgeNode.StartAsync(new Dictionary<string, string>(Linked) { ["outbox.maxBytes"] = "4Ki" });
        using (var device = await KeptAsync(node, "device", version))
        {
            Assert.Equal(reason, await device.PublishedAsync("shop/user/a", new string('x', 5_000), qos: 2, id: 9));
        }

        await node.RestartAsync();
        using (var device = await KeptAsync(node, "device", version))
        {
            Assert.True(device.IsSessionPresent);
            Assert.Equal(0, await device.PublishedAsync("shop/user/a", "another", qos: 2, id: 9));
        }

        Assert.Equal(["another"], await TextsAsync(node));
    }

    [Theory]
    [InlineData("bye", 1, 0)]
    [InlineData("long", 0, 1)]
    public async Task The_will_of_a_lost_client_goes_up_and_is_counted_when_there_is_no_room(string will, int kept, int refused)
    {
        await using var node = await EdgeNode.StartAsync(new Dictionary<string, string>(Linked) { ["outbox.maxBytes"] = "4Ki" });
        using var listener = await MqttTalk.ConnectAsync(node.MqttPort, "listener");
        await listener.SubscribeAsync("shop/user/#", 1);
        var payload = will == "long" ? new string('x', 5_000) : will;
        using (await MqttTalk.ConnectAsync(node.MqttPort, "device", will: new MqttTalk.Will("shop/user/w", payload, Qos: 2)))
        {
        }

        // With QoS 2 it is heard after its commit.
        Assert.Equal(payload, (await listener.HearAndAckAsync()).Payload);

        Assert.Equal(kept, (await WaitingAsync(node)).Count);
        Assert.Equal(refused, Refused(node, "mqtt.upload-refused"));
    }

    [Fact]
    public async Task A_will_that_cannot_be_retained_is_passed_on_and_goes_up()
    {
        await using var node = await EdgeNode.StartAsync(new Dictionary<string, string>(Linked) { ["modules.eventBus.maxRetainedMessages"] = "1" });
        using var listener = await MqttTalk.ConnectAsync(node.MqttPort, "listener");
        await listener.SubscribeAsync("shop/user/#", 1);
        await listener.PublishedAsync("first", "x", qos: 1, retain: true);
        using (await MqttTalk.ConnectAsync(node.MqttPort, "device", will: new MqttTalk.Will("shop/user/w", "bye", Qos: 2, Retain: true)))
        {
        }

        Assert.Equal("bye", (await listener.HearAndAckAsync()).Payload);
        Assert.Equal(["bye"], await TextsAsync(node));
        Assert.Equal(1, Refused(node, "mqtt.retained-full"));
    }

    [Fact]
    public async Task That_the_link_came_up_or_went_is_no_order()
    {
        await using var node = await EdgeNode.StartAsync(Linked);

        var answer = await OrderAsync(node, Operations.Connect, "node/connection", "\"cloud_connected\"");

        Assert.False(answer.IsError);
        Assert.Equal(0, Refused(node, "mqtt.order-refused"));
    }

    [Fact]
    public async Task A_module_that_waits_hears_why_its_order_was_not_done()
    {
        await using var node = await EdgeNode.StartAsync(Linked);

        Assert.False((await OrderAsync(node, Operations.Publish, "a", "\"x\"")).IsError);
        var answer = await OrderAsync(node, Operations.Publish, "a/+", "\"x\"");

        Assert.True(answer.IsError);
        Assert.Contains("no topic", answer.ContentAsText(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_answer_about_rights_is_published_on_the_nodes_topic()
    {
        await using var node = await EdgeNode.StartAsync(Linked);
        using var listener = await MqttTalk.ConnectAsync(node.MqttPort, "listener");
        await listener.SubscribeAsync("$hw/events/node/+/authInfo/get/result");

        await OrderAsync(node, "get_result", "auth_info", """{"a":1}""");

        var heard = await listener.HearAsync();
        Assert.Equal(($"$hw/events/node/{node.Name}/authInfo/get/result", """{"a":1}"""), (heard.Topic, heard.Payload));
    }

    [Fact]
    public async Task What_the_cloud_publishes_has_the_nodes_QoS_and_waits_for_who_is_away_and_does_not_go_up_again()
    {
        await using var node = await EdgeNode.StartAsync(new Dictionary<string, string>(Linked) { ["modules.eventBus.mqttQOS"] = "1" });
        using (var device = await KeptAsync(node, "device"))
        {
            await device.SubscribeAsync("shop/user/#", 1);
        }

        await OrderAsync(node, Operations.Publish, "shop/user/lamp", "\"on\"");
        await node.RestartAsync();

        using var again = await KeptAsync(node, "device");
        var heard = await again.HearAndAckAsync();
        Assert.Equal(("shop/user/lamp", "on", 1), (heard.Topic, heard.Payload, heard.Qos));
        Assert.Empty(await WaitingAsync(node));
    }

    [Fact]
    public async Task A_stored_topic_that_is_none_is_passed_over_and_counted()
    {
        await using var node = await EdgeNode.StartAsync(Linked);
        await node.Services.GetRequiredService<Database>().RunAsync(db => db.Execute("INSERT INTO sub_topics(topic) VALUES('a/#/b'), ('good/+')"));

        await node.RestartAsync();

        Assert.Equal(["good/+"], node.Services.GetRequiredService<HubTopics>().Managed);
        Assert.Equal(1, Refused(node, "mqtt.bad-filter"));
    }

    private static Task<MqttTalk> KeptAsync(EdgeNode node, string client, int version = 5) =>
        MqttTalk.ConnectAsync(node.MqttPort, client, version, clean: false, properties: version == 5 ? MqttTalk.Expiry(3_600) : []);

    private static async Task<IEnumerable<string>> TextsAsync(EdgeNode node) =>
        [.. (await node.Services.GetRequiredService<Outbox>().ReadAsync(0, maxRows: 1_000)).Select(row => Encoding.UTF8.GetString(row.Entry.Content.Span))];

    private static async Task WaitForAsync(EdgeNode node, int count)
    {
        var outbox = node.Services.GetRequiredService<Outbox>();
        while ((await WaitingAsync(node)).Count < count)
        {
            await outbox.WaitAsync(TestContext.Current.CancellationToken).WaitAsync(Patience.Default, TestContext.Current.CancellationToken);
        }
    }

    private static async Task<IReadOnlyList<OutboxEntry>> WaitingAsync(EdgeNode node) =>
        [.. (await node.Services.GetRequiredService<Outbox>().ReadAsync(0)).Select(row => row.Entry)];

    private static Task<Message> OrderAsync(EdgeNode node, string operation, string resource, string content = "\"\"") => node.Beehive.SendSyncAsync(
        Address.Module(ModuleNames.EventBus),
        Message.Create("router_eventbus", Groups.User, operation, resource, Encoding.UTF8.GetBytes(content), DateTimeOffset.UtcNow.ToUnixTimeMilliseconds()));

    private static long Refused(EdgeNode node, string reason) => node.Services.GetRequiredService<Refusals>().Snapshot().GetValueOrDefault(reason);
}
