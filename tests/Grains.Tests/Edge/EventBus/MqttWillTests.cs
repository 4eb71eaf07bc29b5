using EdgeOrleans.DbManager;
using EdgeOrleans.Edge.EventBus.Access;
using EdgeOrleans.TestKit;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Time.Testing;

namespace EdgeOrleans.Edge.EventBus;

/// <summary>Last wills over ends of the node.</summary>
public sealed class MqttWillTests : IAsyncDisposable
{
    private static readonly byte[] Long = MqttTalk.Expiry(3_600);
    private readonly FakeTimeProvider _clock = new(DateTimeOffset.UtcNow);
    private EdgeNode? _node;

    public async ValueTask DisposeAsync()
    {
        if (_node is { } node)
        {
            await LiveUntilAsync(node.DisposeAsync().AsTask());
        }
    }

    [Theory]
    [InlineData(4, true)]
    [InlineData(4, false)]
    [InlineData(5, true)]
    [InlineData(5, false)]
    public async Task The_will_of_a_client_that_was_connected_at_a_crash_is_published_once_after_its_grace(int version, bool clean)
    {
        var node = await StartAsync();
        await ListenAsync(node);
        using var client = await ConnectAsync(node, "client", version, clean, new("wills", "gone", 1, Retain: true));
        await CrashAsync(node);

        using (var listener = await ConnectAsync(node, "listener"))
        {
            await PassAsync(node, 19);
            await listener.HearsNothingAsync();
            await PassAsync(node, 2);
            var heard = await listener.HearAndAckAsync();
            Assert.Equal(("wills", "gone", 1), (heard.Topic, heard.Payload, heard.Qos));
            await listener.PingAsync();
            await PassAsync(node, 1);
            await Until(async () => await CountAsync(node, "mqtt_delivery") == 0);
        }

        Assert.Equal(0, await CountAsync(node));
        await CrashAsync(node);
        using var again = await ConnectAsync(node, "listener");
        await PassAsync(node, 25);
        await again.HearsNothingAsync();
        await again.SubscribeAsync("wills", 1);
        Assert.True((await again.HearAndAckAsync()).Retain);
    }

    [Theory]
    [InlineData(true, true)]
    [InlineData(true, false)]
    [InlineData(false, true)]
    [InlineData(false, false)]
    public async Task A_client_that_comes_back_in_time_after_a_crash_has_no_will_published(bool clean, bool cleanAgain)
    {
        var node = await StartAsync();
        await ListenAsync(node);
        using var client = await ConnectAsync(node, "client", 4, clean, new("wills", "gone", 1));
        await CrashAsync(node);

        using var listener = await ConnectAsync(node, "listener");
        await PassAsync(node, 19);
        using var again = await ConnectAsync(node, "client", 4, cleanAgain);
        Assert.Equal(!clean && !cleanAgain, again.IsSessionPresent);
        Assert.Equal(0, await CountAsync(node));
        await PassAsync(node, 25);
        await listener.HearsNothingAsync();
    }

    [Fact]
    public async Task A_delay_counts_from_the_restart_for_who_was_connected_at_a_crash()
    {
        var node = await StartAsync();
        await ListenAsync(node);
        using var client = await ConnectAsync(node, "client", will: Delayed(40));
        await PassAsync(node, 30);
        await CrashAsync(node);

        using var listener = await ConnectAsync(node, "listener");
        await PassAsync(node, 39);
        await listener.HearsNothingAsync();
        await PassAsync(node, 2);
        Assert.Equal("late", (await listener.HearAndAckAsync()).Payload);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_will_that_waits_for_its_delay_is_published_at_its_time_whatever_the_node_does_meanwhile(bool crashes)
    {
        var node = await StartAsync();
        await ListenAsync(node);
        await LoseAsync(node, Delayed(40));
        var due = _clock.GetUtcNow().AddSeconds(40);
        await PassAsync(node, 10);
        await (crashes ? CrashAsync(node) : RestartAsync(node));

        using var listener = await ConnectAsync(node, "listener");
        await PassAsync(node, (due - _clock.GetUtcNow()).TotalSeconds - 1);
        await listener.HearsNothingAsync();
        await PassAsync(node, 2);
        Assert.Equal("late", (await listener.HearAndAckAsync()).Payload);
    }

    [Fact]
    public async Task A_will_that_became_due_while_the_node_was_away_waits_for_its_client_for_the_grace()
    {
        var node = await StartAsync();
        await ListenAsync(node);
        await LoseAsync(node, Delayed(40));
        await RestartAsync(node, away: TimeSpan.FromSeconds(45));

        using var listener = await ConnectAsync(node, "listener");
        await PassAsync(node, 19);
        await listener.HearsNothingAsync();
        await PassAsync(node, 2);
        Assert.Equal("late", (await listener.HearAndAckAsync()).Payload);
    }

    [Fact]
    public async Task A_node_that_ends_in_order_forgets_the_wills_of_who_is_connected_and_of_nobody_else()
    {
        var node = await StartAsync();
        await ListenAsync(node);
        using var lost = await ConnectAsync(node, "lost", clean: true, will: new("wills", "lost", 1));
        await CrashAsync(node);
        using (var stays = await ConnectAsync(node, "stays", will: Delayed(40)))
        {
            await RestartAsync(node);
        }

        Assert.Equal(1, await CountAsync(node));
        using var listener = await ConnectAsync(node, "listener");
        await PassAsync(node, 21);
        Assert.Equal("lost", (await listener.HearAndAckAsync()).Payload);
        await listener.HearsNothingAsync();
    }

    [Fact]
    public async Task A_client_that_has_said_goodbye_leaves_no_will_to_a_crash()
    {
        var node = await StartAsync();
        await ListenAsync(node);
        using (var client = await ConnectAsync(node, "client", clean: true, will: new("wills", "gone", 1)))
        {
            await client.GoodbyeAsync();
            await client.EndedAsync();
        }

        await CrashAsync(node);
        using var listener = await ConnectAsync(node, "listener");
        await PassAsync(node, 25);
        await listener.HearsNothingAsync();
    }

    [Fact]
    public async Task A_will_that_was_published_before_a_crash_is_not_published_again()
    {
        var node = await StartAsync();
        using (var listener = await ListenAsync(node))
        {
            using (await ConnectAsync(node, "client", clean: true, will: new("wills", "gone", 1)))
            {
            }

            await listener.HearAndAckAsync();
            await listener.PingAsync();
        }

        Assert.Equal(0, await CountAsync(node));
        await RestartAsync(node);
        using var again = await ConnectAsync(node, "listener");
        await PassAsync(node, 25);
        await again.HearsNothingAsync();
    }

    [Fact]
    public async Task A_will_to_a_twin_is_carried_out_after_a_crash()
    {
        const string Update = "$hw/events/device/default/pump-1/twin/update";
        var node = await StartAsync(("modules.deviceTwin.unknownDevices", "register"), ("modules.eventBus.mqttQOS", "1"));
        using (var listener = await ConnectAsync(node, "listener"))
        {
            await listener.SubscribeAsync(Update + "/result", 1);
        }

        using var client = await ConnectAsync(node, "client", clean: true, will: new(Update, TwinJson.Report("last", ("state", "lost"))));
        await CrashAsync(node);

        using var again = await ConnectAsync(node, "listener");
        await PassAsync(node, 21);
        Assert.Contains("\"lost\"", (await again.HearAndAckAsync()).Payload, StringComparison.Ordinal);
        await Until(async () => await CountAsync(node) == 0);
    }

    [Fact]
    public async Task A_client_whose_will_cannot_be_kept_is_not_let_in()
    {
        var node = await StartAsync();
        await ExecuteAsync(node, "CREATE TRIGGER full BEFORE INSERT ON mqtt_will BEGIN SELECT RAISE(ABORT, 'full'); END");

        foreach (var clean in new[] { true, false })
        {
            using var refused = await MqttTalk.OpenAsync(node.MqttPort);
            await refused.SendAsync(MqttTalk.ConnectPacket("client", clean: clean, properties: clean ? [] : Long, will: new("wills", "gone")));
            Assert.Equal(0x88, await refused.EndedAsync());
        }

        using var without = await ConnectAsync(node, "client");
        Assert.False(without.IsSessionPresent);
    }

    [Fact]
    public async Task A_damaged_will_is_set_aside_and_the_others_are_published()
    {
        var node = await StartAsync();
        await ListenAsync(node);
        using var bad = await ConnectAsync(node, "bad", clean: true, will: new("wills", "bad", 1));
        using var good = await ConnectAsync(node, "good", clean: true, will: new("wills", "good", 1));
        await ExecuteAsync(node, "UPDATE mqtt_will SET payload=x'78' WHERE client='bad'");
        await CrashAsync(node);

        using var listener = await ConnectAsync(node, "listener");
        await PassAsync(node, 21);
        Assert.Equal("good", (await listener.HearAndAckAsync()).Payload);
        await listener.HearsNothingAsync();
        Assert.Equal((1, 0), (await CountAsync(node, "damaged_row"), await CountAsync(node)));
    }

    [Fact]
    public async Task A_will_has_the_rights_of_its_user_after_a_crash()
    {
        using var folder = new TempFolder();
        var users = new UserFile(folder.Write("users", ""), "");
        foreach (var user in new[] { "may", "may-not", "removed", "listener" })
        {
            users.Set(user, "right"u8);
        }

        var rules = folder.Write("rules", "topic write wills/nobody\nuser may\ntopic write wills/+\nuser removed\ntopic write wills/+\nuser listener\ntopic read wills/+");
        var node = await StartAsync(("modules.eventBus.mqttUserFile", folder.PathOf("users")), ("modules.eventBus.mqttAclFile", rules));
        using (var listener = await LoginAsync(node, "listener", null))
        {
            await listener.SubscribeAsync("wills/+", 1);
        }

        using var may = await LoginAsync(node, "may", "wills/may");
        using var mayNot = await LoginAsync(node, "may-not", "wills/may-not");
        using var removed = await LoginAsync(node, "removed", "wills/removed");
        using var nobody = await MqttTalk.ConnectAsync(node.MqttPort, "nobody", will: new("wills/nobody", "gone", 1));
        using var nobodyElse = await MqttTalk.ConnectAsync(node.MqttPort, "nobody-else", will: new("wills/may", "not this one", 1));
        users.Remove("removed");
        await CrashAsync(node);

        using var again = await LoginAsync(node, "listener", null);
        await PassAsync(node, 21);
        string[] heard = [(await again.HearAndAckAsync()).Topic, (await again.HearAndAckAsync()).Topic];
        Assert.Equal(["wills/may", "wills/nobody"], heard.Order(StringComparer.Ordinal));
        await again.HearsNothingAsync();
    }

    [Fact]
    public async Task Nobody_else_gets_the_name_of_a_client_whose_will_waits_after_a_crash()
    {
        using var folder = new TempFolder();
        var users = new UserFile(folder.Write("users", ""), "");
        users.Set("one", "right"u8);
        users.Set("other", "right"u8);
        var node = await StartAsync(("modules.eventBus.mqttUserFile", folder.PathOf("users")));
        using var one = await LoginAsync(node, "one", "wills/one");
        await CrashAsync(node);

        using var other = await MqttTalk.ConnectAsync(node.MqttPort, "c-one", login: new("other", "right"));
        Assert.Equal(0x87, other.Code);
        await PassAsync(node, 21);
        using var later = await MqttTalk.ConnectAsync(node.MqttPort, "c-one", login: new("other", "right"));
        Assert.Equal(0, later.Code);
    }

    private async Task<EdgeNode> StartAsync(params (string Key, string Value)[] settings) => _node = await EdgeNode.StartAsync(
        settings.Append(("modules.eventBus.willGrace", "20s")).ToDictionary(static one => one.Item1, static one => one.Item2),
        silo => silo.Services.AddSingleton<TimeProvider>(_clock));

    private static MqttTalk.Will Delayed(uint seconds) => new("wills", "late", 1, Properties: [0x18, .. MqttTalk.Four(seconds)]);

    // What is on its way to the disk gets there first: it would be late by the clock of the test. The silo looks at this
    // clock and at the machine's: when they are a minute and a half apart as it starts it takes itself for dead.
    private async Task PassAsync(EdgeNode node, double seconds)
    {
        for (var left = seconds; left > 0; left--)
        {
            await node.Services.GetRequiredService<Database>().RunAsync(static db => db.Execute("SELECT 1"));
            _clock.Advance(TimeSpan.FromSeconds(Math.Min(1, left)));
        }
    }

    private Task CrashAsync(EdgeNode node) => EndAsync(node, node.CrashAsync());

    private Task RestartAsync(EdgeNode node, TimeSpan away = default) => EndAsync(node, node.StopAsync(), away);

    private async Task EndAsync(EdgeNode node, Task ending, TimeSpan away = default)
    {
        await LiveUntilAsync(ending);
        _clock.Advance(away);
        await node.RestartAsync();
    }

    // The end of a node takes time of its own clock, far less than the grace.
    private async Task LiveUntilAsync(Task ending)
    {
        while (!ending.IsCompleted)
        {
            _clock.Advance(TimeSpan.FromMilliseconds(10));
            await Task.WhenAny(ending, Task.Delay(TimeSpan.FromMilliseconds(5)));
        }

        await ending;
    }

    private static async Task<MqttTalk> ListenAsync(EdgeNode node)
    {
        var listener = await ConnectAsync(node, "listener");
        await listener.SubscribeAsync("wills", 1);
        return listener;
    }

    private static async Task LoseAsync(EdgeNode node, MqttTalk.Will will)
    {
        using (await ConnectAsync(node, "client", will: will))
        {
        }

        await Until(() => Task.FromResult(node.Services.GetRequiredService<Sessions>().Find("client") is { Will.Due: not null }));
    }

    private static Task<MqttTalk> ConnectAsync(EdgeNode node, string client, int version = 5, bool clean = false, MqttTalk.Will? will = null) =>
        MqttTalk.ConnectAsync(node.MqttPort, client, version, clean, properties: clean || version < 5 ? null : Long, will: will);

    private static Task<MqttTalk> LoginAsync(EdgeNode node, string user, string? topic) => MqttTalk.ConnectAsync(
        node.MqttPort,
        $"c-{user}",
        clean: false,
        properties: topic is null ? Long : null,
        will: topic is null ? null : new(topic, "gone", 1),
        login: new(user, "right"));

    private static Task<int> ExecuteAsync(EdgeNode node, string sql) => node.Services.GetRequiredService<Database>().RunAsync(db => db.Execute(sql));

    private static Task<long> CountAsync(EdgeNode node, string table = "mqtt_will") =>
        node.Services.GetRequiredService<Database>().ReadAsync(db => db.Query($"SELECT count(*) FROM {table}", static row => row.GetInt64(0))[0]);

    private static async Task Until(Func<Task<bool>> isSo)
    {
        using var patience = new CancellationTokenSource(Patience.Default);
        while (!await isSo())
        {
            patience.Token.ThrowIfCancellationRequested();
            await Task.Yield();
        }
    }
}
