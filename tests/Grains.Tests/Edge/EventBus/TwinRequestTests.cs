using EdgeOrleans.DbManager;
using EdgeOrleans.Devices;
using EdgeOrleans.TestKit;
using Microsoft.Extensions.DependencyInjection;

namespace EdgeOrleans.Edge.EventBus;

/// <summary>A request to a twin with QoS 2 is carried out once, whenever the process ends.</summary>
public sealed class TwinRequestTests
{
    private const string Update = "$hw/events/device/default/p/twin/update";
    private const string RefuseRow = "CREATE TRIGGER broken BEFORE INSERT ON mqtt_received BEGIN SELECT RAISE(ABORT, 'broken'); END";
    private const string RefuseTwin = "CREATE TRIGGER broken BEFORE UPDATE ON grain_state BEGIN SELECT RAISE(ABORT, 'broken'); END";
    private const string RefuseNothing = "DROP TRIGGER broken";

    [Theory]
    [InlineData(4)]
    [InlineData(5)]
    public async Task A_change_and_the_identifier_that_asked_for_it_are_on_disk_together_or_not_at_all(int version)
    {
        await using var node = await StartAsync();
        using (var device = await ConnectAsync(node, version))
        {
            Assert.Equal(0, await device.PublishedAsync(Update, Report("1"), qos: 2, id: 1));
        }

        await ExecuteAsync(node, RefuseRow);
        await IsNotDoneAsync(node, version, "2");
        Assert.Equal(("1", 1L), await TwinAsync(node));
        await ExecuteAsync(node, RefuseNothing);

        await ExecuteAsync(node, RefuseTwin);
        await IsNotDoneAsync(node, version, "2");
        Assert.Equal(0, await CountAsync(node));
        await ExecuteAsync(node, RefuseNothing);

        using (var device = await ConnectAsync(node, version))
        {
            await device.PublishAsync(Update, Report("2"), qos: 2, id: 2, dup: true);
            Assert.Equal(2, (await device.ReadAsync(MqttTalk.PubRec)).Id);
        }

        Assert.Equal((("2", 2L), 1), (await TwinAsync(node), await CountAsync(node)));
    }

    [Theory]
    [InlineData(4)]
    [InlineData(5)]
    public async Task A_request_that_comes_again_after_a_restart_is_answered_and_not_carried_out_again(int version)
    {
        await using var node = await StartAsync();
        using (var device = await ConnectAsync(node, version))
        {
            await device.PublishAsync(Update, Report("1"), qos: 2, id: 9);
            await device.ReadAsync(MqttTalk.PubRec);
        }

        await node.RestartAsync();
        using var again = await ConnectAsync(node, version);
        Assert.Equal(0, await again.PublishedAsync(Update, Report("1"), qos: 2, id: 9, dup: true));
        Assert.Equal((("1", 1L), 0), (await TwinAsync(node), await CountAsync(node)));

        Assert.Equal(0, await again.PublishedAsync(Update, Report("2"), qos: 2, id: 9));
        Assert.Equal(("2", 2L), await TwinAsync(node));
    }

    [Fact]
    public async Task Where_a_session_waits_for_the_answer_the_identifier_comes_after_the_answer()
    {
        await using var node = await StartAsync(("modules.eventBus.mqttQOS", "1"));
        using (var reader = await MqttTalk.ConnectAsync(node.MqttPort, "reader", clean: false, properties: MqttTalk.Expiry(3_600)))
        {
            await reader.SubscribeAsync($"{Update}/document", 1);
        }

        await ExecuteAsync(node, RefuseRow);
        await IsNotDoneAsync(node, version: 4, "1");

        Assert.Equal(("1", 1L), await TwinAsync(node));
        using var again = await MqttTalk.ConnectAsync(node.MqttPort, "reader", clean: false, properties: MqttTalk.Expiry(3_600));
        Assert.Equal($"{Update}/document", (await again.HearAndAckAsync()).Topic);
    }

    [Fact]
    public async Task A_request_that_was_given_up_leaves_no_identifier_when_its_twin_carries_it_out_after_all()
    {
        await using var node = await StartAsync(("modules.eventBus.requestTimeout", "1s"));
        using var device = await ConnectAsync(node, version: 5);
        using var disk = new ManualResetEventSlim();
        var busy = ExecuteAsync(node, _ => disk.Wait());
        await device.PublishAsync(Update, Report("1"), qos: 2, id: 7);

        var answer = await device.ReadAsync(MqttTalk.PubRec);
        disk.Set();
        await busy;

        Assert.Equal(0x80, answer.Body.Span[2]);
        using var patience = new CancellationTokenSource(Patience.Default);
        while (await Device(node).GetAsync() is null)
        {
            patience.Token.ThrowIfCancellationRequested();
        }

        Assert.Equal(0, await CountAsync(node));
    }

    [Fact]
    public async Task An_identifier_of_a_session_that_is_gone_leaves_no_row()
    {
        await using var node = await StartAsync();
        var store = node.Services.GetRequiredService<MqttStore>();
        long session;
        using (var device = await ConnectAsync(node, version: 5))
        {
            session = node.Services.GetRequiredService<Sessions>().Find("device")!.Number;
            await store.ReceivedAsync(session, 1);
            Assert.Equal(1, await CountAsync(node));
        }

        using var anew = await MqttTalk.ConnectAsync(node.MqttPort, "device", clean: true, properties: MqttTalk.Expiry(3_600));
        var late = new ReceivedRow(session, 2);
        await ExecuteAsync(node, late.WriteAlongside);
        await store.ReceivedAsync(session, 3);

        Assert.Equal(0, await CountAsync(node));
    }

    [Fact]
    public async Task A_row_that_was_closed_is_not_written()
    {
        await using var node = await StartAsync();
        using var device = await ConnectAsync(node, version: 5);
        var session = node.Services.GetRequiredService<Sessions>().Find("device")!;
        var (closed, written) = (new ReceivedRow(session.Number, 1), new ReceivedRow(session.Number, 2));
        Assert.False(closed.Close());

        await ExecuteAsync(node, closed.WriteAlongside);
        await ExecuteAsync(node, written.WriteAlongside);

        Assert.True(written.Close());
        Assert.Equal(1, await CountAsync(node));
    }

    [Fact]
    public async Task An_identifier_whose_request_failed_is_free_only_when_the_disk_has_let_go_of_it()
    {
        await using var node = await StartAsync();
        using var device = await ConnectAsync(node, version: 5);
        var session = node.Services.GetRequiredService<Sessions>().Find("device")!;
        Assert.True(session.Incoming.TryTake(1, isVersion5: true));
        await node.Services.GetRequiredService<MqttStore>().ReceivedAsync(session.Number, 1);

        await ExecuteAsync(node, "CREATE TRIGGER broken BEFORE DELETE ON mqtt_received BEGIN SELECT RAISE(ABORT, 'broken'); END");
        Assert.False(await session.Incoming.TryTakeBackAsync(1));
        Assert.Equal((0, 1), (session.Incoming.Count, await CountAsync(node)));

        await ExecuteAsync(node, RefuseNothing);
        Assert.True(await session.Incoming.TryTakeBackAsync(1));
        Assert.Equal(0, await CountAsync(node));
    }

    /// <summary>A publish that cannot be stored: MQTT 5 hears so, MQTT 3.1.1 is disconnected without an acknowledgement.</summary>
    private static async Task IsNotDoneAsync(EdgeNode node, int version, string value)
    {
        using var device = await ConnectAsync(node, version);
        await device.PublishAsync(Update, Report(value), qos: 2, id: 2);
        if (version == 5)
        {
            Assert.Equal(0x80, (await device.ReadAsync(MqttTalk.PubRec)).Body.Span[2]);
        }
        else
        {
            Assert.Null(await device.EndedAsync());
        }
    }

    private static Task<EdgeNode> StartAsync(params (string Key, string Value)[] settings) => EdgeNode.StartAsync(
        settings.Append(("modules.deviceTwin.unknownDevices", "register")).ToDictionary(s => s.Item1, s => s.Item2, StringComparer.Ordinal));

    private static Task<MqttTalk> ConnectAsync(EdgeNode node, int version) =>
        MqttTalk.ConnectAsync(node.MqttPort, "device", version, clean: false, properties: version == 5 ? MqttTalk.Expiry(3_600) : null);

    private static string Report(string value) => TwinJson.Report("e", ("t", value));

    private static IDeviceTwinGrain Device(EdgeNode node) => node.Grains.GetGrain<IDeviceTwinGrain>("default/p");

    private static async Task<(string? Value, long Version)> TwinAsync(EdgeNode node)
    {
        var value = (await Device(node).GetAsync())!.Twin["t"].Actual!;
        return (value.Value, value.Version.Edge);
    }

    private static Task ExecuteAsync(EdgeNode node, string sql) => ExecuteAsync(node, db => { db.Execute(sql); });

    private static Task ExecuteAsync(EdgeNode node, Action<DbSession> work) => node.Services.GetRequiredService<Database>().RunAsync(work);

    private static Task<long> CountAsync(EdgeNode node) =>
        node.Services.GetRequiredService<Database>().RunAsync(db => db.Query("SELECT count(*) FROM mqtt_received", row => row.GetInt64(0))[0]);
}
