using System.Net;
using System.Net.Sockets;
using EdgeOrleans.Edge.EventBus.Access;
using EdgeOrleans.Modules;
using EdgeOrleans.TestKit;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Time.Testing;

namespace EdgeOrleans.Edge.EventBus;

/// <summary>Who may do what at the door: every cell of a matrix of clients, topics and operations.</summary>
public sealed class MqttAccessTests
{
    private const string Password = "right";
    private const int NotAuthorized = 0x87;

    // For each topic what each client may do: p to publish, s to subscribe, w to leave it as its will.
    private static readonly string[] Clients = ["nobody", "pump-1", "pump-2", "shop/till-1", "admin"];

    private static readonly (string Topic, string[] May)[] ByDefault =
    [
        ("$hw/events/device/default/pump-1/twin/update", ["", "psw", "", "", ""]),
        ("$hw/events/device/default/pump-1/twin/get", ["", "psw", "", "", ""]),
        ("$hw/events/device/default/pump-1/state/update", ["", "psw", "", "", ""]),
        ("$hw/events/device/pump-1/twin/update", ["", "psw", "", "", ""]),
        ("$hw/events/device/default/pump-1/twin/update/result", ["", "s", "", "", ""]),
        ("$hw/events/device/pump-1/twin/update/delta", ["", "s", "", "", ""]),
        ("$hw/events/device/default/pump-1/#", ["", "s", "", "", ""]),
        ("$hw/events/device/default/pump-2/twin/update", ["", "", "psw", "", ""]),
        ("$hw/events/device/shop/till-1/twin/update", ["", "", "", "psw", ""]),
        ("$hw/events/device/shop/till-1/#", ["", "", "", "s", ""]),
        ("$hw/events/device/till-1/twin/update", ["", "", "", "", ""]),
        ("$hw/events/device/default/+/twin/update/result", ["", "", "", "", ""]),
        ("$hw/events/device/+/+/twin/+", ["", "", "", "", ""]),
        ("$hw/events/device/#", ["", "", "", "", ""]),
        ("$hw/#", ["", "", "", "", ""]),
        ("$hw/events/upload/x", ["", "pw", "pw", "pw", "pw"]),
        ("$hw/events/node/edge-node/membership/get", ["", "", "", "", ""]),
        ("$hw/events/node/edge-node/membership/get/result", ["", "", "", "", ""]),
        ("$SYS/broker", ["", "", "", "", ""]),
        ("plant/a", ["psw", "psw", "psw", "psw", "psw"]),
        ("shop/user/x", ["psw", "psw", "psw", "psw", "psw"]),
        ("#", ["s", "s", "s", "s", "s"]),
        ("+/a", ["s", "s", "s", "s", "s"]),
    ];

    private const string Rules = """
        # for those without a name
        topic read public/#

        user admin
        topic readwrite #
        topic readwrite $hw/#
        topic deny vault/#

        user pump-2
        topic write plant/pump-2
        topic deny public/secret

        pattern readwrite own/%u/#
        pattern read client/%c
        """;

    private static readonly (string Topic, string[] May)[] ByFile =
    [
        ("public/a", ["s", "", "", "", "psw"]),
        ("public/#", ["s", "", "", "", "s"]),
        ("public/secret", ["s", "", "", "", "psw"]),
        ("vault/a", ["", "", "", "", ""]),
        ("#", ["", "", "", "", ""]),
        ("plant/#", ["", "", "", "", "s"]),
        ("plant/pump-2", ["", "", "pw", "", "psw"]),
        ("own/pump-1/x", ["", "psw", "", "", "psw"]),
        ("own/pump-1/#", ["", "s", "", "", "s"]),
        ("own/+/x", ["", "", "", "", "s"]),
        ("own/shop/till-1/x", ["", "", "", "psw", "psw"]),
        ("client/c-pump-1", ["", "s", "", "", "psw"]),
        ("client/c-nobody", ["s", "", "", "", "psw"]),
        ("$hw/events/device/default/pump-1/twin/update", ["", "", "", "", "psw"]),
        ("$hw/events/device/default/pump-1/twin/update/result", ["", "", "", "", "s"]),
        ("$hw/#", ["", "", "", "", "s"]),
    ];

    public static TheoryData<string, bool> Matrix() => new() { { "without a file", false }, { "with a file", true } };

    [Theory]
    [MemberData(nameof(Matrix))]
    public async Task Each_client_may_do_with_each_topic_what_the_rules_say_and_nothing_else(string rules, bool withFile)
    {
        using var folder = new TempFolder();
        await using var node = await StartAsync(folder, withFile ? Rules : null);
        var wrong = new List<string>();
        foreach (var (topic, may) in withFile ? ByFile : ByDefault)
        {
            foreach (var (client, wanted) in Clients.Zip(may))
            {
                var can = await CanAsync(node, client, topic);
                if (can != wanted)
                {
                    wrong.Add($"{client} at {topic}: should be '{wanted}' and is '{can}'");
                }
            }
        }

        Assert.True(wrong.Count == 0, $"{rules}:\n{string.Join('\n', wrong)}");
    }

    [Theory]
    [InlineData(4)]
    [InlineData(5)]
    public async Task A_client_that_may_not_is_told_so_stays_connected_and_disturbs_nobody(int version)
    {
        using var folder = new TempFolder();
        await using var node = await StartAsync(folder, Rules);
        using var admin = await ConnectAsync(node, "admin", version: version);
        Assert.Equal([0], await admin.SubscribeAsync("plant/#", 0));
        using var pump = await ConnectAsync(node, "pump-1", version: version);

        Assert.Equal(version == 5 ? [NotAuthorized] : (byte[])[0x80], await pump.SubscribeAsync("plant/#", 1));
        var code = await pump.PublishedAsync("plant/x", "1", qos: 1);
        await pump.PublishedAsync("plant/x", "2", qos: 0);
        await admin.PublishedAsync("plant/end", "3", qos: 0);

        Assert.Equal(version == 5 ? NotAuthorized : 0, code);
        Assert.Equal("3", (await admin.HearAsync()).Payload);
        Assert.Equal(3, Refused(node, "mqtt.not-authorized"));
    }

    [Theory]
    [InlineData(4, 4)]
    [InlineData(5, 0x86)]
    public async Task A_wrong_password_a_wrong_user_and_none_are_refused_the_same(int version, int code)
    {
        using var folder = new TempFolder();
        await using var node = await StartAsync(folder);

        using var wrong = await MqttTalk.ConnectAsync(node.MqttPort, "a", version, login: new("pump-1", "wrong"));
        using var unknown = await MqttTalk.ConnectAsync(node.MqttPort, "b", version, login: new("pump-9", Password));

        Assert.Equal((code, code), (wrong.Code, unknown.Code));
        Assert.NotNull(await wrong.EndedAsync() is null ? "closed" : "told");
        Assert.Equal(2, Refused(node, "mqtt.wrong-password"));
    }

    [Fact]
    public async Task A_wrong_password_is_slow_to_try_twice_and_a_client_that_was_right_before_is_not_slowed()
    {
        using var folder = new TempFolder();
        var time = new FakeTimeProvider(DateTimeOffset.UtcNow);
        await using var node = await StartAsync(folder, time: time);
        using (var known = await ConnectAsync(node, "pump-1"))
        {
            Assert.Equal(0, known.Code);
        }

        using var first = await MqttTalk.ConnectAsync(node.MqttPort, "a", login: new("pump-1", "wrong"));
        using var second = await MqttTalk.OpenAsync(node.MqttPort);
        await second.SendAsync(MqttTalk.ConnectPacket("b", login: new("pump-1", "wrong too")));
        var answer = second.ReadAsync(MqttPacket.ConnAck);
        using var right = await ConnectAsync(node, "pump-1");

        Assert.Equal(0, right.Code);
        Assert.False(answer.IsCompleted);
        while (!answer.IsCompleted)
        {
            // The wait begins at some moment of the fake clock; one second of it is enough.
            time.Advance(TimeSpan.FromMilliseconds(1_100));
            await Task.WhenAny(answer, Task.Delay(20, TestContext.Current.CancellationToken));
        }

        Assert.Equal(0x86, (await answer).Body.Span[1]);
    }

    [Fact]
    public async Task A_session_is_its_users_alone_and_nobody_hears_what_waits_in_it()
    {
        using var folder = new TempFolder();
        await using var node = await StartAsync(folder);
        using (var own = await ConnectAsync(node, "pump-1", id: "shared", properties: MqttTalk.Expiry(600), clean: false))
        {
            await own.SubscribeAsync("$hw/events/device/default/pump-1/twin/update/result", 1);
        }

        await node.RestartAsync();
        using var other = await ConnectAsync(node, "pump-2", id: "shared", properties: MqttTalk.Expiry(600), clean: false);
        using var nobody = await ConnectAsync(node, "nobody", id: "shared", properties: MqttTalk.Expiry(600), clean: false);
        using var again = await ConnectAsync(node, "pump-1", id: "shared", properties: MqttTalk.Expiry(600), clean: false);

        Assert.Equal((NotAuthorized, NotAuthorized), (other.Code, nobody.Code));
        Assert.Equal((0, true), (again.Code, again.IsSessionPresent));
        Assert.Equal(2, Refused(node, "mqtt.foreign-client-id"));
    }

    [Fact]
    public async Task What_waited_before_there_were_users_is_given_to_none_of_them()
    {
        using var folder = new TempFolder();
        var data = folder.PathOf("data");
        Directory.CreateDirectory(data);
        await using (var open = await EdgeNode.StartAsync(data: data))
        {
            using var before = await MqttTalk.ConnectAsync(open.MqttPort, "shared", properties: MqttTalk.Expiry(600), clean: false);
            await before.SubscribeAsync("#", 1);
        }

        await using var node = await StartAsync(folder, data: data);
        using var user = await ConnectAsync(node, "pump-1", id: "shared", properties: MqttTalk.Expiry(600), clean: false);

        Assert.Equal((0, false), (user.Code, user.IsSessionPresent));
    }

    [Fact]
    public async Task A_user_that_is_removed_and_a_rule_that_is_taken_back_count_at_once()
    {
        using var folder = new TempFolder();
        await using var node = await StartAsync(folder, Rules);
        var files = node.Services.GetRequiredService<AccessFiles>();
        using var pump = await ConnectAsync(node, "pump-1");
        using var admin = await ConnectAsync(node, "admin");
        using var other = await ConnectAsync(node, "pump-2");
        await admin.SubscribeAsync("plant/#", 0);

        await files.RemoveUserAsync("pump-1");
        Assert.Equal(NotAuthorized, await pump.EndedAsync());
        await File.WriteAllTextAsync(folder.PathOf("rules"), Rules.Replace("topic readwrite #", "topic read nothing", StringComparison.Ordinal), TestContext.Current.CancellationToken);
        files.Check();
        Assert.Equal(NotAuthorized, await admin.EndedAsync());

        await other.PingAsync();
        using var back = await MqttTalk.ConnectAsync(node.MqttPort, "c-pump-1", login: new("pump-1", Password));
        Assert.Equal(0x86, back.Code);
        Assert.Equal(2, Refused(node, "mqtt.rights-ended"));
    }

    [Fact]
    public async Task Rules_that_are_broken_change_nothing()
    {
        using var folder = new TempFolder();
        await using var node = await StartAsync(folder, Rules);
        var files = node.Services.GetRequiredService<AccessFiles>();

        await File.WriteAllTextAsync(folder.PathOf("rules"), "topic everything\nuser", TestContext.Current.CancellationToken);
        files.Check();

        using var admin = await ConnectAsync(node, "admin");
        Assert.Equal([0], await admin.SubscribeAsync("plant/#", 0));
        Assert.Contains("rules, line", files.Current.RulesError, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Without_users_a_client_of_another_machine_is_not_let_in_unless_that_is_said()
    {
        var address = Array.Find(await Dns.GetHostAddressesAsync(Dns.GetHostName(), AddressFamily.InterNetwork, TestContext.Current.CancellationToken), static a => !IPAddress.IsLoopback(a));
        Assert.SkipWhen(address is null, "this machine has no address but loopback");
        foreach (var (anonymous, code) in new[] { ("loopback", NotAuthorized), ("always", 0), ("never", NotAuthorized) })
        {
            await using var node = await EdgeNode.StartAsync(new Dictionary<string, string>
            {
                ["modules.eventBus.mqttServerInternal"] = $"tcp://{address}:0",
                ["modules.eventBus.mqttAnonymous"] = anonymous,
            });

            using var socket = await MqttSocket.OpenAsync(node.MqttPort, address);
            await socket.SendAsync(MqttTalk.ConnectPacket("far"));

            Assert.Equal(code, (await socket.ReadAsync())!.Value.Body.Span[1]);
        }
    }

    [Theory]
    [InlineData("mqttAclFile", "missing", "missing")]
    [InlineData("mqttUserFile", "bad", "bad, line 1")]
    [InlineData("mqttAclFile", "bad", "bad, line 1")]
    public async Task A_file_that_is_missing_or_wrong_stops_the_start_and_says_where(string key, string file, string said)
    {
        using var folder = new TempFolder();
        folder.Write("bad", "no such thing\n");
        var settings = new Dictionary<string, string> { [$"modules.eventBus.{key}"] = folder.PathOf(file) };

        var refused = await Assert.ThrowsAnyAsync<Exception>(() => EdgeNode.StartAsync(settings));

        Assert.Contains(said, refused.ToString(), StringComparison.Ordinal);
    }

    private static async Task<string> CanAsync(EdgeNode node, string client, string topic)
    {
        var can = "";
        var isFilter = topic.AsSpan().IndexOfAny('+', '#') >= 0;
        if (!isFilter)
        {
            using var publisher = await ConnectAsync(node, client);
            can += await publisher.PublishedAsync(topic, "{}", qos: 1) == NotAuthorized ? "" : "p";
        }

        using (var subscriber = await ConnectAsync(node, client))
        {
            can += (await subscriber.SubscribeAsync(topic, 1))[0] <= 2 ? "s" : "";
        }

        if (!isFilter)
        {
            can += await LeavesWillAsync(node, client, topic) ? "w" : "";
        }

        return can;
    }

    // A will that is not allowed is counted when its client is lost; one that is allowed is not.
    private static async Task<bool> LeavesWillAsync(EdgeNode node, string client, string topic)
    {
        var before = Refused(node, "mqtt.not-authorized") + Refused(node, "mqtt.reserved-topic");
        using (var lost = await ConnectAsync(node, client, will: new(topic, "{}")))
        {
            // Without a goodbye.
        }

        // The next of the same name comes after the last is over.
        using var next = await ConnectAsync(node, client);
        return Refused(node, "mqtt.not-authorized") + Refused(node, "mqtt.reserved-topic") == before;
    }

    private static async Task<EdgeNode> StartAsync(TempFolder folder, string? rules = null, string? data = null, TimeProvider? time = null)
    {
        var users = new UserFile(folder.Write("users", ""), "");
        foreach (var user in Clients.Skip(1))
        {
            users.Set(user, "right"u8);
        }

        var settings = new Dictionary<string, string> { ["modules.eventBus.mqttUserFile"] = folder.PathOf("users") };
        if (rules is not null)
        {
            settings["modules.eventBus.mqttAclFile"] = folder.Write("rules", rules);
        }

        return await EdgeNode.StartAsync(settings, time is null ? null : silo => silo.Services.AddSingleton(new LoginThrottle(time)), data);
    }

    private static Task<MqttTalk> ConnectAsync(
        EdgeNode node, string client, string? id = null, int version = 5, bool clean = true, byte[]? properties = null, MqttTalk.Will? will = null) => MqttTalk.ConnectAsync(
        node.MqttPort,
        id ?? $"c-{client}",
        version,
        clean,
        properties: properties,
        will: will,
        login: client == "nobody" ? null : new(client, Password));

    private static long Refused(EdgeNode node, string reason) => node.Services.GetRequiredService<Refusals>().Snapshot().GetValueOrDefault(reason);
}
