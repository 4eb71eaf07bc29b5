using System.Net;
using System.Net.WebSockets;
using System.Runtime.Versioning;
using System.Text.Json.Nodes;
using EdgeOrleans.Devices;
using EdgeOrleans.Joining;
using EdgeOrleans.Nodes;
using EdgeOrleans.Resources;
using EdgeOrleans.TestKit;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace EdgeOrleans.Cloud.CloudHub;

/// <summary>Links while something else goes on: a revocation, a removal, a break, a slow device, silence.</summary>
[UnsupportedOSPlatform("windows")]
public sealed class LinkMeetingTests
{
    private readonly CallGates _gates = new();
    private readonly CloudLog _log = new();
    private readonly MovedTime _time = new();

    [Fact]
    public async Task A_certificate_that_is_revoked_between_the_door_and_the_session_gets_no_link()
    {
        await using var cloud = await StartAsync();
        using var certificate = await StockEdge.CertificateAsync(cloud, "edge-1");
        var attach = _gates.Hold("INodeSession.AttachAsync");
        await using var edge = (await StockEdge.DialAsync(cloud, certificate)).Edge!;
        await attach.Arrived;

        await cloud.Grains.GetGrain<INodeCertificatesGrain>("edge-1").RevokeAsync(null);
        attach.Open();

        await edge.Ended;
        Assert.Equal(WebSocketCloseStatus.PolicyViolation, edge.CloseStatus);
        Assert.False(await ReadyAsync(cloud, "edge-1"));
        Assert.Equal(1, await RefusedAsync(cloud, "revoked-certificate"));
        Assert.Empty(edge.Heard.All);
    }

    [Fact]
    public async Task A_node_that_is_removed_while_its_link_comes_in_waits_for_nobody_and_loses_the_link()
    {
        await using var cloud = await StartAsync();
        using var certificate = await StockEdge.CertificateAsync(cloud, "edge-1");
        var revoke = _gates.Hold("INodeCertificatesGrain.RevokeAsync");
        var connected = _gates.Watch("out INodeKeeper.ConnectedAsync");
        var removing = cloud.Resources.DeleteAsync(ResourceKinds.Node, "edge-1");
        await revoke.Arrived;
        await using var edge = (await StockEdge.DialAsync(cloud, certificate)).Edge!;
        await connected.Arrived;

        revoke.Open();

        await removing;
        await edge.Ended;
        Assert.Equal(HttpStatusCode.Unauthorized, (await StockEdge.DialAsync(cloud, certificate)).Status);
    }

    [Fact]
    public async Task A_link_ends_with_its_certificate()
    {
        await using var cloud = await StartAsync();
        await using var edge = await StockEdge.JoinAsync(cloud);
        await UntilAsync(() => ReadyAsync(cloud, "edge-1"));

        _time.Shift = TimeSpan.FromDays(366);

        await edge.Ended;
        Assert.Equal(WebSocketCloseStatus.PolicyViolation, edge.CloseStatus);
        Assert.Contains(_log.Lines, static l => l.Contains("edge-1", StringComparison.Ordinal) && l.Contains("its certificate has expired", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_cloud_that_has_as_many_links_as_it_may_says_so_before_the_upgrade_and_takes_the_next_when_one_has_gone()
    {
        await using var cloud = await StartAsync(("modules.cloudHub.nodeLimit", "1"));
        await using var first = await StockEdge.JoinAsync(cloud);
        await first.ListAsync();
        using var certificate = await StockEdge.CertificateAsync(cloud, "edge-2");

        Assert.Equal(HttpStatusCode.ServiceUnavailable, (await StockEdge.DialAsync(cloud, certificate, "edge-2")).Status);
        Assert.Contains(_log.Lines, static l => l.Contains("edge-2", StringComparison.Ordinal) && l.Contains("too-many-nodes", StringComparison.Ordinal));
        await first.DisposeAsync();

        await UntilAsync(async () =>
        {
            var (status, edge) = await StockEdge.DialAsync(cloud, certificate, "edge-2");
            await (edge?.DisposeAsync() ?? ValueTask.CompletedTask);
            return status == HttpStatusCode.SwitchingProtocols;
        });
    }

    [Fact]
    public async Task W15_a_report_whose_answer_was_lost_with_the_link_is_said_again_and_changes_nothing()
    {
        await using var cloud = await StartAsync();
        await ApplyAsync(cloud, "sensor1");
        using var certificate = await StockEdge.CertificateAsync(cloud, "edge-1");
        var held = _gates.Hold("IDeviceOfNode.ReportAsync");
        await using (var edge = (await StockEdge.DialAsync(cloud, certificate)).Edge!)
        {
            await edge.ReportAsync("default/sensor1", "temperature", "actual", "30", cloud: 0, edge: 1);
            await held.Arrived;
        }

        held.Open();
        await UntilAsync(async () => (await DeviceAsync(cloud, "sensor1")).Twin.ContainsKey("temperature"));
        var before = await DeviceAsync(cloud, "sensor1");
        await using var back = (await StockEdge.DialAsync(cloud, certificate)).Edge!;
        var answer = await back.AnswerAsync(await back.ReportAsync("default/sensor1", "temperature", "actual", "30", cloud: 0, edge: 1));

        Assert.Equal("response", StockEdge.Operation(answer));
        Assert.Equal(before.Twin["temperature"].Actual, (await DeviceAsync(cloud, "sensor1")).Twin["temperature"].Actual);
    }

    [Fact]
    public async Task W15_a_stock_edge_that_comes_back_is_asked_for_the_values_that_it_could_not_send()
    {
        await using var cloud = await StartAsync();
        await ApplyAsync(cloud, "sensor1");
        await using (var edge = await StockEdge.JoinAsync(cloud))
        {
            await edge.AnswerAsync(await edge.ReportAsync("default/sensor1", "temperature", "actual", "29", cloud: 0, edge: 1));
        }

        await using var back = await StockEdge.JoinAsync(cloud);
        var asked = (await back.ListAsync())["content"]!["devices"]![0]!["twin"]!["temperature"]!;
        Assert.Equal((0, 0), ((int)asked["actual_version"]!["cloud"]!, (int)asked["actual_version"]!["edge"]!));

        // What a stock edge answers to a version that is too old: its own value and version (reference 5.7).
        await back.AnswerAsync(await back.ReportAsync("default/sensor1", "temperature", "actual", "31", cloud: 0, edge: 3, timestamp: 2));
        Assert.Equal("31", (await DeviceAsync(cloud, "sensor1")).Twin["temperature"].Actual!.Value);
    }

    [Fact]
    public async Task W17_reports_of_a_device_keep_their_order_none_is_dropped_and_a_slow_device_holds_up_no_other()
    {
        const int Reports = 600;
        await using var cloud = await StartAsync();
        await ApplyAsync(cloud, "sensor1");
        await ApplyAsync(cloud, "sensor2");
        await using var edge = await StockEdge.JoinAsync(cloud);
        await edge.AnswerAsync(await edge.ReportAsync("default/sensor2", "temperature", "actual", "0", cloud: 0, edge: 1));
        var slow = _gates.Hold("IDeviceOfNode.StateAsync");
        await edge.SayAsync("twin", "resource", "update", "device/default/sensor1/state/update", """{"event_id":"s","timestamp":1,"device":{"name":"sensor1","state":"online"}}""");
        await slow.Arrived;

        var ids = new List<string>();
        for (var i = 1; i <= Reports; i++)
        {
            ids.Add(await edge.ReportAsync("default/sensor1", "temperature", "actual", $"{i}", cloud: 0, edge: i, timestamp: i));
            if (i == 100)
            {
                await edge.AnswerAsync(await edge.ReportAsync("default/sensor2", "temperature", "actual", "1", cloud: 0, edge: 2, timestamp: 2));
            }
        }

        Assert.DoesNotContain(edge.Heard.All, m => StockEdge.Parent(m) == ids[0]);
        slow.Open();
        await edge.AnswerAsync(ids[^1]);
        Assert.Equal(ids, edge.Heard.All.Select(StockEdge.Parent).Where(p => ids.Contains(p!)));
        Assert.Equal($"{Reports}", (await DeviceAsync(cloud, "sensor1")).Twin["temperature"].Actual!.Value);
        Assert.All(edge.Heard.All.Where(m => ids.Contains(StockEdge.Parent(m)!)), static m => Assert.Equal("response", StockEdge.Operation(m)));
    }

    [Fact]
    public async Task W24_a_node_that_says_nothing_loses_its_link_though_its_socket_answers_pings_and_is_not_ready()
    {
        await using var cloud = await StartAsync(("modules.cloudHub.keepaliveInterval", "2s"));
        await using var edge = await StockEdge.JoinAsync(cloud);
        await UntilAsync(() => ReadyAsync(cloud, "edge-1"));

        await edge.Ended;

        await UntilAsync(async () => !await ReadyAsync(cloud, "edge-1"));
        Assert.Contains(_log.Lines, static l => l.Contains("edge-1", StringComparison.Ordinal) && l.Contains("no message within 2 s", StringComparison.Ordinal));
    }

    [Fact]
    public async Task W29_what_ends_a_link_that_was_replaced_does_not_end_the_one_that_replaced_it()
    {
        await using var cloud = await StartAsync();
        using var certificate = await StockEdge.CertificateAsync(cloud, "edge-1");
        await using var older = (await StockEdge.DialAsync(cloud, certificate)).Edge!;
        await older.ListAsync();
        var detach = _gates.Hold("INodeSession.DetachAsync");
        await older.DisposeAsync();
        await detach.Arrived;
        var newer = (await StockEdge.DialAsync(cloud, certificate)).Edge!;

        // The word about the older one arrives first here and last there: it names its session.
        detach.Open();
        await newer.ListAsync();
        await UntilAsync(() => ReadyAsync(cloud, "edge-1"));
        await cloud.Grains.GetGrain<INodeSession>("edge-1").DetachAsync(Guid.NewGuid(), DateTimeOffset.UtcNow);

        Assert.True(await ReadyAsync(cloud, "edge-1"));
        await newer.ListAsync();
        await newer.DisposeAsync();
        await UntilAsync(async () => !await ReadyAsync(cloud, "edge-1"));
    }

    [Fact]
    public async Task What_a_node_writes_never_becomes_a_line_of_its_own_in_the_log()
    {
        await using var cloud = await StartAsync();
        await using var edge = await StockEdge.JoinAsync(cloud);

        await edge.AnswerAsync(await edge.SayAsync("twin", "resource", "update", "x\nRefused a link of node edge-9", new JsonObject()));

        var line = Assert.Single(_log.Lines, static l => l.Contains("node edge-9", StringComparison.Ordinal));
        Assert.DoesNotContain('\n', line);
    }

    private Task<CloudSilo> StartAsync(params (string Key, string Value)[] settings) => CloudSilo.StartAsync(
        settings.ToDictionary(static s => s.Key, static s => s.Value),
        silo =>
        {
            silo.Services.AddSingleton<TimeProvider>(_time);
            silo.Services.AddSingleton<ILoggerProvider>(_log);
            silo.AddIncomingGrainCallFilter(_gates);
            silo.AddOutgoingGrainCallFilter(_gates);
        });

    private static Task<ApplyOutcome> ApplyAsync(CloudSilo cloud, string name) => cloud.Resources.ApplyAsync(
        $$$"""{"apiVersion":"devices.kubeedge.io/v1beta1","kind":"Device","metadata":{"name":"{{{name}}}"},"spec":{"nodeName":"edge-1"}}""");

    private static async Task<DeviceView> DeviceAsync(CloudSilo cloud, string name) => (await cloud.Grains.GetGrain<IDeviceTwinGrain>($"default/{name}").GetAsync())!;

    private static async Task<bool> ReadyAsync(CloudSilo cloud, string node) =>
        (await cloud.Resources.ListAsync(new ResourceQuery { Kind = ResourceKinds.Node })).Items.Any(n => n.Id == node && n.Ready);

    private static async Task<long> RefusedAsync(CloudSilo cloud, string reason) =>
        (await cloud.Grains.GetGrain<INodeGrain>(INodeGrain.Key).GetRefusalsAsync()).GetValueOrDefault($"cloudHub.{reason}");

    private static async Task UntilAsync(Func<Task<bool>> holds)
    {
        using var patience = new CancellationTokenSource(Patience.Default);
        while (!await holds())
        {
            await Task.Delay(20, patience.Token);
        }
    }
}
