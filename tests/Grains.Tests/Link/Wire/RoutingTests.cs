using EdgeOrleans.Beehive;
using EdgeOrleans.Modules;

namespace EdgeOrleans.Link.Wire;

public sealed class RoutingTests
{
    private static readonly DownlinkRoute.Answer AnswerToQ = new("q");

    [Theory]
    [InlineData("edgecontroller", "resource", "insert", "default/pod/web")]
    [InlineData("edgecontroller", "resource", "delete", "default/configmap/cfg")]
    [InlineData("dynamiccontroller", "resource", "update", "default/service/web")]
    [InlineData("devicecontroller", "resource", "insert", "default/device/pump-1")]
    [InlineData("policycontroller", "resource", "update", "default/serviceaccountaccess/sa")]
    [InlineData("edgecontroller", "func", "insert", "default/function/f")]
    public void Objects_of_the_cloud_go_to_the_meta_manager(string source, string group, string operation, string resource) =>
        Assert.Equal(To(ModuleNames.MetaManager), Downlink.Route(Envelopes.Of(source, group, operation, resource)));

    [Theory]
    [InlineData("edgecontroller", "resource", "response")]
    [InlineData("edgecontroller", "resource", "error")]
    [InlineData("edgecontroller", "func", "response")]
    [InlineData("", "user", "response")]
    public void An_answer_goes_to_who_asked(string source, string group, string operation) =>
        Assert.Equal(AnswerToQ, Downlink.Route(Envelopes.Of(source, group, operation, "r", parent: "q")));

    [Theory]
    [InlineData("devicecontroller", "membership")]
    [InlineData("devicecontroller", "membership/detail")]
    [InlineData("edgemgr", "device/pump-1/twin/cloud_updated")]
    public void Membership_and_desired_values_go_to_the_twins(string source, string resource) =>
        Assert.Equal(To(ModuleNames.DeviceTwin), Downlink.Route(Envelopes.Of(source, "twin", "update", resource)));

    [Theory]
    [InlineData("bus")]
    [InlineData("edgehub")]
    [InlineData("meta")]
    [InlineData("")]
    public void Nobody_else_speaks_to_the_twins_through_the_link(string source) =>
        Assert.IsType<DownlinkRoute.Refused>(Downlink.Route(Envelopes.Of(source, "twin", "update", "membership")));

    [Fact]
    public void A_parent_in_group_twin_is_a_confirmation_and_nothing_else()
    {
        Assert.Equal(new DownlinkRoute.Confirmation("028fcbbb-89da-4230-b73f-6a39a9fcd8ec"), Downlink.Route(Envelopes.Read(Captures.Confirmation)));
        Assert.Equal(new DownlinkRoute.Confirmation("q"), Downlink.Route(Envelopes.Of("devicecontroller", "twin", "update", "membership/detail", parent: "q")));
    }

    [Theory]
    [InlineData("router_eventbus", "subscribe", ModuleNames.EventBus)]
    [InlineData("router_eventbus", "unsubscribe", ModuleNames.EventBus)]
    [InlineData("router_eventbus", "publish", ModuleNames.EventBus)]
    [InlineData("router_servicebus", "start", ModuleNames.ServiceBus)]
    [InlineData("router_servicebus", "POST", ModuleNames.ServiceBus)]
    public void The_routers_messages_go_to_their_bus(string source, string operation, string module) =>
        Assert.Equal(To(module), Downlink.Route(Envelopes.Of(source, "user", operation, "default/alarms")));

    [Theory]
    [InlineData("router_rest", "user", "publish", "router_rest")]
    [InlineData("taskmanager", "taskmanager", "Upgrade", "task manager")]
    [InlineData("nodeupgradejobcontroller", "nodeupgradejobcontroller", "upgrade", "nodeupgradejobcontroller")]
    [InlineData("edgecontroller", "", "update", "group ''")]
    public void What_has_no_addressee_is_refused_with_a_reason(string source, string group, string operation, string said) =>
        Assert.Contains(said, Assert.IsType<DownlinkRoute.Refused>(Downlink.Route(Envelopes.Of(source, group, operation, "r"))).Reason, StringComparison.Ordinal);

    [Fact]
    public void A_reason_never_repeats_more_than_a_little_of_what_was_said()
    {
        var group = new string('g', 10_000);

        Assert.True(((DownlinkRoute.Refused)Downlink.Route(Envelopes.Of("s", group, "o", "r"))).Reason.Length < 200);
        Assert.True(((UplinkMessage.Refused)Uplink.Classify(Envelopes.Of("s", "g", group, group))).Reason.Length < 400);
    }

    [Fact]
    public void Every_captured_message_of_an_edge_is_known()
    {
        Assert.Equal(new UplinkMessage.KeepAlive(), Up(Captures.KeepAlive));
        Assert.Equal(new UplinkMessage.MembershipQuery(), Up(Captures.MembershipQuery));
        Assert.Equal(new UplinkMessage.TwinReport("default/sensor1"), Up(Captures.TwinReport));
        Assert.Equal(new UplinkMessage.TwinReport("default/sensor1"), Up(Captures.Conflict));
        Assert.Equal(new UplinkMessage.StateReport("default/sensor1"), Up(Captures.StateReport));
        Assert.Equal(new UplinkMessage.Acknowledged("b3740ca0-b0d9-46e9-8665-27f98c93330b"), Up(Captures.DeviceAcknowledged));
        Assert.Equal(new UplinkMessage.Acknowledged("dcce083b-3508-409c-8af7-65a9f9c03653"), Up(Captures.ResentDeviceAcknowledged));
        Assert.Equal(new UplinkMessage.Acknowledged("ctl-2"), Up(Captures.ControlAnswer));
        Assert.Equal(new UplinkMessage.TopicUpload("default/alarms"), Up(Captures.Upload));
        Assert.Equal(new UplinkMessage.ServiceAnswer("sb-1"), Up(Captures.ServiceAnswer));
        Assert.Equal(new UplinkMessage.ServiceCall("http://cloud.example/api"), Up(Captures.ServiceCall));
        Assert.Equal(new UplinkMessage.Goodbye(), Up(Captures.Goodbye));
    }

    [Fact]
    public void W32_a_service_error_without_an_operation_is_an_answer_all_the_same() =>
        Assert.Equal(new UplinkMessage.ServiceAnswer("sb-2"), Up(Captures.ServiceError));

    [Fact]
    public void A_negative_acknowledgement_is_one() =>
        Assert.Equal(new UplinkMessage.NotAcknowledged("q"), Uplink.Classify(Envelopes.Of("metamanager", "resource", "error", "default/pod/web", parent: "q")));

    [Theory]
    [InlineData("response")]
    [InlineData("error")]
    public void An_answer_to_nothing_is_refused(string operation) => AssertRefused(Envelopes.Of("meta", "twin", operation, "r"));

    [Theory]
    [InlineData("insert", "default/node/edge-1", "default", "node", "edge-1")]
    [InlineData("query", "default/node/edge-1", "default", "node", "edge-1")]
    [InlineData("patch", "default/nodepatch/edge-1", "default", "nodepatch", "edge-1")]
    [InlineData("update", "kube-node-lease/lease/edge-1", "kube-node-lease", "lease", "edge-1")]
    [InlineData("patch", "default/podpatch/web", "default", "podpatch", "web")]
    [InlineData("delete", "default/pod/web", "default", "pod", "web")]
    [InlineData("query", "default/configmap/cfg", "default", "configmap", "cfg")]
    [InlineData("query", "null/persistentvolume/pv", "null", "persistentvolume", "pv")]
    [InlineData("insert", "default/event/web.1", "default", "event", "web.1")]
    [InlineData("update", "default/podstatus", "default", "podstatus", "")]
    public void Edged_asks_and_tells_about_resources(string operation, string resource, string ns, string type, string name) =>
        Assert.Equal(new UplinkMessage.ResourceRequest(operation, ns, type, name), Uplink.Classify(Envelopes.Of("edged", "meta", operation, resource)));

    [Fact]
    public void The_other_rows_of_the_table_are_known()
    {
        Assert.Equal(new UplinkMessage.ClusterCaQuery(), Uplink.Classify(Envelopes.Of("metamanager", "resource", "query", "k8s/ca.crt")));
        Assert.Equal(new UplinkMessage.MetaServerCall(), Uplink.Classify(Envelopes.Of("metaserver", "dynamiccontroller", "null", "null")));
        Assert.Equal(new UplinkMessage.MetaServerCall(), Uplink.Classify(Envelopes.Of("metaserver", "dynamiccontroller", "update", "watchapp/sync")));
        Assert.Equal(new UplinkMessage.VolumeAnswer("vol-1"), Uplink.Classify(Envelopes.Of("edged", "meta", "response", "default/volume/vol-1", parent: "q")));
        Assert.Equal(new UplinkMessage.TaskReport("upgrade"), Uplink.Classify(Envelopes.Of("websocket", "hub", "upgrade", "task/t/node/edge-1")));
        Assert.Equal(new UplinkMessage.TaskReport("prepull"), Uplink.Classify(Envelopes.Of("websocket", "hub", "prepull", "task/t/node/edge-1")));
        Assert.Equal(new UplinkMessage.TaskReport("UpdateNodeActionStatus"), Uplink.Classify(Envelopes.Of("websocket", "hub", "UpdateNodeActionStatus", "operations.kubeedge.io/v1alpha2/nodeupgradejob/j/node/edge-1")));
    }

    [Fact]
    public void A_topic_that_looks_like_a_volume_is_a_topic() =>
        Assert.Equal(new UplinkMessage.TopicUpload("hall/volume/left"), Uplink.Classify(Envelopes.Of("bus", "user", "upload", "hall/volume/left")));

    [Theory]
    [InlineData("pump-1", "default/pump-1")]
    [InlineData("default/pump-1", "default/pump-1")]
    [InlineData("node/node", "node/node")]
    [InlineData("device/twin", "device/twin")]
    [InlineData("a/edge_updated", "a/edge_updated")]
    public void A_device_may_have_one_level_or_two_and_any_name(string written, string id)
    {
        Assert.Equal(new UplinkMessage.TwinReport(id), Uplink.Classify(Envelopes.Of("twin", "resource", "update", $"device/{written}/twin/edge_updated")));
        Assert.Equal(new UplinkMessage.StateReport(id), Uplink.Classify(Envelopes.Of("twin", "resource", "update", $"device/{written}/state/update")));
    }

    [Theory]
    [InlineData("device/a/b/c/twin/edge_updated")]
    [InlineData("device//twin/edge_updated")]
    [InlineData("device/twin/edge_updated")]
    [InlineData("device/../twin/edge_updated")]
    [InlineData("node/edge-2/device/default/pump-1/twin/edge_updated")]
    [InlineData("membership")]
    [InlineData("")]
    public void A_twin_report_of_no_device_is_refused(string resource) => AssertRefused(Envelopes.Of("twin", "resource", "update", resource));

    [Theory]
    [InlineData("cloudhub")]
    [InlineData("cloudStream")]
    [InlineData("devicecontroller")]
    [InlineData("edgecontroller")]
    [InlineData("synccontroller")]
    public void A_node_that_speaks_as_the_cloud_is_refused_by_name(string source) =>
        Assert.Contains(source, AssertRefused(Envelopes.Of(source, "resource", "update", "default/pod/web")), StringComparison.Ordinal);

    [Fact]
    public void A_downstream_patch_that_comes_back_is_refused() => Assert.IsType<UplinkMessage.Refused>(Up(Captures.Patch));

    [Theory]
    [InlineData("edged", "meta", "dance", "default/pod/web")]
    [InlineData("edged", "meta", "query", "pod")]
    [InlineData("edged", "meta", "query", "default//web")]
    [InlineData("edged", "meta", "query", "default/pod/web/log")]
    [InlineData("bus", "user", "upload", "")]
    [InlineData("servicebus", "user", "upload", "")]
    [InlineData("servicebus", "user", "", "http://cloud")]
    [InlineData("websocket", "resource", "ping", "/control/ping")]
    public void What_no_row_knows_is_refused(string source, string group, string operation, string resource) =>
        AssertRefused(Envelopes.Of(source, group, operation, resource));

    [Theory]
    [InlineData("device/default/pump-1/twin/edge_updated")]
    [InlineData("membership")]
    [InlineData("node/edge-2/membership")]
    [InlineData("a//b")]
    [InlineData("")]
    public void The_nodes_prefix_goes_on_and_off_and_everything_behind_it_stays(string resource)
    {
        var inCloud = NodeResource.Add("edge-1", resource);

        Assert.Equal("node/edge-1/" + resource, inCloud);
        Assert.Equal(resource, NodeResource.Remove("edge-1", inCloud));
        Assert.True(NodeResource.TryCut(inCloud, out var node, out var rest));
        Assert.Equal(("edge-1", resource), (node, rest));
    }

    [Theory]
    [InlineData("task/t/node/edge-1")]
    [InlineData("node/edge-2/membership")]
    [InlineData("node/edge-1")]
    [InlineData("node//membership")]
    [InlineData("nodes/edge-1/x")]
    public void A_resource_without_the_nodes_own_prefix_stays_as_it_is(string resource) => Assert.Equal(resource, NodeResource.Remove("edge-1", resource));

    [Theory]
    [InlineData("ping")]
    [InlineData("pong")]
    [InlineData("config")]
    public void A_control_message_is_answered_with_ack(string operation)
    {
        var asked = Envelopes.Of("s", "g", operation, $"/control/{operation}");
        Assert.True(ControlMessages.IsControl(asked));

        var answer = ControlMessages.Answer(asked, 9);

        Assert.Equal(asked.Header.Id, answer.Header.ParentId);
        Assert.Equal(new MessageRoute { Source = "s", Group = "g", Operation = Operations.Response, Resource = asked.Route.Resource }, answer.Route);
        Assert.Equal("ack", answer.ContentAsText());
        Assert.False(ControlMessages.IsControl(answer));
    }

    private static UplinkMessage Up(string capture) => Uplink.Classify(Envelopes.Read(capture));

    private static string AssertRefused(Message message) => Assert.IsType<UplinkMessage.Refused>(Uplink.Classify(message)).Reason;

    private static DownlinkRoute.Module To(string module) => new(Address.Module(module));
}
