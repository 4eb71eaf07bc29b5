using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;
using EdgeOrleans.Beehive;
using EdgeOrleans.Link;
using EdgeOrleans.Modules;
using EdgeOrleans.Mqtt;
using EdgeOrleans.TestKit;
using Microsoft.Extensions.DependencyInjection;

namespace EdgeOrleans.Edge.EventBus;

/// <summary>A node beside a broker that is already there: a real mosquitto.</summary>
public sealed class OutsideBrokerTests
{
    [Theory]
    [InlineData(1, "v5")]
    [InlineData(2, "v5")]
    [InlineData(1, "v311")]
    [InlineData(2, "v311")]
    [InlineData(2, "auto")]
    public async Task A_device_of_a_broker_outside_reaches_its_twin(int mode, string version)
    {
        Assert.SkipWhen(MosquittoBroker.Missing is not null, MosquittoBroker.Missing ?? "");
        await using var outside = await MosquittoBroker.StartAsync();
        await using var node = await StartAsync(outside, mode, version);
        await using var device = await MqttProbe.ConnectAsync(outside.Port, "$hw/events/device/default/pump-1/twin/update/document");

        var answer = await device.ReportAsync("default/pump-1", ("temperature", "21"));

        Assert.Equal(0, answer.Code);
        Assert.Contains("\"21\"", (await device.GetAsync("default/pump-1")).Payload, StringComparison.Ordinal);
        await device.Heard.FirstAsync(heard => heard.Topic.EndsWith("/document", StringComparison.Ordinal), "document");
    }

    [Fact]
    public async Task In_mode_1_devices_of_both_brokers_are_served_and_both_hear_what_the_node_says()
    {
        Assert.SkipWhen(MosquittoBroker.Missing is not null, MosquittoBroker.Missing ?? "");
        await using var outside = await MosquittoBroker.StartAsync();
        await using var node = await StartAsync(outside, mode: 1);
        const string Document = "$hw/events/device/default/pump-1/twin/update/document";
        await using var far = await MqttProbe.ConnectAsync(outside.Port, Document);
        await using var near = await MqttProbe.ConnectAsync(node.MqttPort, Document);

        await far.ReportAsync("default/pump-1", ("a", "1"));
        await near.ReportAsync("default/pump-1", ("a", "2"));

        foreach (var listener in (MqttProbe[])[far, near])
        {
            var documents = await DocumentsAsync(listener, 2);
            Assert.Contains("\"1\"", documents[0].Payload, StringComparison.Ordinal);
            Assert.Contains("\"2\"", documents[1].Payload, StringComparison.Ordinal);
        }

        async Task<IReadOnlyList<Heard>> DocumentsAsync(MqttProbe listener, int count)
        {
            var seen = 0;
            await listener.Heard.FirstAsync(heard => heard.Topic == Document && ++seen == count, "document");
            return [.. listener.Heard.All.Where(heard => heard.Topic == Document)];
        }
    }

    [Theory]
    [InlineData("v5", "5")]
    [InlineData("v311", "3.1.1")]
    public async Task An_operator_sees_what_goes_to_and_fro_between_the_node_and_the_broker_outside(string version, string shown)
    {
        Assert.SkipWhen(MosquittoBroker.Missing is not null, MosquittoBroker.Missing ?? "");
        await using var outside = await MosquittoBroker.StartAsync();
        await using var node = await StartAsync(outside, mode: 2, version);
        await using var device = await MqttProbe.ConnectAsync(outside.Port, "$hw/events/device/default/pump-1/twin/update/document");
        var grain = node.Grains.GetGrain<IMqttGrain>(IMqttGrain.Key);
        var before = (await grain.GetSessionAsync("$outside")).Client!.Traffic;

        await device.ReportAsync("default/pump-1", ("temperature", "21"));
        await device.Heard.FirstAsync(heard => heard.Topic.EndsWith("/document", StringComparison.Ordinal), "document");

        var client = (await grain.GetSessionAsync("$outside")).Client!;
        Assert.Equal((shown, $"127.0.0.1:{outside.Port}", "", false), (client.Version, client.Address, client.User, client.IsTls));
        Assert.Equal((0, 1), (before.MessagesReceived, client.Traffic.MessagesReceived));
        Assert.Equal(0, before.MessagesSent);
        Assert.InRange(client.Traffic.MessagesSent, 2, long.MaxValue);
        Assert.InRange(client.Traffic.BytesReceived - before.BytesReceived, 50, long.MaxValue);
        Assert.InRange(client.Traffic.PacketsSent - before.PacketsSent, 3, long.MaxValue);
        Assert.InRange(client.Traffic.BytesSent, before.BytesSent + 50, long.MaxValue);
        Assert.Empty((await grain.ListClientsAsync(new MqttQuery { Name = "$outside" })).Items);
    }

    [Fact]
    public async Task In_mode_2_the_node_has_no_broker_of_its_own()
    {
        Assert.SkipWhen(MosquittoBroker.Missing is not null, MosquittoBroker.Missing ?? "");
        await using var outside = await MosquittoBroker.StartAsync();
        await using var node = await StartAsync(outside, mode: 2);

        Assert.Throws<InvalidOperationException>(() => node.MqttPort);
    }

    [Theory]
    [InlineData("v5")]
    [InlineData("v311")]
    public async Task What_is_published_while_either_is_away_is_there_afterwards_in_order(string version)
    {
        Assert.SkipWhen(MosquittoBroker.Missing is not null, MosquittoBroker.Missing ?? "");
        await using var outside = await MosquittoBroker.StartAsync();
        await using var node = await StartAsync(outside, mode: 1, version);
        await using (var first = await MqttProbe.ConnectAsync(outside.Port))
        {
            await first.ReportAsync("default/pump-1", ("n", "0"));
        }

        // The node is away: the broker keeps what its devices say.
        await node.StopAsync();
        var clients = outside.Clients;
        for (var i = 1; i <= 20; i++)
        {
            (await clients.PublishAsync("$hw/events/device/default/pump-1/twin/update", TwinJson.Report($"n-{i}", ("n", $"{i}")), "-q", "1")).Succeeded();
        }

        await using var listener = await clients.SubscribeAsync("$hw/events/device/default/pump-1/twin/update/result", "-q", "1", "-c", "-i", "listener");
        await node.RestartAsync();
        for (var i = 1; i <= 20; i++)
        {
            await listener.MessageAsync($"\"n-{i}\"");
        }

        Assert.Equal(Enumerable.Range(1, 20).Select(i => $"n-{i}"), listener.Messages.Select(EventOf));

        await listener.KillAsync();

        // The broker is away: the node keeps what it has to say.
        await using var near = await MqttProbe.ConnectAsync(node.MqttPort);
        await outside.EndAsync();
        for (var i = 21; i <= 40; i++)
        {
            await near.AskAsync("$hw/events/device/default/pump-1/twin/update", id => TwinJson.Report(id, ("n", $"{i}")));
        }

        await outside.StartAgainAsync();
        await using var again = await clients.SubscribeAsync("$hw/events/device/default/pump-1/twin/update/result", "-q", "1", "-c", "-i", "listener");
        await again.MessageAsync("\"40\"");

        // With QoS 1 what was said last before the end may be said again; nothing is missing, and nothing comes before its time.
        Assert.Equal(
            Enumerable.Range(21, 20),
            again.Messages.Select(message => int.Parse(Regex.Match(message, "\"value\":\"([0-9]+)\"").Groups[1].Value, CultureInfo.InvariantCulture)).Distinct().Where(value => value > 20));
    }

    [Theory]
    [InlineData("v5")]
    [InlineData("v311")]
    public async Task What_devices_say_to_the_cloud_goes_up_once_and_what_the_cloud_says_to_them_does_not_come_back(string version)
    {
        Assert.SkipWhen(MosquittoBroker.Missing is not null, MosquittoBroker.Missing ?? "");
        await using var outside = await MosquittoBroker.StartAsync();
        await using var node = await StartAsync(outside, mode: 2, version, withCloud: true);
        await using var device = await MqttProbe.ConnectAsync(outside.Port, "shop/user/lamp");

        // The same words from both: the node's own is none of the device's.
        await OrderAsync(node, Operations.Publish, "shop/user/lamp", "\"on\"");
        await device.Heard.FirstAsync(heard => heard.Payload == "on", "message of the cloud");
        await OrderAsync(node, Operations.Publish, "$hw/events/device/default/pump-1/twin/update", Message.Text(TwinJson.Report("cloud", ("a", "1"))));
        await device.PublishAsync("shop/user/lamp", "off");
        await device.PublishAsync("shop/user/lamp", "on");
        await device.PublishAsync("shop/user/lamp", "end");

        Assert.Equal(["off", "on", "end"], await UploadsAsync(node, "end"));
        Assert.Contains("\"code\":404", (await device.GetAsync("default/pump-1")).Payload, StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_the_cloud_subscribes_to_is_subscribed_outside_at_once_and_again_after_a_restart()
    {
        Assert.SkipWhen(MosquittoBroker.Missing is not null, MosquittoBroker.Missing ?? "");
        await using var outside = await MosquittoBroker.StartAsync();
        await using var node = await StartAsync(outside, mode: 1, withCloud: true);
        await using var device = await MqttProbe.ConnectAsync(outside.Port);
        await device.PublishAsync("plant/1/noise", "before");
        await OrderAsync(node, Operations.Subscribe, "plant/+/noise", "\"\"");
        await SubscribedAsync("plant/+/noise");

        await device.PublishAsync("plant/1/noise", "first");
        Assert.Equal(["first"], await UploadsAsync(node, "first"));
        await node.RestartAsync();
        await device.PublishAsync("plant/1/noise", "second");
        Assert.Equal(["first", "second"], await UploadsAsync(node, "second"));

        await OrderAsync(node, Operations.Unsubscribe, "plant/+/noise", "\"\"");
        await outside.LogAsync("Received UNSUBSCRIBE");

        Task SubscribedAsync(string filter) => outside.LogAsync($"{filter} (QoS 1)");
    }

    [Fact]
    public async Task The_broker_inside_itself_is_refused_as_the_broker_outside()
    {
        var port = FreePorts.Take();
        var settings = new Dictionary<string, string>
        {
            ["modules.eventBus.mqttMode"] = "1",
            ["modules.eventBus.mqttServerInternal"] = $"tcp://127.0.0.1:{port}",
            ["modules.eventBus.mqttServerExternal"] = $"tcp://localhost:{port}",
        };

        var refused = await Assert.ThrowsAnyAsync<Exception>(() => EdgeNode.StartAsync(settings));

        Assert.Contains("is the broker inside itself", refused.ToString(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("", "is not set, and mqttMode 1 needs it")]
    [InlineData("127.0.0.1", "must be tcp://host:port")]
    [InlineData("http://127.0.0.1:1883", "must be tcp://host:port")]
    [InlineData("tcp://user:secret@host:1", "must be tcp://host:port")]
    public async Task An_address_that_is_none_is_refused_with_what_would_be_right(string address, string reason)
    {
        var settings = new Dictionary<string, string> { ["modules.eventBus.mqttMode"] = "1", ["modules.eventBus.mqttServerExternal"] = address };

        var refused = await Assert.ThrowsAnyAsync<Exception>(() => EdgeNode.StartAsync(settings));

        Assert.Contains(reason, refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_node_whose_broker_outside_is_not_there_is_ready_and_says_so()
    {
        var settings = new Dictionary<string, string>
        {
            ["modules.eventBus.mqttMode"] = "1",
            ["modules.eventBus.mqttServerExternal"] = $"tcp://127.0.0.1:{FreePorts.Take()}",
        };
        await using var node = await EdgeNode.StartAsync(settings);
        await using var near = await MqttProbe.ConnectAsync(node.MqttPort);

        var module = node.Services.GetRequiredService<ModuleCatalog>().Find(ModuleNames.EventBus);

        Assert.Contains("not connected", module!.Detail, StringComparison.Ordinal);
        Assert.Equal(ModuleState.Running, module.State);
    }

    [Fact]
    public async Task What_waits_for_a_broker_outside_is_bounded_and_the_oldest_gives_way()
    {
        Assert.SkipWhen(MosquittoBroker.Missing is not null, MosquittoBroker.Missing ?? "");
        await using var outside = await MosquittoBroker.StartAsync();
        await using var node = await StartAsync(outside, mode: 2, more: ("modules.eventBus.outsideQueueSize", "5"));
        await using (var device = await MqttProbe.ConnectAsync(outside.Port, "x"))
        {
            await OrderAsync(node, Operations.Publish, "x", "\"up\"");
            await device.Heard.FirstAsync(heard => heard.Payload == "up", "message");
        }

        await outside.EndAsync();
        for (var i = 0; i < 12; i++)
        {
            await OrderAsync(node, Operations.Publish, "x", $"\"{i}\"");
        }

        Assert.Equal(7, node.Services.GetRequiredService<Refusals>().Snapshot()["mqtt.queue-full"]);
        await outside.StartAgainAsync();
        await using var late = await MqttProbe.ConnectAsync(outside.Port, "y");
        await OrderAsync(node, Operations.Publish, "y", "\"end\"");
        await late.Heard.FirstAsync(heard => heard.Payload == "end", "end");
    }

    private static async Task<IReadOnlyList<string>> UploadsAsync(EdgeNode node, string last)
    {
        var outbox = node.Services.GetRequiredService<Outbox>();
        while (true)
        {
            string[] uploads = [.. (await outbox.ReadAsync(0)).Select(row => Encoding.UTF8.GetString(row.Entry.Content.Span))];
            if (uploads.Contains(last))
            {
                return uploads;
            }

            await outbox.WaitAsync(TestContext.Current.CancellationToken).WaitAsync(Patience.Default, TestContext.Current.CancellationToken);
        }
    }

    private static Task<Message> OrderAsync(EdgeNode node, string operation, string resource, string content) =>
        OrderAsync(node, operation, resource, Encoding.UTF8.GetBytes(content));

    private static Task<Message> OrderAsync(EdgeNode node, string operation, string resource, ReadOnlyMemory<byte> content) => node.Beehive.SendSyncAsync(
        Address.Module(ModuleNames.EventBus),
        Message.Create("router_eventbus", Groups.User, operation, resource, content, DateTimeOffset.UtcNow.ToUnixTimeMilliseconds()));

    private static string EventOf(string message) => Regex.Match(message, "n-[0-9]+").Value;

    private static async Task<EdgeNode> StartAsync(
        MosquittoBroker outside, int mode, string version = "auto", bool withCloud = false, params (string Key, string Value)[] more)
    {
        var settings = new Dictionary<string, string>
        {
            ["modules.eventBus.mqttMode"] = $"{mode}",
            ["modules.eventBus.mqttServerExternal"] = outside.Address,
            ["modules.eventBus.mqttExternalVersion"] = version,
            ["modules.deviceTwin.unknownDevices"] = withCloud ? "refuse" : "register",
            ["modules.deviceTwin.compatibility"] = "normal",
        };
        if (withCloud)
        {
            settings["modules.edgeHub.websocket.server"] = "127.0.0.1:10000";
            settings["modules.edgeHub.enable"] = "false";
        }

        foreach (var (key, value) in more)
        {
            settings[key] = value;
        }

        var node = await EdgeNode.StartAsync(settings);
        await outside.LogAsync("Sending SUBACK to edgeorleans-edge-node");
        return node;
    }
}
