using EdgeOrleans.Beehive;

namespace EdgeOrleans.Edge.EventBus;

public sealed class RequestTopicsTests
{
    [Theory]
    [InlineData("$hw/events/device/default/pump-1/twin/get", "default/pump-1", "get", "device/default/pump-1/twin", false)]
    [InlineData("$hw/events/device/pump-1/twin/get", "default/pump-1", "get", "device/default/pump-1/twin", true)]
    [InlineData("$hw/events/device/dev/t/twin/update", "dev/t", "update", "device/dev/t/twin", false)]
    [InlineData("$hw/events/device/twin/twin/twin/update", "twin/twin", "update", "device/twin/twin/twin", false)]
    [InlineData("$hw/events/device/a/b/twin/cloud_updated", "a/b", "update", "device/a/b/twin/cloud_updated", false)]
    [InlineData("$hw/events/device/a/b/state/update", "a/b", "update", "device/a/b/state", false)]
    public void A_request_topic_names_its_device_in_either_form(string topic, string device, string operation, string resource, bool oneLevel)
    {
        var read = RequestTopics.Parse(topic);

        Assert.Equal(TopicKind.Request, read.Kind);
        Assert.Equal(Address.Entity(Entities.Device, device), read.To);
        Assert.Equal((operation, resource, oneLevel), (read.Operation, read.Resource, read.OneLevel));
    }

    [Theory]
    [InlineData("$hw/events/device/default/a/twin/update/result")]
    [InlineData("$hw/events/device/a/twin/update/delta")]
    [InlineData("$hw/events/device/default/a/twin/update/document")]
    [InlineData("$hw/events/device/default/a/updated")]
    [InlineData("$hw/events/device/a/updated")]
    [InlineData("$hw/events/device//twin/update/result")]
    [InlineData("$hw/events/node/edge-node/membership/updated")]
    [InlineData("$hw/events/node/edge-node/membership/detail/result")]
    [InlineData("$SYS/broker/uptime")]
    public void What_only_the_node_says_no_client_may_publish(string topic) => Assert.Equal(TopicKind.Reserved, RequestTopics.Parse(topic).Kind);

    [Theory]
    [InlineData("$hw/events/device/default/a/twin/unknownverb")]
    [InlineData("$hw/events/device/default/a/state/get")]
    [InlineData("$hw/events/device/default/a/b/c/d/e")]
    [InlineData("$hw/events/node/n/other")]
    public void A_topic_that_asks_nothing_we_know_is_nobodys_request(string topic) => Assert.Equal(TopicKind.Unknown, RequestTopics.Parse(topic).Kind);

    [Theory]
    [InlineData("plain/topic")]
    [InlineData("SYS/dis/upload_records")]
    [InlineData("$hw/events/upload/a")]
    [InlineData("default/user/x")]
    public void Every_other_topic_passes_as_in_any_broker(string topic) => Assert.Equal(TopicKind.Free, RequestTopics.Parse(topic).Kind);

    [Theory]
    [InlineData("$hw/events/device/a b/c/twin/update", "$hw/events/device/a b/c/twin/update/result")]
    [InlineData("$hw/events/device//c/twin/update", "$hw/events/device//c/twin/update/result")]
    [InlineData("$hw/events/device/-a/twin/get", "$hw/events/device/-a/twin/get/result")]
    public void A_device_that_cannot_exist_is_refused_on_its_own_result_topic(string topic, string result)
    {
        var read = RequestTopics.Parse(topic);

        Assert.Equal(TopicKind.BadDevice, read.Kind);
        Assert.Equal(result, RequestTopics.Events + read.ResultResource);
        Assert.Contains("namespace/name", read.Reason, StringComparison.Ordinal);
    }

    [Fact]
    public void A_state_report_of_an_impossible_device_is_answered_with_silence() =>
        Assert.Empty(RequestTopics.Parse("$hw/events/device/a b/state/update").ResultResource);
}
