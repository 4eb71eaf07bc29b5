using EdgeOrleans.DbManager;
using EdgeOrleans.Modules;
using EdgeOrleans.Mqtt;
using EdgeOrleans.TestKit;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Time.Testing;

namespace EdgeOrleans.Edge.EventBus;

/// <summary>What an operator sees of the broker, and what he may end.</summary>
public sealed class MqttGrainTests
{
    private static readonly byte[] Long = MqttTalk.Expiry(3_600);

    [Theory]
    [InlineData(4, "3.1.1")]
    [InlineData(5, "5")]
    public async Task A_client_is_shown_with_its_connection_and_all_that_has_gone_to_and_fro(int version, string name)
    {
        await using var node = await EdgeNode.StartAsync();
        var connect = MqttTalk.ConnectPacket("meter", version, keepAlive: 30);
        using var client = await MqttTalk.ConnectAsync(node.MqttPort, "meter", version, keepAlive: 30);
        await client.SubscribeAsync("a", 1);
        await client.PublishAsync("a", "twenty-one", qos: 1, id: 7);
        await client.HearAndAckAsync();
        await client.PingAsync();

        var shown = Assert.Single((await Grain(node).ListClientsAsync(new MqttQuery())).Items);

        Assert.Equal(("meter", name, TimeSpan.FromSeconds(30), true, 0L), (shown.ClientId, shown.Version, shown.KeepAlive, shown.IsClean, shown.Lost));
        Assert.StartsWith("127.0.0.1:", shown.Address, StringComparison.Ordinal);
        Assert.InRange(shown.Since, DateTimeOffset.UtcNow.AddMinutes(-5), DateTimeOffset.UtcNow.AddSeconds(5));

        // CONNECT, SUBSCRIBE, PUBLISH, PUBACK and PINGREQ, and their answers.
        var traffic = shown.Traffic;
        Assert.Equal((5L, 1L, 5L, 1L), (traffic.PacketsReceived, traffic.MessagesReceived, traffic.PacketsSent, traffic.MessagesSent));
        var property = version == 5 ? 1 : 0;
        Assert.Equal(connect.Length + (2 + 2 + property + 4) + (2 + 3 + 2 + property + 10) + 4 + 2, traffic.BytesReceived);
        Assert.True(traffic.BytesSent > 0);
    }

    [Fact]
    public async Task A_client_that_is_away_is_no_client_and_its_session_says_what_waits_and_for_how_long()
    {
        var clock = new FakeTimeProvider(DateTimeOffset.UtcNow);
        await using var node = await EdgeNode.StartAsync(null, silo => silo.Services.AddSingleton<TimeProvider>(clock));
        using (var reader = await ConnectAsync(node, "reader", will: new("wills", "secret", 1, Retain: true, Properties: [0x18, .. MqttTalk.Four(600)])))
        {
            await reader.SubscribeAsync([0x0B, 9], ("plant/+", 2 | 4 | 8 | (1 << 4)));
            await reader.SubscribeAsync("a", 0);
            await reader.PublishAsync("b", "unreleased", qos: 2, id: 3);
            await reader.ReadAsync(MqttTalk.PubRec);
        }

        await AwayAsync(node, "reader");
        using var device = await ConnectAsync(node, "device", clean: true);
        await device.PublishedAsync("plant/a", "1", qos: 1);
        clock.Advance(TimeSpan.FromMinutes(2));
        await device.PublishedAsync("plant/b", "2", qos: 2);

        var clients = await Grain(node).ListClientsAsync(new MqttQuery());
        var shown = await Grain(node).GetSessionAsync("reader");
        var subscriptions = await Grain(node).ListSubscriptionsAsync(new MqttQuery { Name = "reader" });

        Assert.Equal(["device"], clients.Items.Select(client => client.ClientId));
        Assert.Null(shown.Client);
        Assert.Equal((false, true, 2, 2, 0), (shown.Session.IsConnected, shown.Session.IsStored, shown.Session.Subscriptions, shown.Session.Waiting, shown.Session.InFlight));
        Assert.Equal((TimeSpan.FromHours(1), TimeSpan.FromMinutes(2), 1), (shown.Session.Expiry, shown.OldestWaiting, shown.Unreleased));
        Assert.Equal(clock.GetUtcNow().AddMinutes(-2).ToUnixTimeMilliseconds(), shown.Session.Gone!.Value.ToUnixTimeMilliseconds());
        Assert.Equal(("wills", 1, true, TimeSpan.FromMinutes(10)), (shown.Will!.Topic, shown.Will.Qos, shown.Will.Retain, shown.Will.Delay));
        Assert.Equal(clock.GetUtcNow().AddMinutes(8).ToUnixTimeMilliseconds(), shown.Will.Due!.Value.ToUnixTimeMilliseconds());
        Assert.Equal(
            [
                new MqttSubscriptionView { Filter = "a" },
                new MqttSubscriptionView { Filter = "plant/+", Qos = 2, NoLocal = true, RetainAsPublished = true, RetainHandling = 1, Identifier = 9 },
            ],
            subscriptions.Items);
    }

    [Fact]
    public async Task What_is_sent_and_not_acknowledged_is_in_flight_and_the_rest_waits()
    {
        await using var node = await EdgeNode.StartAsync();
        using var reader = await ConnectAsync(node, "reader", properties: [.. Long, 0x21, 0, 2]);
        await reader.SubscribeAsync("a", 1);
        using var device = await ConnectAsync(node, "device", clean: true);
        for (var i = 0; i < 5; i++)
        {
            await device.PublishedAsync("a", "x", qos: 1);
        }

        await reader.HearAsync();
        await reader.HearAsync();

        var shown = await Grain(node).GetSessionAsync("reader");
        Assert.Equal((3, 2), (shown.Session.Waiting, shown.Session.InFlight));
        Assert.Equal("reader", shown.Client!.ClientId);
        Assert.Null(shown.Session.Gone);
    }

    [Fact]
    public async Task Messages_that_do_not_reach_a_client_are_counted_for_it_by_reason()
    {
        await using var node = await EdgeNode.StartAsync(Settings(("modules.eventBus.mqttSessionQueueSize", "2")));
        using var small = await ConnectAsync(node, "small", properties: [.. Long, 0x27, .. MqttTalk.Four(100)]);
        await small.SubscribeAsync("a", 0);
        using (var reader = await ConnectAsync(node, "reader"))
        {
            await reader.SubscribeAsync("a", 1);
        }

        await AwayAsync(node, "reader");
        using var device = await ConnectAsync(node, "device", clean: true);
        for (var i = 0; i < 5; i++)
        {
            await device.PublishedAsync("a", new string('x', 200), qos: 1);
        }

        Assert.Equal(new MqttLosses { QueueFull = 3 }, (await Grain(node).GetSessionAsync("reader")).Losses);
        Assert.Equal(new MqttLosses { TooLarge = 5 }, (await Grain(node).GetSessionAsync("small")).Losses);
        var sessions = await Grain(node).ListSessionsAsync(new MqttQuery());
        Assert.Equal([("device", 0), ("reader", 3), ("small", 5)], sessions.Items.Select(session => (session.ClientId, session.Lost)));
        Assert.Equal((3, 5), (Count(node, "mqtt.queue-full"), Count(node, "mqtt.client-takes-no-such-size")));
    }

    [Fact]
    public async Task What_a_client_reads_too_slowly_for_is_counted_for_it()
    {
        await using var node = await EdgeNode.StartAsync(Settings(("modules.eventBus.maxPendingBytes", "16Ki")));
        using var slow = await ConnectAsync(node, "slow");
        await slow.SubscribeAsync("a", 0);
        using var device = await ConnectAsync(node, "device", clean: true);
        var payload = new string('x', 100_000);
        MqttLosses losses;
        do
        {
            await device.PublishedAsync("a", payload, qos: 0);
            losses = (await Grain(node).GetSessionAsync("slow")).Losses;
        }
        while (losses.Total == 0);

        Assert.Equal((1, 1, 1), (losses.SlowReader, losses.Total, Count(node, "mqtt.slow-reader")));
        Assert.Equal(1, Assert.Single((await Grain(node).ListClientsAsync(new MqttQuery { Name = "slow" })).Items).Lost);
    }

    [Fact]
    public async Task What_waits_for_a_broker_outside_is_shown_and_is_not_an_operators_to_end()
    {
        await using var node = await EdgeNode.StartAsync(
            Settings(("modules.eventBus.mqttMode", "1"), ("modules.eventBus.mqttServerExternal", "tcp://127.0.0.1:9")));

        var shown = Assert.Single((await Grain(node).ListSessionsAsync(new MqttQuery())).Items);

        Assert.Equal(("$outside", false, true), (shown.ClientId, shown.IsConnected, shown.IsStored));
        foreach (var end in (Func<string, Task>[])[Grain(node).DisconnectAsync, Grain(node).RemoveSessionAsync])
        {
            var refused = await Assert.ThrowsAsync<RefusedException>(() => end("$outside"));
            Assert.Equal(409, refused.Code);
            Assert.Contains("mqttMode", refused.Message, StringComparison.Ordinal);
        }

        Assert.Single((await Grain(node).ListSessionsAsync(new MqttQuery())).Items);
    }

    [Fact]
    public async Task A_message_that_has_waited_too_long_for_a_client_that_is_away_is_dropped_and_counted()
    {
        var clock = new FakeTimeProvider(DateTimeOffset.UtcNow);
        await using var node = await EdgeNode.StartAsync(
            Settings(("modules.eventBus.sessionQueueAge", "10m")), silo => silo.Services.AddSingleton<TimeProvider>(clock));
        using (var reader = await ConnectAsync(node, "reader"))
        {
            await reader.SubscribeAsync("a", 2);
        }

        await AwayAsync(node, "reader");
        using (var device = await ConnectAsync(node, "device", clean: true))
        {
            await device.PublishedAsync("a", "old", qos: 1);
            await device.PublishedAsync("a", "old too", qos: 2);
            clock.Advance(TimeSpan.FromMinutes(9));
            await device.PublishedAsync("a", "new", qos: 1);
        }

        Assert.Equal(0, Count(node, "mqtt.message-expired"));
        clock.Advance(TimeSpan.FromMinutes(2));
        await Until(() => Count(node, "mqtt.message-expired") == 2);

        var shown = await Grain(node).GetSessionAsync("reader");
        Assert.Equal((1, new MqttLosses { Expired = 2 }, TimeSpan.FromMinutes(2)), (shown.Session.Waiting, shown.Losses, shown.OldestWaiting));
        using var again = await ConnectAsync(node, "reader");
        Assert.Equal("new", (await again.HearAndAckAsync()).Payload);
        await again.HearsNothingAsync();
    }

    [Fact]
    public async Task Lists_come_in_pages_in_the_order_of_the_names_and_each_is_there_once()
    {
        await using var node = await EdgeNode.StartAsync();
        var clients = new List<MqttTalk>();
        foreach (var name in (string[])["e", "a", "c-2", "c-1", "away-1", "d", "away-2"])
        {
            clients.Add(await ConnectAsync(node, name));
        }

        foreach (var away in clients.Where((_, i) => i is 4 or 6))
        {
            away.Dispose();
        }

        await AwayAsync(node, "away-1");
        await AwayAsync(node, "away-2");

        Assert.Equal(["a", "c-1 c-2", "d e"], await Pages(node, "", 2, skip: 1));
        var named = await Grain(node).ListClientsAsync(new MqttQuery { Name = "c-*" });
        Assert.Equal(["c-1", "c-2"], named.Items.Select(client => client.ClientId));
        Assert.Equal(["away-1"], (await Grain(node).ListSessionsAsync(new MqttQuery { Name = "away-1" })).Items.Select(session => session.ClientId));
        Assert.Empty((await Grain(node).ListClientsAsync(new MqttQuery { Name = "away-1" })).Items);
        Assert.Equal(400, (await Assert.ThrowsAsync<RefusedException>(() => Grain(node).ListClientsAsync(new MqttQuery { Count = 0 }))).Code);
        Assert.Equal(400, (await Assert.ThrowsAsync<RefusedException>(() => Grain(node).ListRetainedAsync(new MqttQuery { Count = 1_001 }))).Code);
        clients.ForEach(client => client.Dispose());
    }

    [Fact]
    public async Task An_answer_is_bounded_by_its_bytes_too()
    {
        await using var node = await EdgeNode.StartAsync();
        using var device = await ConnectAsync(node, "device", clean: true);
        for (var i = 0; i < 40; i++)
        {
            await device.PublishAsync($"{i:D2}" + new string('x', 60_000), "x", retain: true);
        }

        await device.PingAsync();

        var topics = new List<string>();
        MqttPage<MqttRetainedView> page;
        do
        {
            page = await Grain(node).ListRetainedAsync(new MqttQuery { After = topics.Count == 0 ? "" : topics[^1] });
            Assert.InRange(page.Items.Sum(message => message.Topic.Length), 1, 1_024 * 1_024 + 70_000);
            topics.AddRange(page.Items.Select(message => message.Topic));
        }
        while (page.More);
        Assert.Equal(Enumerable.Range(0, 40).Select(i => $"{i:D2}"), topics.Select(topic => topic[..2]));
    }

    [Fact]
    public async Task Retained_messages_are_found_by_a_filter_and_shown_with_the_beginning_of_their_payload()
    {
        await using var node = await EdgeNode.StartAsync();
        using var device = await ConnectAsync(node, "device", clean: true);
        await device.PublishedAsync("plant/a", "21", qos: 1, retain: true);
        await device.PublishedAsync("plant/b", new string('x', 100_000), qos: 2, retain: true, properties: [0x02, .. MqttTalk.Four(60)]);
        await device.PublishedAsync("$other/c", "x", qos: 0, retain: true);

        var all = await Grain(node).ListRetainedAsync(new MqttQuery());
        var plant = await Grain(node).ListRetainedAsync(new MqttQuery { Name = "+/+" });
        var small = await Grain(node).GetRetainedAsync("plant/a");
        var large = await Grain(node).GetRetainedAsync("plant/b");

        Assert.Equal(["$other/c", "plant/a", "plant/b"], all.Items.Select(message => message.Topic));
        Assert.Equal([("plant/a", 1, 2), ("plant/b", 2, 100_000)], plant.Items.Select(message => (message.Topic, message.Qos, message.Bytes)));
        Assert.Null(small.Message.Expires);
        Assert.Equal(large.Message.Published.AddSeconds(60), large.Message.Expires);
        Assert.Equal(("21", false), (System.Text.Encoding.UTF8.GetString(small.Payload.Span), small.IsCut));
        Assert.Equal((65_536, true), (large.Payload.Length, large.IsCut));
        var unknown = await Assert.ThrowsAsync<RefusedException>(() => Grain(node).GetRetainedAsync("plant/c"));
        Assert.Equal((404, "nothing is retained on the topic 'plant/c'"), (unknown.Code, unknown.Message));
        var wrong = await Assert.ThrowsAsync<RefusedException>(() => Grain(node).ListRetainedAsync(new MqttQuery { Name = "plant/#/a" }));
        Assert.Equal(400, wrong.Code);
        Assert.Contains("plant/#/a", wrong.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(4, null)]
    [InlineData(5, 0x98)]
    public async Task A_client_that_an_operator_disconnects_hears_so_its_will_is_published_and_it_may_come_again(int version, int? code)
    {
        await using var node = await EdgeNode.StartAsync();
        using var listener = await ConnectAsync(node, "listener", clean: true);
        await listener.SubscribeAsync("wills", 0);
        using var client = await MqttTalk.ConnectAsync(node.MqttPort, "client", version, clean: false, properties: version == 5 ? Long : null, will: new("wills", "lost"));
        await client.SubscribeAsync("a", 1);

        await Grain(node).DisconnectAsync("client");

        Assert.Equal(code, await client.EndedAsync());
        Assert.Equal("lost", (await listener.HearAsync()).Payload);
        var away = await Assert.ThrowsAsync<RefusedException>(() => Grain(node).DisconnectAsync("client"));
        Assert.Equal(409, away.Code);
        Assert.Equal(404, (await Assert.ThrowsAsync<RefusedException>(() => Grain(node).DisconnectAsync("nobody"))).Code);
        using var again = await ConnectAsync(node, "client", version);
        Assert.True(again.IsSessionPresent);
    }

    [Fact]
    public async Task A_session_that_an_operator_removes_is_gone_with_all_that_waits_and_stays_so_after_a_restart()
    {
        await using var node = await EdgeNode.StartAsync();
        using var listener = await ConnectAsync(node, "listener", clean: true);
        await listener.SubscribeAsync("wills", 0);
        using (var reader = await ConnectAsync(node, "away", will: new("wills", "of the away", Properties: [0x18, .. MqttTalk.Four(600)])))
        {
            await reader.SubscribeAsync("a", 1);
        }

        await AwayAsync(node, "away");
        using var here = await ConnectAsync(node, "here", will: new("wills", "of the here", Properties: [0x18, .. MqttTalk.Four(600)]));
        await here.SubscribeAsync("a", 1);
        await listener.PublishedAsync("a", "x", qos: 1);
        await here.HearAsync();

        await Grain(node).RemoveSessionAsync("away");
        Assert.Equal("of the away", (await listener.HearAsync()).Payload);
        await Grain(node).RemoveSessionAsync("here");
        Assert.Equal("of the here", (await listener.HearAsync()).Payload);

        Assert.Equal(0x98, await here.EndedAsync());
        Assert.Equal(["listener"], (await Grain(node).ListSessionsAsync(new MqttQuery())).Items.Select(session => session.ClientId));
        foreach (var table in (string[])["mqtt_session", "mqtt_subscription", "mqtt_delivery", "mqtt_message"])
        {
            Assert.Equal(0, await CountAsync(node, table));
        }

        var unknown = await Assert.ThrowsAsync<RefusedException>(() => Grain(node).RemoveSessionAsync("away"));
        Assert.Equal((404, "there is no MQTT client 'away', connected or with a session"), (unknown.Code, unknown.Message));
        Assert.Equal(404, (await Assert.ThrowsAsync<RefusedException>(() => Grain(node).GetSessionAsync("away"))).Code);
        Assert.Equal(404, (await Assert.ThrowsAsync<RefusedException>(() => Grain(node).ListSubscriptionsAsync(new MqttQuery { Name = "away" }))).Code);
        await node.RestartAsync();
        using var again = await ConnectAsync(node, "away");
        Assert.False(again.IsSessionPresent);
    }

    [Fact]
    public async Task What_an_operator_ends_on_a_topic_is_told_nobody_and_stays_ended_after_a_restart()
    {
        await using var node = await EdgeNode.StartAsync();
        using (var client = await ConnectAsync(node, "client", clean: true))
        {
            await client.PublishedAsync("r/1", "x", qos: 1, retain: true);
            await client.PublishedAsync("r/2", "x", qos: 0, retain: true);
            await client.PublishedAsync("r/3", "stays", qos: 1, retain: true);
            await client.SubscribeAsync(null, ("r/+", 2 << 4));

            await Grain(node).RemoveRetainedAsync("r/1");
            await Grain(node).RemoveRetainedAsync("r/2");

            await client.HearsNothingAsync();
        }

        Assert.Equal(1, await CountAsync(node, "mqtt_retained"));
        Assert.Equal(404, (await Assert.ThrowsAsync<RefusedException>(() => Grain(node).RemoveRetainedAsync("r/1"))).Code);
        await node.RestartAsync();
        Assert.Equal(["r/3"], (await Grain(node).ListRetainedAsync(new MqttQuery())).Items.Select(message => message.Topic));
    }

    [Fact]
    public async Task What_the_disk_does_not_let_go_is_not_said_to_be_removed()
    {
        await using var node = await EdgeNode.StartAsync();
        using (var client = await ConnectAsync(node, "client"))
        {
            await client.PublishedAsync("r", "x", qos: 1, retain: true);
        }

        await AwayAsync(node, "client");
        await ExecuteAsync(node, "CREATE TRIGGER keeps_session BEFORE DELETE ON mqtt_session BEGIN SELECT RAISE(ABORT, 'kept'); END");
        await ExecuteAsync(node, "CREATE TRIGGER keeps_retained BEFORE DELETE ON mqtt_retained BEGIN SELECT RAISE(ABORT, 'kept'); END");

        Assert.Equal(503, (await Assert.ThrowsAsync<RefusedException>(() => Grain(node).RemoveSessionAsync("client"))).Code);
        Assert.Equal(503, (await Assert.ThrowsAsync<RefusedException>(() => Grain(node).RemoveRetainedAsync("r"))).Code);
        Assert.Equal("client", (await Grain(node).GetSessionAsync("client")).Session.ClientId);
        Assert.Empty((await Grain(node).ListRetainedAsync(new MqttQuery())).Items);
        Assert.Equal((1, 1), (await CountAsync(node, "mqtt_session"), await CountAsync(node, "mqtt_retained")));

        await ExecuteAsync(node, "DROP TRIGGER keeps_session");
        await ExecuteAsync(node, "DROP TRIGGER keeps_retained");
        await Grain(node).RemoveSessionAsync("client");
        Assert.Equal(0, await CountAsync(node, "mqtt_session"));
        await node.RestartAsync();
        Assert.Equal(0, await CountAsync(node, "mqtt_retained"));
    }

    [Fact]
    public async Task A_node_without_the_event_bus_says_so()
    {
        await using var node = await EdgeNode.StartAsync(Settings(("modules.eventBus.enable", "false")));
        var grain = Grain(node);
        foreach (var ask in (Func<Task>[])
        [
            () => grain.ListClientsAsync(new MqttQuery()),
            () => grain.ListSessionsAsync(new MqttQuery()),
            () => grain.ListSubscriptionsAsync(new MqttQuery { Name = "a" }),
            () => grain.ListRetainedAsync(new MqttQuery()),
            () => grain.GetSessionAsync("a"),
            () => grain.GetRetainedAsync("a"),
            () => grain.DisconnectAsync("a"),
            () => grain.RemoveSessionAsync("a"),
            () => grain.RemoveRetainedAsync("a"),
        ])
        {
            var refused = await Assert.ThrowsAsync<RefusedException>(ask);
            Assert.Equal((409, "this node has no MQTT broker: modules.eventBus.enable is false"), (refused.Code, refused.Message));
        }
    }

    [Theory]
    [InlineData("pump-1", "pump-1", true)]
    [InlineData("pump-1", "pump-2", false)]
    [InlineData("pump-1", "*", true)]
    [InlineData("", "*", true)]
    [InlineData("pump-1", "pump*", true)]
    [InlineData("pump-1", "*-1", true)]
    [InlineData("pump-12", "*-1", false)]
    [InlineData("pump-1-1", "*-1", true)]
    [InlineData("pump-1", "p*m*1", true)]
    [InlineData("pump-1", "p*x*1", false)]
    [InlineData("a*b", "a*b", true)]
    [InlineData("ab", "a*b*", true)]
    [InlineData("ab", "abc", false)]
    public void A_star_stands_for_any_characters_of_a_client_identifier(string client, string name, bool isMeant) =>
        Assert.Equal(isMeant, MqttViews.IsMeant(client, name));

    private static IMqttGrain Grain(EdgeNode node) => node.Grains.GetGrain<IMqttGrain>(IMqttGrain.Key);

    private static Task<MqttTalk> ConnectAsync(
        EdgeNode node, string client, int version = 5, bool clean = false, byte[]? properties = null, MqttTalk.Will? will = null) =>
        MqttTalk.ConnectAsync(node.MqttPort, client, version, clean, properties: properties ?? (clean ? [] : Long), will: will);

    private static Dictionary<string, string> Settings(params (string Key, string Value)[] settings) =>
        settings.ToDictionary(s => s.Key, s => s.Value, StringComparer.Ordinal);

    private static async Task<List<string>> Pages(EdgeNode node, string name, int count, int skip)
    {
        var (pages, last) = (new List<string>(), "");
        MqttPage<MqttClientView> page;
        do
        {
            page = await Grain(node).ListClientsAsync(new MqttQuery { Name = name, After = last, Count = pages.Count == 0 ? skip : count });
            last = page.Items[^1].ClientId;
            pages.Add(string.Join(' ', page.Items.Select(client => client.ClientId)));
        }
        while (page.More);
        return pages;
    }

    private static long Count(EdgeNode node, string reason) => node.Services.GetRequiredService<Refusals>().Snapshot().GetValueOrDefault(reason);

    private static Task<long> CountAsync(EdgeNode node, string table) =>
        node.Services.GetRequiredService<Database>().RunAsync(db => db.Query($"SELECT count(*) FROM {table}", row => row.GetInt64(0))[0]);

    private static Task ExecuteAsync(EdgeNode node, string sql) => node.Services.GetRequiredService<Database>().RunAsync(db => { db.Execute(sql); });

    private static Task AwayAsync(EdgeNode node, string client) => Until(() => node.Services.GetRequiredService<Sessions>().Find(client) is { Connection: null });

    private static async Task Until(Func<bool> isSo)
    {
        using var patience = new CancellationTokenSource(Patience.Default);
        while (!isSo())
        {
            await Task.Delay(10, patience.Token);
        }
    }
}
