using EdgeOrleans.Beehive;
using EdgeOrleans.DbManager;
using EdgeOrleans.Link;
using EdgeOrleans.TestKit;
using Microsoft.Extensions.DependencyInjection;

namespace EdgeOrleans.Edge.EdgeHub;

/// <summary>Topics over a real link: from a device to the cloud, and from the cloud to a device.</summary>
public sealed class TopicLinkTests
{
    [Fact]
    public async Task What_a_device_says_to_the_cloud_arrives_and_is_counted_as_unconfirmed()
    {
        await using var cloud = await new TestCloud().StartAsync();
        await using var node = await HubNode.StartAsync(cloud);
        var link = await cloud.LinkAsync();
        await using var device = await MqttProbe.ConnectAsync(node.MqttPort);

        await device.PublishAsync("shop/user/a", "hello");
        var upload = await link.NextAsync("shop/user/a");

        Assert.Equal(("bus", "user", "upload"), (upload.Route.Source, upload.Route.Group, upload.Route.Operation));
        Assert.Equal("\"hello\"", System.Text.Encoding.UTF8.GetString(upload.Content.Span));
        await node.QuietAsync();
        var ledger = await node.LedgerAsync(OutboxClasses.Telemetry);
        Assert.Equal((1, 1, 0, 0), (ledger.Accepted, ledger.Unconfirmed, ledger.Delivered, ledger.Waiting));
    }

    [Fact]
    public async Task What_was_said_while_there_was_no_cloud_arrives_when_there_is_one_in_its_order()
    {
        await using var cloud = await new TestCloud { RefuseLinks = (503, "not yet") }.StartAsync();
        await using var node = await HubNode.StartAsync(cloud);
        await using var device = await MqttProbe.ConnectAsync(node.MqttPort);
        for (var i = 0; i < 20; i++)
        {
            await device.PublishAsync("shop/user/a", $"{i}");
        }

        await node.RestartAsync();
        cloud.RefuseLinks = null;

        var link = await cloud.LinkAsync();
        for (var i = 0; i < 20; i++)
        {
            Assert.Equal($"{i}", (await link.NextAsync("shop/user/a")).ContentAsText());
        }
    }

    [Fact]
    public async Task The_cloud_publishes_to_devices_and_manages_the_topics_that_it_hears()
    {
        await using var cloud = await new TestCloud().StartAsync();
        await using var node = await HubNode.StartAsync(cloud);
        var link = await cloud.LinkAsync();
        await using var device = await MqttProbe.ConnectAsync(node.MqttPort, "default/user/lamp");

        // Orders are done one after the other: when the last is heard, so are those before.
        await link.SayAsync("router_eventbus", "user", Operations.Subscribe, "plant/+/noise", "\"\"");
        await link.SayAsync("router_eventbus", "user", Operations.Publish, "bad/#", "\"x\"");
        await link.SayAsync("router_eventbus", "user", Operations.Publish, "default/user/lamp", "\"on\"");
        await device.Heard.FirstAsync(heard => heard == new Heard("default/user/lamp", "on"), "what the cloud publishes");
        await device.PublishAsync("plant/1/noise", "42");

        Assert.Equal("42", (await link.NextAsync("plant/1/noise")).ContentAsText());
        Assert.Equal(1, node.Refused("mqtt.order-refused"));
        Assert.Equal(["plant/+/noise"], await node.Services.GetRequiredService<Database>().ReadAsync(
            db => db.Query("SELECT topic FROM sub_topics", row => row.GetString(0))));
    }
}
