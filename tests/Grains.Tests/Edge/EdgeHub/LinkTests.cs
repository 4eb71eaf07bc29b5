using EdgeOrleans.Link;
using EdgeOrleans.Modules;
using EdgeOrleans.TestKit;

namespace EdgeOrleans.Edge.EdgeHub;

public sealed class LinkTests
{
    [Fact]
    public async Task A_node_dials_as_edgecore_does_and_says_that_it_is_alive_at_once()
    {
        await using var cloud = await new TestCloud().StartAsync();
        await using var node = await HubNode.StartAsync(cloud);

        var link = await cloud.LinkAsync();
        var alive = await link.NextAsync("node");
        var question = await link.NextAsync("membership/detail");

        var (path, headers) = Assert.Single(cloud.Upgrades);
        Assert.Equal("/e632aba927ea4ac2b575ec1603d56f10/edge-1/events", path);
        Assert.Equal(("edge-1", "e632aba927ea4ac2b575ec1603d56f10", "msg"), (headers["node_id"].ToString(), headers["project_id"].ToString(), headers["ConnectionUse"].ToString()));
        Assert.StartsWith("EdgeOrleans/", headers.UserAgent.ToString(), StringComparison.Ordinal);
        Assert.False(headers.ContainsKey("Sec-WebSocket-Extensions") || headers.ContainsKey("Sec-WebSocket-Protocol"));
        Assert.Equal(("websocket", "resource", "keepalive", "ping"), (alive.Route.Source, alive.Route.Group, alive.Route.Operation, alive.ContentAsText()));
        Assert.Equal(("twin", "resource", "get"), (question.Route.Source, question.Route.Group, question.Route.Operation));
        Assert.Equal(ModuleState.Running, node.Hub().State);
        Assert.StartsWith($"connected to wss://{cloud.Address} (EdgeOrleans/0.0.1) since", node.Hub().Detail, StringComparison.Ordinal);
        Assert.False(node.Hub().IsDegraded);
    }

    [Fact]
    public async Task A_report_goes_up_and_is_ended_by_the_clouds_answer()
    {
        await using var cloud = await new TestCloud().StartAsync();
        await using var node = await HubNode.StartAsync(cloud);
        var link = await cloud.LinkAsync();
        await link.AddAsync("""{"id":"default/pump-1","name":"pump-1","twin":{}}""");
        await using var device = await MqttProbe.ConnectAsync(node.MqttPort);

        await device.ReportAsync("default/pump-1", ("temperature", "21"));
        var report = await link.NextAsync("device/default/pump-1/twin/edge_updated");

        Assert.Contains("\"21\"", report.ContentAsText(), StringComparison.Ordinal);
        await node.QuietAsync();
        var ledger = await node.LedgerAsync(OutboxClasses.Twin);
        Assert.Equal((1, 1), (ledger.Accepted, ledger.Delivered));
    }
}
