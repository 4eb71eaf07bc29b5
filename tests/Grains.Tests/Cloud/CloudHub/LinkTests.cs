using System.Net;
using System.Net.Sockets;
using System.Net.WebSockets;
using System.Runtime.Versioning;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text.Json.Nodes;
using EdgeOrleans.Devices;
using EdgeOrleans.Joining;
using EdgeOrleans.Link;
using EdgeOrleans.Link.Wire;
using EdgeOrleans.Nodes;
using EdgeOrleans.Resources;
using EdgeOrleans.TestKit;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace EdgeOrleans.Cloud.CloudHub;

/// <summary>The links of a running cloud, with edges that speak as edgecore does.</summary>
[UnsupportedOSPlatform("windows")]
public sealed class LinkTests : IAsyncLifetime
{
    private readonly CloudLog _log = new();
    private readonly MovedTime _time = new();
    private CloudSilo _cloud = null!;

    public async ValueTask InitializeAsync() => _cloud = await CloudSilo.StartAsync(add: silo =>
    {
        silo.Services.AddSingleton<TimeProvider>(_time);
        silo.Services.AddSingleton<ILoggerProvider>(_log);
    });

    public ValueTask DisposeAsync() => _cloud.DisposeAsync();

    [Fact]
    public async Task W1_a_link_is_the_nodes_of_its_certificate_and_no_header_or_path_makes_it_anothers()
    {
        using var certificate = await StockEdge.CertificateAsync(_cloud, "edge-1");

        Assert.Equal(HttpStatusCode.Forbidden, (await StockEdge.DialAsync(_cloud, certificate, node: "edge-2")).Status);
        Assert.Equal(HttpStatusCode.Forbidden, (await StockEdge.DialAsync(_cloud, certificate, path: "/e632aba927ea4ac2b575ec1603d56f10/edge-2/events")).Status);
        Assert.Contains(_log.Lines, static l => l.Contains("edge-2", StringComparison.Ordinal) && l.Contains("403", StringComparison.Ordinal) && l.Contains("other-node", StringComparison.Ordinal));
        Assert.Equal(2, await RefusedAsync("other-node"));
    }

    [Fact]
    public async Task W2_nobody_without_a_good_certificate_is_upgraded_and_each_is_told_why()
    {
        using var foreign = Foreign("edge-1");
        using var good = await StockEdge.CertificateAsync(_cloud, "edge-1");
        using var revoked = await StockEdge.CertificateAsync(_cloud, "edge-1");
        await _cloud.Grains.GetGrain<INodeCertificatesGrain>("edge-1").RevokeAsync(revoked.SerialNumber);

        Assert.Equal(HttpStatusCode.Unauthorized, (await StockEdge.DialAsync(_cloud, null)).Status);
        Assert.Equal(HttpStatusCode.Unauthorized, (await StockEdge.DialAsync(_cloud, foreign)).Status);
        Assert.Equal(HttpStatusCode.Unauthorized, (await StockEdge.DialAsync(_cloud, revoked)).Status);
        _time.Shift = TimeSpan.FromDays(400);
        Assert.Equal(HttpStatusCode.Unauthorized, (await StockEdge.DialAsync(_cloud, good)).Status);

        foreach (var reason in new[] { "no-certificate", "foreign-certificate", "revoked-certificate", "expired-certificate" })
        {
            Assert.Equal(1, await RefusedAsync(reason));
            Assert.Contains(_log.Lines, l => l.Contains("Refused a link", StringComparison.Ordinal) && l.Contains($"({reason})", StringComparison.Ordinal));
        }
    }

    [Fact]
    public async Task An_edge_that_dials_again_repeats_its_header_and_is_let_in_and_what_is_no_link_of_messages_is_not()
    {
        using var certificate = await StockEdge.CertificateAsync(_cloud, "edge-1");

        var (status, edge) = await StockEdge.DialAsync(_cloud, certificate, use: "msg,msg,msg");
        Assert.Equal(HttpStatusCode.SwitchingProtocols, status);
        await edge!.DisposeAsync();
        Assert.Equal(HttpStatusCode.BadRequest, (await StockEdge.DialAsync(_cloud, certificate, use: "str")).Status);
        using var http = EdgecoreHttp.Unverified(new Uri($"https://127.0.0.1:{_cloud.Link.Port}"));
        Assert.Equal(HttpStatusCode.Unauthorized, (await http.GetAsync("/")).Status);
    }

    [Fact]
    public async Task The_exchange_of_a_stock_edge_goes_as_the_reference_has_it()
    {
        await ApplyAsync("DeviceModel", "thermo", """{"properties":[{"name":"temperature","type":"STRING","accessMode":"ReadWrite"}]}""");
        await ApplyAsync("Device", "sensor1", """{"nodeName":"edge-1","deviceModelRef":{"name":"thermo"}}""");
        await using var edge = await StockEdge.JoinAsync(_cloud);

        // 5: the question is confirmed and answered with a message of its own.
        var list = await edge.ListAsync();
        Assert.Equal("response", StockEdge.Operation(await edge.AnswerAsync("242dd565-3537-4653-b233-32cc74daa661")));
        Assert.Equal("default/sensor1", (string?)Assert.Single(list["content"]!["devices"]!.AsArray())!["id"]);
        Assert.Null(StockEdge.Parent(list));

        // 9: the model, its acknowledgement, then the device.
        var model = await edge.NextAsync("default/devicemodel/thermo");
        Assert.Equal(("devicecontroller", "resource", "insert"), Route(model));
        Assert.DoesNotContain(edge.Heard.All, static m => StockEdge.Resource(m) == "default/device/sensor1");
        await AcknowledgeAsync(edge, model);
        var device = await edge.NextAsync("default/device/sensor1");
        Assert.Equal("insert", StockEdge.Operation(device));
        Assert.True(long.TryParse((string?)device["header"]!["resourceversion"], out _));
        await AcknowledgeAsync(edge, device);

        // 7: reports and states are confirmed when they are kept.
        await edge.SendAsync(Captures.TwinReport);
        var confirmed = await edge.AnswerAsync("028fcbbb-89da-4230-b73f-6a39a9fcd8ec");
        Assert.Equal(("devicecontroller", "twin", "response", "twin", "OK"), (Route(confirmed).Source, Route(confirmed).Group, Route(confirmed).Operation, StockEdge.Resource(confirmed), (string?)confirmed["content"]));
        await edge.SendAsync(Captures.StateReport);
        await edge.AnswerAsync("b7fb87ec-e015-472d-b639-1eda7a9bd4a9");
        var view = await DeviceAsync();
        Assert.Equal(("21", "online"), (view.Twin["temperature"].Actual!.Value, view.State));

        // 6: a desired value arrives in a membership, with versions and type.
        var before = edge.Heard.Count;
        await SetAsync("25");
        var pushed = (await edge.NextAsync("membership", before))["content"]!["added_devices"]![0]!["twin"]!["temperature"]!;
        Assert.Equal(("25", "string", 1, 0), ((string?)pushed["expected"]!["value"], (string?)pushed["metadata"]!["type"], (int)pushed["expected_version"]!["cloud"]!, (int)pushed["expected_version"]!["edge"]!));
        await edge.ReportAsync("default/sensor1", "temperature", "expected", "25", 1, 0, timestamp: 2);
        await UntilAsync(async () => (await DeviceAsync()).Pending.IsEmpty);
    }

    [Fact]
    public async Task Everything_that_a_stock_edge_says_is_handled_or_refused_by_name()
    {
        await ApplyAsync("Device", "sensor1", """{"nodeName":"edge-1"}""");
        await using var edge = await StockEdge.JoinAsync(_cloud);
        await edge.ListAsync();

        foreach (var envelope in Captures.All.Where(static c => c != Captures.MembershipDetail && c != Captures.DesiredValue && c != Captures.Confirmation && c != Captures.DeviceModel))
        {
            await edge.SendAsync(envelope);
        }

        var query = await edge.SayAsync("edged", "meta", "query", "default/node/edge-1", null);
        var answer = await edge.AnswerAsync(query);
        Assert.Equal(("error", "resource"), (StockEdge.Operation(answer), Route(answer).Group));
        Assert.Contains("workloads are not built", (string?)answer["content"], StringComparison.Ordinal);
        Assert.Equal("error", StockEdge.Operation(await edge.AnswerAsync("d3483615-90f8-4673-8ca8-2beadd6e4e94")));
        Assert.Equal("error", StockEdge.Operation(await edge.AnswerAsync("patch-1")));
        Assert.Equal(1, await RefusedAsync("upload-without-rule"));
        Assert.True(await ReadyAsync("edge-1"));
    }

    [Fact]
    public async Task A_node_cannot_touch_a_device_of_another_by_any_kind_of_message()
    {
        await ApplyAsync("Device", "sensor1", """{"nodeName":"edge-1"}""");
        await using var owner = await StockEdge.JoinAsync(_cloud);
        await using var other = await StockEdge.JoinAsync(_cloud, "edge-2");
        await owner.ListAsync();

        Assert.Empty((await other.ListAsync())["content"]!["devices"]!.AsArray());
        var report = await other.AnswerAsync(await other.ReportAsync("default/sensor1", "temperature", "actual", "99", 0, 99));
        Assert.Equal("error", StockEdge.Operation(report));
        Assert.DoesNotContain("edge-1", report.ToJsonString(), StringComparison.Ordinal);
        var state = await other.SayAsync("twin", "resource", "update", "device/default/sensor1/state/update", """{"event_id":"s","timestamp":1,"device":{"name":"sensor1","state":"online"}}""");
        Assert.Equal("error", StockEdge.Operation(await other.AnswerAsync(state)));
        foreach (var resource in new[] { "node/edge-1/device/default/sensor1/twin/edge_updated", "node/edge-1/membership/detail", "membership/detail/edge-1" })
        {
            Assert.Equal("error", StockEdge.Operation(await other.AnswerAsync(await other.SayAsync("twin", "resource", "update", resource, new JsonObject()))));
        }

        foreach (var source in new[] { "devicecontroller", "edgecontroller", "cloudhub", "synccontroller" })
        {
            Assert.Equal("error", StockEdge.Operation(await other.AnswerAsync(await other.SayAsync(source, "twin", "update", "membership", new JsonObject { ["added_devices"] = new JsonArray() }))));
        }

        // It cannot confirm what another was told either.
        var before = owner.Heard.Count;
        await SetAsync("25");
        var pushed = await owner.NextAsync("membership", before);
        await other.SayAsync("twin", "twin", "response", "membership", "OK", (string)pushed["header"]!["msg_id"]!);
        Assert.Equal("error", StockEdge.Operation(await other.AnswerAsync(await other.ReportAsync("default/sensor1", "temperature", "expected", "25", 1, 0))));

        var view = await DeviceAsync();
        Assert.Equal((null, "", "temperature"), (view.Twin["temperature"].Actual, view.State, Assert.Single(view.Pending)));
        Assert.True(await RefusedAsync("not-of-this-node") >= 3);
    }

    [Fact]
    public async Task A_value_that_is_refused_because_the_edge_is_ahead_is_said_again_on_its_version_and_the_conflict_is_kept()
    {
        await ApplyAsync("Device", "sensor1", """{"nodeName":"edge-1"}""");
        await using var edge = await StockEdge.JoinAsync(_cloud);
        await edge.ListAsync();

        var before = edge.Heard.Count;
        await SetAsync("25");
        await edge.NextAsync("membership", before);
        before = edge.Heard.Count;
        await edge.ReportAsync("default/sensor1", "temperature", "expected", "20", cloud: 0, edge: 7, timestamp: 5);

        var again = (await edge.NextAsync("membership", before))["content"]!["added_devices"]![0]!["twin"]!["temperature"]!;
        Assert.Equal(("25", 1, 7), ((string?)again["expected"]!["value"], (int)again["expected_version"]!["cloud"]!, (int)again["expected_version"]!["edge"]!));
        var conflict = Assert.Single((await DeviceAsync()).Conflicts);
        Assert.Equal(("20", "25"), (conflict.Kept.Value, conflict.Refused.Value));

        await edge.ReportAsync("default/sensor1", "temperature", "expected", "25", cloud: 1, edge: 7, timestamp: 6);
        await UntilAsync(async () => (await DeviceAsync()).Pending.IsEmpty);
        var ledger = await LedgerAsync(OutboxClasses.Desired);
        Assert.Equal(0, ledger.Waiting);
    }

    [Fact]
    public async Task An_edge_that_says_nothing_about_a_value_is_asked_and_then_told_again()
    {
        await ApplyAsync("Device", "sensor1", """{"nodeName":"edge-1"}""");
        await using var edge = await StockEdge.JoinAsync(_cloud);
        await edge.ListAsync();
        await SetAsync("25");

        var question = await edge.Heard.FirstAsync(
            static m => m["content"] is JsonObject c && c["added_devices"]?[0]?["twin"]?["temperature"]?["expected_version"] is { } v && (int)v["cloud"]! == 0 && (int)v["edge"]! == 0,
            "a question with version 0/0");

        // It takes the right value if it has none: the question does no harm.
        Assert.Equal("25", (string?)question["content"]!["added_devices"]![0]!["twin"]!["temperature"]!["expected"]!["value"]);
        await edge.ReportAsync("default/sensor1", "temperature", "expected", "25", cloud: 1, edge: 0, timestamp: 6);
        await UntilAsync(async () => (await DeviceAsync()).Pending.IsEmpty);
    }

    [Fact]
    public async Task W14_what_was_made_and_removed_while_a_node_was_away_is_in_the_list_that_it_asks_for()
    {
        await ApplyAsync("Device", "gone", """{"nodeName":"edge-1"}""");
        await using (var edge = await StockEdge.JoinAsync(_cloud))
        {
            Assert.Single((await edge.ListAsync())["content"]!["devices"]!.AsArray());
        }

        await _cloud.Resources.DeleteAsync(ResourceKinds.Device, "default/gone");
        await ApplyAsync("Device", "sensor1", """{"nodeName":"edge-1"}""");
        await SetAsync("25");
        await using var back = await StockEdge.JoinAsync(_cloud);
        var list = await back.ListAsync();

        var device = Assert.Single(list["content"]!["devices"]!.AsArray())!;
        Assert.Equal(("default/sensor1", "25"), ((string?)device["id"], (string?)device["twin"]!["temperature"]!["expected"]!["value"]));
        await AcknowledgeAsync(back, await back.NextAsync("default/device/gone"));
    }

    [Fact]
    public async Task W25_an_object_that_is_never_acknowledged_holds_up_no_other_and_comes_again_as_the_same_message()
    {
        await ApplyAsync("Device", "stuck", """{"nodeName":"edge-1"}""");
        await using var edge = await StockEdge.JoinAsync(_cloud);
        await edge.ListAsync();
        var stuck = await edge.NextAsync("default/device/stuck");
        await ApplyAsync("Device", "sensor1", """{"nodeName":"edge-1"}""");

        await AcknowledgeAsync(edge, await edge.NextAsync("default/device/sensor1"));
        var again = await edge.NextAsync("default/device/stuck", edge.Heard.Count);

        Assert.Equal((string?)stuck["header"]!["msg_id"], (string?)again["header"]!["msg_id"]);
        await AcknowledgeAsync(edge, again);
        await UntilAsync(async () => (await LedgerAsync(OutboxClasses.Document)) is { Waiting: 0, Delivered: 2 });
    }

    [Fact]
    public async Task W26_an_object_that_an_edge_answers_with_an_error_is_tried_again()
    {
        await ApplyAsync("Device", "sensor1", """{"nodeName":"edge-1"}""");
        await using var edge = await StockEdge.JoinAsync(_cloud);
        await edge.ListAsync();
        var first = await edge.NextAsync("default/device/sensor1");
        var heard = edge.Heard.Count;
        await edge.SayAsync("metamanager", "resource", "error", "default/device/sensor1", "no room", (string)first["header"]!["msg_id"]!);

        await AcknowledgeAsync(edge, await edge.NextAsync("default/device/sensor1", heard));
        await UntilAsync(async () => (await LedgerAsync(OutboxClasses.Document)) is { Waiting: 0, Delivered: 1 });
    }

    [Fact]
    public async Task W27_what_this_dialect_cannot_confirm_is_counted_as_such_and_not_as_delivered()
    {
        await using var edge = await StockEdge.JoinAsync(_cloud);
        await edge.ListAsync();
        await ApplyAsync("Device", "sensor1", """{"nodeName":"edge-1"}""");

        await UntilAsync(async () => (await LedgerAsync(OutboxClasses.Membership)) is { Accepted: 1, Unconfirmed: 1, Delivered: 0, Waiting: 0 });
    }

    [Fact]
    public async Task W28_what_waits_for_a_node_that_is_away_is_bounded_and_survives_a_restart_of_the_cloud()
    {
        await ApplyAsync("Device", "sensor1", """{"nodeName":"edge-1"}""");
        for (var i = 0; i < 20; i++)
        {
            await SetAsync($"{i}");
        }

        await _cloud.RestartAsync();

        Assert.Equal((20, 1, 19), await LedgerAsync(OutboxClasses.Desired) is var l ? (l.Accepted, l.Waiting, l.Superseded) : default);
        await using var edge = await StockEdge.JoinAsync(_cloud);
        Assert.Equal("19", (string?)(await edge.ListAsync())["content"]!["devices"]![0]!["twin"]!["temperature"]!["expected"]!["value"]);
    }

    [Fact]
    public async Task W29_the_end_of_an_older_link_does_not_end_the_newer_one()
    {
        using var certificate = await StockEdge.CertificateAsync(_cloud, "edge-1");
        var older = (await StockEdge.DialAsync(_cloud, certificate)).Edge!;
        await UntilAsync(() => ReadyAsync("edge-1"));
        await using var newer = (await StockEdge.DialAsync(_cloud, certificate)).Edge!;

        await older.Ended;
        await older.DisposeAsync();

        await newer.ListAsync();
        Assert.True(await ReadyAsync("edge-1"));
    }

    [Fact]
    public async Task W11_an_object_that_is_sent_again_has_the_sender_of_the_first_time()
    {
        await ApplyAsync("Device", "sensor1", """{"nodeName":"edge-1"}""");
        await using (var edge = await StockEdge.JoinAsync(_cloud))
        {
            await edge.ListAsync();
            var first = await edge.NextAsync("default/device/sensor1");
            var heard = edge.Heard.Count;
            await edge.SayAsync("metamanager", "resource", "error", "default/device/sensor1", "no room", (string)first["header"]!["msg_id"]!);
            Assert.Equal(Route(first), Route(await edge.NextAsync("default/device/sensor1", heard)));
        }

        await using var back = await StockEdge.JoinAsync(_cloud);
        await back.ListAsync();
        Assert.Equal(("devicecontroller", "resource", "insert"), Route(await back.NextAsync("default/device/sensor1")));
    }

    [Fact]
    public async Task W13_a_newer_version_comes_whatever_becomes_of_the_older_one()
    {
        await ApplyAsync("Device", "sensor1", """{"nodeName":"edge-1"}""");
        await using var edge = await StockEdge.JoinAsync(_cloud);
        await edge.ListAsync();
        var older = await edge.NextAsync("default/device/sensor1");
        await ApplyAsync("Device", "sensor1", """{"nodeName":"edge-1","properties":[{"name":"temperature","collectCycle":1000}]}""");
        var heard = edge.Heard.Count;
        await AcknowledgeAsync(edge, older);

        var newer = await edge.NextAsync("default/device/sensor1", heard);

        Assert.Equal("update", StockEdge.Operation(newer));
        Assert.True(long.Parse((string)newer["header"]!["resourceversion"]!, System.Globalization.CultureInfo.InvariantCulture) > long.Parse((string)older["header"]!["resourceversion"]!, System.Globalization.CultureInfo.InvariantCulture));
        Assert.Equal(1000, (int)newer["content"]!["spec"]!["properties"]![0]!["collectCycle"]!);
        await AcknowledgeAsync(edge, newer);
        await UntilAsync(async () => (await LedgerAsync(OutboxClasses.Document)).Waiting == 0);
    }

    [Fact]
    public async Task W12_a_report_never_changes_the_version_of_what_people_said()
    {
        await ApplyAsync("Device", "sensor1", """{"nodeName":"edge-1"}""");
        await using var edge = await StockEdge.JoinAsync(_cloud);
        await edge.ListAsync();
        await AcknowledgeAsync(edge, await edge.NextAsync("default/device/sensor1"));
        var before = JsonNode.Parse((await _cloud.Resources.GetAsync(ResourceKinds.Device, "default/sensor1"))!)!["metadata"]!.ToJsonString();

        await edge.AnswerAsync(await edge.ReportAsync("default/sensor1", "temperature", "actual", "21", 0, 1));

        Assert.Equal(before, JsonNode.Parse((await _cloud.Resources.GetAsync(ResourceKinds.Device, "default/sensor1"))!)!["metadata"]!.ToJsonString());
        Assert.Single(edge.Heard.All, static m => StockEdge.Resource(m) == "default/device/sensor1");
    }

    [Fact]
    public async Task Revoked_a_node_loses_its_link_at_once_and_its_open_tokens_with_it()
    {
        await using var edge = await StockEdge.JoinAsync(_cloud);
        await UntilAsync(() => ReadyAsync("edge-1"));
        await _cloud.TokenAsync("edge-1");

        await _cloud.Grains.GetGrain<INodeCertificatesGrain>("edge-1").RevokeAsync(null);

        await edge.Ended;
        Assert.Equal(WebSocketCloseStatus.PolicyViolation, edge.CloseStatus);
        Assert.DoesNotContain(await _cloud.JoinTokens.ListAsync(), static t => t.State == "open");
        await UntilAsync(async () => !await ReadyAsync("edge-1"));
    }

    [Fact]
    public async Task A_frame_that_is_too_large_ends_its_link_and_no_other()
    {
        await using var loud = await StockEdge.JoinAsync(_cloud);
        await using var other = await StockEdge.JoinAsync(_cloud, "edge-2");

        // The line may be dead before the last byte has left.
        await Record.ExceptionAsync(() => loud.SendAsync(new string(' ', 17 * 1024 * 1024)));

        await loud.Ended;
        await other.ListAsync();
    }

    [Fact]
    public async Task Nonsense_ends_a_link_only_when_there_is_nothing_else_and_is_counted()
    {
        await using var edge = await StockEdge.JoinAsync(_cloud);
        foreach (var nonsense in new[] { "", "no json", "[]", """{"header":1}""", """{"header":{"msg_id":"x"},"route":{"source":"twin","group":"resource","operation":"update","resource":"device/../../x/twin/edge_updated"},"content":{}}""" })
        {
            await edge.SendAsync(nonsense);
        }

        await edge.ListAsync();
    }

    [Fact]
    public async Task A_thousand_connections_that_say_nothing_disturb_nobody()
    {
        var silent = new List<Socket>();
        try
        {
            for (var i = 0; i < 1_000; i++)
            {
                var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
                silent.Add(socket);
                await socket.ConnectAsync(IPAddress.Loopback, _cloud.Link.Port, TestContext.Current.CancellationToken);
            }

            await using var edge = await StockEdge.JoinAsync(_cloud);
            await edge.ListAsync();
        }
        finally
        {
            silent.ForEach(static s => s.Dispose());
        }

        await UntilAsync(async () => await RefusedAsync("no-request") >= 1_000);
        Assert.Contains(_log.Lines, static l => l.Contains("asked for nothing", StringComparison.Ordinal));
        Assert.True(_log.Lines.Count(static l => l.Contains("asked for nothing", StringComparison.Ordinal)) < 200);
    }

    [Fact]
    public async Task A_node_whose_certificate_ended_while_it_was_off_may_renew_and_nothing_else()
    {
        using var key = new Csr();
        var token = await _cloud.TokenAsync("edge-1");
        using var open = EdgecoreHttp.Unverified(_cloud.Bootstrap);
        var authority = await open.AuthorityAsync();
        using var old = key.WithKey((await open.CertificateAsync("edge-1", key.Of("edge-1"), token.Bearer)).Body);
        using var http = EdgecoreHttp.Verified(_cloud.Bootstrap, authority, old);

        _time.Shift = TimeSpan.FromDays(365 + 20);
        Assert.Equal(HttpStatusCode.Unauthorized, (await StockEdge.DialAsync(_cloud, old)).Status);
        using var unverified = EdgecoreHttp.Unverified(_cloud.Bootstrap, old);
        using var next = key.WithKey((await unverified.CertificateAsync("edge-1", key.Of("edge-1"))).Body);
        Assert.Equal(HttpStatusCode.SwitchingProtocols, await LinkedAsync(next));
        Assert.Equal(1, await RefusedAsync("amnesty"));

        _time.Shift = TimeSpan.FromDays(365 + 40);
        Assert.Equal(HttpStatusCode.Unauthorized, (await unverified.CertificateAsync("edge-1", key.Of("edge-1"))).Status);
    }

    private async Task<HttpStatusCode> LinkedAsync(X509Certificate2 certificate)
    {
        var (status, edge) = await StockEdge.DialAsync(_cloud, certificate);
        if (edge is not null)
        {
            await edge.DisposeAsync();
        }

        return status;
    }

    private static async Task AcknowledgeAsync(StockEdge edge, JsonNode message) =>
        await edge.SayAsync("meta", "twin", "response", StockEdge.Resource(message)!, "OK", (string)message["header"]!["msg_id"]!);

    private static (string? Source, string? Group, string? Operation) Route(JsonNode message) =>
        ((string?)message["route"]!["source"], (string?)message["route"]!["group"], (string?)message["route"]!["operation"]);

    private Task<ApplyOutcome> ApplyAsync(string kind, string name, string spec) => _cloud.Resources.ApplyAsync(
        $$$"""{"apiVersion":"devices.kubeedge.io/v1beta1","kind":"{{{kind}}}","metadata":{"name":"{{{name}}}"},"spec":{{{spec}}}}""");

    private async Task<DeviceView> DeviceAsync() => (await _cloud.Grains.GetGrain<IDeviceTwinGrain>("default/sensor1").GetAsync())!;

    private Task<DeviceView> SetAsync(string value) =>
        _cloud.Grains.GetGrain<IDeviceTwinGrain>("default/sensor1").SetExpectedAsync(System.Collections.Immutable.ImmutableDictionary<string, string>.Empty.Add("temperature", value));

    private async Task<LedgerEntry> LedgerAsync(string type) =>
        (await _cloud.Grains.GetGrain<ILedgerGrain>(ILedgerGrain.Key).GetAsync()).FirstOrDefault(e => e.Class == type) ?? new LedgerEntry { Class = type };

    private async Task<bool> ReadyAsync(string node) =>
        (await _cloud.Resources.ListAsync(new ResourceQuery { Kind = ResourceKinds.Node })).Items.Any(n => n.Id == node && n.Ready);

    private async Task<long> RefusedAsync(string reason) =>
        (await _cloud.Grains.GetGrain<INodeGrain>(INodeGrain.Key).GetRefusalsAsync()).GetValueOrDefault($"cloudHub.{reason}");

    private static async Task UntilAsync(Func<Task<bool>> holds)
    {
        using var patience = new CancellationTokenSource(Patience.Default);
        while (!await holds())
        {
            await Task.Delay(20, patience.Token);
        }
    }

    private static X509Certificate2 Foreign(string node)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest($"O=system:nodes, CN=system:node:{node}", key, HashAlgorithmName.SHA256);
        return request.CreateSelfSigned(DateTimeOffset.UtcNow.AddDays(-1), DateTimeOffset.UtcNow.AddDays(1));
    }
}
