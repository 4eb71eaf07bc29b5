using System.Collections.Immutable;
using System.Text;
using System.Text.Json.Nodes;
using System.Threading.Channels;
using EdgeOrleans.Beehive;
using EdgeOrleans.DbManager;
using EdgeOrleans.Devices;
using EdgeOrleans.Link;
using EdgeOrleans.Modules;

namespace EdgeOrleans.Edge.DeviceTwin;

public sealed class DeviceTwinGrainTests
{
    private const string One = """{"event_id":"e","twin":{"t":{"actual":{"value":"1"}}}}""";
    private static readonly (string, string) Refuse = ("modules:deviceTwin:unknownDevices", "refuse");
    private static readonly (string, string) Cloud = ("modules:edgeHub:websocket:server", "cloud:10000");

    [Fact]
    public async Task An_update_is_answered_with_result_document_and_delta_in_this_order()
    {
        await using var silo = await TwinSilo.StartAsync();

        var answer = await silo.UpdateAsync("default/p", """{"event_id":"e","twin":{"t":{"expected":{"value":"1"}}}}""");

        Assert.Equal(
            ["device/default/p/twin/update/result", "device/default/p/twin/update/document", "device/default/p/twin/update/delta"],
            answer.Parts.Select(p => p.Route.Resource));
        Assert.All(answer.Parts, p => Assert.Equal(("twin", "bus", "publish"), (p.Route.Source, p.Route.Group, p.Route.Operation)));
    }

    [Fact]
    public async Task Everything_of_a_device_is_there_again_after_a_restart()
    {
        var folder = Directory.CreateTempSubdirectory("edgeorleans-").FullName;
        DeviceView? before, after;
        await using (var silo = await TwinSilo.StartAsync(folder))
        {
            await silo.UpdateAsync("default/p", """{"twin":{"t":{"actual":{"value":"1"},"optional":false},"gone":{"actual":{"value":"2"}},"B":{"expected":{"value":"3"}}}}""");
            await silo.UpdateAsync("default/p", """{"twin":{"gone":null}}""");
            await silo.AskAsync("default/p", Operations.Update, "device/default/p/state", """{"state":"online"}""");
            before = await silo.Device("default/p").GetAsync();
        }

        await using (var silo = await TwinSilo.StartAsync(folder))
        {
            after = await silo.Device("default/p").GetAsync();
            var page = await silo.Membership.ListDevicesAsync(null, 10);
            Assert.Equal("online", Assert.Single(page.Devices).State);
        }

        Directory.Delete(folder, recursive: true);
        Assert.Equal(before!.Twin, after!.Twin);
        Assert.True(after.Twin["gone"].IsDeleted);
        Assert.Equal(new TwinVersion(0, 2), after.Twin["gone"].Actual!.Version);
        Assert.Equal((before.State, before.LastOnline), (after.State, after.LastOnline));
    }

    [Fact]
    public async Task Updates_sent_without_waiting_are_applied_and_answered_in_their_order()
    {
        await using var silo = await TwinSilo.StartAsync();
        var asked = Enumerable.Range(0, 200)
            .Select(i => silo.UpdateAsync("default/p", $"{{\"event_id\":\"{i}\",\"twin\":{{\"n\":{{\"actual\":{{\"value\":\"{i}\"}}}}}}}}")).ToArray();

        var answers = await Task.WhenAll(asked);

        for (var i = 1; i < answers.Length; i++)
        {
            var change = answers[i].Part("/document")["twin"]!["n"]!;
            Assert.Equal(($"{i - 1}", $"{i}"), (change["last"]!["actual"]!["value"]!.ToString(), change["current"]!["actual"]!["value"]!.ToString()));
        }

        Assert.Equal(200, (await silo.Device("default/p").GetAsync())!.Twin["n"].Actual!.Version.Edge);
    }

    [Fact]
    public async Task A_question_sees_what_was_asked_before_it_and_nothing_after()
    {
        await using var silo = await TwinSilo.StartAsync();
        var first = silo.UpdateAsync("default/p", One);
        var between = silo.GetAsync("default/p");
        var second = silo.UpdateAsync("default/p", """{"twin":{"t":{"actual":{"value":"2"}}}}""");

        await Task.WhenAll(first, between, second);

        Assert.Equal("1", (await between).Part("/get/result")["twin"]!["t"]!["actual"]!["value"]!.ToString());
    }

    [Fact]
    public async Task What_could_not_be_stored_is_answered_with_500_and_did_not_happen()
    {
        await using var silo = await TwinSilo.StartAsync();
        await silo.UpdateAsync("default/p", One);
        await silo.SqlAsync("CREATE TRIGGER broken BEFORE UPDATE ON grain_state BEGIN SELECT RAISE(ABORT, 'broken'); END");

        var failed = silo.UpdateAsync("default/p", """{"event_id":"f","twin":{"t":{"actual":{"value":"2"}}}}""");
        var got = silo.GetAsync("default/p");

        Assert.Equal(500, (await failed).Code);
        var part = Assert.Single((await failed).Parts);
        Assert.Equal("device/default/p/twin/update/result", part.Route.Resource);
        Assert.Equal(("f", 500), ((await failed).Part("/result")["event_id"]!.ToString(), (await failed).Part("/result")["code"]!.GetValue<int>()));
        Assert.Equal("1", (await got).Part("/get/result")["twin"]!["t"]!["actual"]!["value"]!.ToString());

        await silo.SqlAsync("DROP TRIGGER broken");
        var next = await silo.UpdateAsync("default/p", """{"twin":{"t":{"actual":{"value":"3"}}}}""");

        Assert.Equal(0, next.Code);
        Assert.Equal(2, (await silo.Device("default/p").GetAsync())!.Twin["t"].Actual!.Version.Edge);
    }

    [Fact]
    public async Task What_a_request_brings_along_is_in_the_commit_of_its_change_and_never_without_a_change()
    {
        await using var silo = await TwinSilo.StartAsync();
        await silo.SqlAsync("CREATE TABLE brought(word TEXT NOT NULL UNIQUE)");

        Assert.Equal(0, (await AskAsync(silo, Operations.Update, One, "changed")).Code);
        Assert.Equal(400, (await AskAsync(silo, Operations.Update, "no JSON", "refused")).Code);
        Assert.Equal(0, (await AskAsync(silo, Operations.Get, "{}", "asked")).Code);
        Assert.Equal(["changed"], await BroughtAsync(silo));

        Assert.Equal(500, (await AskAsync(silo, Operations.Update, One, "changed")).Code);
        Assert.Equal(1, (await silo.Device("default/p").GetAsync())!.Twin["t"].Actual!.Version.Edge);

        await silo.SqlAsync("CREATE TRIGGER broken BEFORE UPDATE ON grain_state BEGIN SELECT RAISE(ABORT, 'broken'); END");
        Assert.Equal(500, (await AskAsync(silo, Operations.Update, One, "not stored")).Code);
        Assert.Equal(["changed"], await BroughtAsync(silo));
    }

    [Fact]
    public async Task An_unknown_device_is_refused_when_the_settings_say_so()
    {
        await using var silo = await TwinSilo.StartAsync(null, Refuse);

        var update = await silo.UpdateAsync("default/nope", One);
        var state = await silo.AskAsync("default/nope", Operations.Update, "device/default/nope/state", """{"state":"online"}""");

        Assert.Equal((404, 1), (update.Code, update.Parts.Length));
        Assert.Equal((404, 0), (state.Code, state.Parts.Length));
        Assert.Null(await silo.Device("default/nope").GetAsync());
        Assert.Equal(1, silo.Get<Refusals>().Snapshot()["twin.unknown-device"]);
    }

    [Fact]
    public async Task Reports_make_as_many_devices_as_they_may_and_no_more()
    {
        await using var silo = await TwinSilo.StartAsync(null, ("modules:deviceTwin:maxDevices", "2"));

        var codes = new List<int>();
        foreach (var id in new[] { "default/a", "default/b", "default/c", "default/a" })
        {
            codes.Add((await silo.UpdateAsync(id, One)).Code);
        }

        await silo.Membership.DeleteDeviceAsync("a");
        codes.Add((await silo.UpdateAsync("default/c", One)).Code);

        Assert.Equal([0, 0, 404, 0, 0], codes);
    }

    [Fact]
    public async Task What_goes_up_waits_in_the_outbox_with_the_state_and_the_hub_is_nudged()
    {
        await using var silo = await TwinSilo.StartAsync(null, Cloud, ("modules:deviceTwin:unknownDevices", "register"));

        await silo.UpdateAsync("default/p", One);
        await silo.AskAsync("default/p", Operations.Update, "device/default/p/state", """{"state":"online"}""");
        await silo.Hub.NextAsync("outbox");

        var rows = await silo.Get<Outbox>().ReadAsync(0);
        Assert.Equal(["device/default/p/twin/edge_updated", "device/default/p/state/update"], rows.Select(r => r.Entry.Resource));
        Assert.Equal(1, JsonNode.Parse(rows[0].Entry.Content.Span)!["actual_version"]!["edge"]!.GetValue<int>());
        Assert.True(rows[1].Entry.IsText);
    }

    [Fact]
    public async Task Without_a_cloud_nothing_is_kept_and_all_is_counted()
    {
        await using var silo = await TwinSilo.StartAsync();

        await silo.UpdateAsync("default/p", One);

        Assert.Empty(await silo.Get<Outbox>().ReadAsync(0));
        Assert.Equal(1, silo.Get<Outbox>().NoCloud["twin"]);
    }

    [Fact]
    public async Task The_console_sets_expected_values_and_the_device_hears_them()
    {
        await using var silo = await TwinSilo.StartAsync();
        await silo.UpdateAsync("default/p", """{"twin":{"t":{"actual":{"value":"1"},"metadata":{"type":"int"}}}}""");

        var view = await silo.Device("default/p").SetExpectedAsync(ImmutableDictionary<string, string>.Empty.Add("t", "5"));
        var refused = await Assert.ThrowsAsync<RefusedException>(() =>
            silo.Device("default/p").SetExpectedAsync(ImmutableDictionary<string, string>.Empty.Add("t", "x")));
        var unknown = await Assert.ThrowsAsync<RefusedException>(() =>
            silo.Device("default/nope").SetExpectedAsync(ImmutableDictionary<string, string>.Empty.Add("t", "5")));

        Assert.Equal("5", view.Twin["t"].Expected!.Value);
        Assert.Equal((400, 404), (refused.Code, unknown.Code));
        Assert.Equal(["device/default/p/twin/update/document", "device/default/p/twin/update/delta"], silo.Bus.Resources);
    }

    [Fact]
    public async Task Who_watches_hears_each_change_and_the_end()
    {
        await using var silo = await TwinSilo.StartAsync();
        await silo.UpdateAsync("default/p", One);
        var observer = new Observer();
        var reference = silo.Client.CreateObjectReference<IDeviceObserver>(observer);

        await silo.Device("default/p").WatchAsync(reference);
        await silo.UpdateAsync("default/p", """{"twin":{"t":{"actual":{"value":"2"}}}}""");
        Assert.Equal("2", (await observer.NextAsync())!.Twin["t"].Actual!.Value);
        await silo.Membership.DeleteDeviceAsync("p");

        Assert.Null(await observer.NextAsync());
        GC.KeepAlive(observer);
    }

    [Fact]
    public async Task The_cloud_adds_and_removes_devices_and_one_that_is_wrong_stops_no_other()
    {
        await using var silo = await TwinSilo.StartAsync(null, Cloud);

        await silo.CloudAsync("devicecontroller", "update", "membership", """{"added_devices":[{"id":"default/bad","twin":{"a":{"actual":5}}},{"id":"../x"},null,{"id":"default/a","name":"a","description":"d"},{"id":"default/b","name":"b"}]}""");
        Assert.Equal(["default/a", "default/b"], (await silo.Membership.ListDevicesAsync(null, 10)).Devices.Select(d => d.Id));

        await silo.CloudAsync("devicecontroller", "update", "membership", """{"removed_devices":[{"id":"default/a","name":"a"},{"id":"default/none"}]}""");
        Assert.Null(await silo.Device("default/a").GetAsync());
        Assert.Equal(3, silo.Bus.Resources.Count(r => r == "node/edge-node/membership/updated"));
    }

    [Fact]
    public async Task A_list_of_all_devices_removes_those_it_does_not_name_and_a_wrong_list_removes_none()
    {
        await using var silo = await TwinSilo.StartAsync(null, Cloud);
        await silo.CloudAsync("edgemgr", "update", "membership", """{"added_devices":[{"id":"default/a","name":"a"},{"id":"default/b","name":"b"}]}""");

        await silo.CloudAsync("edgemgr", "update", "membership/detail", "{}");
        await silo.CloudAsync("edgemgr", "update", "membership/detail", "null");
        Assert.Equal(400, (await silo.CloudAsync("edgemgr", "update", "membership/detail", "{bad")).Code);
        Assert.Equal(2, (await silo.Membership.ListDevicesAsync(null, 10)).Devices.Length);

        await silo.CloudAsync("edgemgr", "update", "membership/detail", """{"devices":[{"id":"default/b","name":"b"},{"id":"default/c","name":"c"}]}""");
        Assert.Equal(["default/b", "default/c"], (await silo.Membership.ListDevicesAsync(null, 10)).Devices.Select(d => d.Id));

        await silo.CloudAsync("edgemgr", "update", "membership/detail", """{"devices":[]}""");
        Assert.Empty((await silo.Membership.ListDevicesAsync(null, 10)).Devices);
    }

    [Fact]
    public async Task The_cloud_reaches_twins_and_attributes_by_ids_of_one_and_two_levels()
    {
        await using var silo = await TwinSilo.StartAsync(null, Cloud);
        await silo.CloudAsync("edgemgr", "update", "membership", """{"added_devices":[{"id":"default/a","name":"a"}]}""");

        await silo.CloudAsync("edgemgr", "update", "device/default/a/twin/cloud_updated", """{"twin":{"t":{"expected":{"value":"1"},"metadata":{"type":"int"},"expected_version":{"cloud":1,"edge":0}}}}""");
        await silo.CloudAsync("edgemgr", "updated", "device/a", """{"event_id":"x","attributes":{"m":{"value":"X"}}}""");

        var view = await silo.Device("default/a").GetAsync();
        Assert.Equal(("1", "X"), (view!.Twin["t"].Expected!.Value, view.Attributes["m"].Value));
        var list = await silo.CloudAsync("bus", Operations.Get, "membership", """{"event_id":"g"}""");
        Assert.Equal("X", list.Part("/membership/get/result")["devices"]![0]!["attributes"]!["m"]!["value"]!.ToString());
    }

    [Fact]
    public async Task The_link_coming_up_asks_the_cloud_for_its_devices_once()
    {
        await using var silo = await TwinSilo.StartAsync(null, Cloud);

        await silo.CloudAsync("edgehub", Operations.Connect, "node/connection", "\"cloud_connected\"");
        var query = await silo.Hub.NextAsync("membership/detail");

        var content = JsonNode.Parse(query.ContentAsText())!;
        Assert.Equal(("twin", "resource", "get"), (query.Route.Source, query.Route.Group, query.Route.Operation));
        Assert.Equal(("group_membership_event", "edge-node", "detail"), (content["event_type"]!.ToString(), content["group_id"]!.ToString(), content["operation"]!.ToString()));
    }

    [Fact]
    public async Task What_nobody_here_knows_is_refused_with_a_sentence()
    {
        await using var silo = await TwinSilo.StartAsync();

        Assert.Equal(400, (await silo.CloudAsync("somebody", "update", "what", "{}")).Code);
        Assert.Equal(400, (await silo.AskAsync("default/p", "update", "device/default/p/what", "{}")).Code);
    }

    private static Task<Message> AskAsync(TwinSilo silo, string operation, string payload, string word) => silo.Get<IMessageContext>().SendSyncAsync(
        Address.Entity(Entities.Device, "default/p"),
        Message.Create("bus", "twin", operation, "device/default/p/twin", Encoding.UTF8.GetBytes(payload), 0) with { Alongside = new Brought(word) },
        cancellation: TestContext.Current.CancellationToken);

    private static Task<List<string>> BroughtAsync(TwinSilo silo) =>
        silo.Get<Database>().ReadAsync(db => db.Query("SELECT word FROM brought", static row => row.GetString(0)));

    private sealed class Brought(string word) : IWritesAlongside
    {
        public void WriteAlongside(DbSession db) => db.Execute("INSERT INTO brought(word) VALUES(?1)", word);
    }

    private sealed class Observer : IDeviceObserver
    {
        private readonly Channel<DeviceView?> _seen = Channel.CreateUnbounded<DeviceView?>();

        public Task ChangedAsync(DeviceView? device) => _seen.Writer.WriteAsync(device).AsTask();

        public async Task<DeviceView?> NextAsync() => await _seen.Reader.ReadAsync(TestContext.Current.CancellationToken);
    }
}
