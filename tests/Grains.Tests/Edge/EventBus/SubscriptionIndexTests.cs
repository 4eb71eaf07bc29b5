using EdgeOrleans.Modules;
using Microsoft.Extensions.Logging.Abstractions;

namespace EdgeOrleans.Edge.EventBus;

public sealed class SubscriptionIndexTests
{
    private readonly SubscriptionIndex _index = new();
    private readonly Dictionary<string, Session> _sessions = [];

    [Theory]
    [InlineData("a/b", "a/b", true)]
    [InlineData("a/b", "a/+", true)]
    [InlineData("a/b", "+/b", true)]
    [InlineData("a/b", "#", true)]
    [InlineData("a/b", "a/#", true)]
    [InlineData("a", "a/#", true)]
    [InlineData("a/b/c", "a/+", false)]
    [InlineData("a", "a/+", false)]
    [InlineData("a/", "a/+", true)]
    [InlineData("/a", "+/a", true)]
    [InlineData("ab", "a", false)]
    [InlineData("$hw/x", "#", false)]
    [InlineData("$hw/x", "+/x", false)]
    [InlineData("$hw/x", "$hw/#", true)]
    [InlineData("$hw/events/device/default/a/twin/update/result", "$hw/events/device/+/+/twin/update/result", true)]
    [InlineData("$hw/events/device/default/a/twin/update/result", "$hw/events/device/+/+/twin/+", false)]
    public void A_filter_matches_as_MQTT_says(string topic, string filter, bool matches) =>
        Assert.Equal(matches, SubscriptionIndex.Matches(topic, filter));

    [Fact]
    public void A_client_with_two_matching_filters_hears_once_with_the_higher_qos()
    {
        Add("c", "a/b", 0);
        Add("c", "a/+", 1);
        Add("d", "a/b", 0);

        var found = _index.Match("a/b");

        Assert.Equal([("c", 1), ("d", 0)], found.Select(s => (s.ClientId, s.Qos)).Order());
    }

    [Fact]
    public void Overlapping_wishes_give_all_their_identifiers_and_what_excludes_the_clients_own_messages_counts_alone()
    {
        Add("c", "a/b", 0 | 4, identifier: 7);
        Add("c", "a/#", 1, identifier: 8);

        var found = Assert.Single(_index.Match("a/b"));

        Assert.Equal([7u, 8u], found.Identifiers.Order());
        Assert.Equal([8u], found.Own!.Identifiers);
    }

    [Fact]
    public void What_was_found_is_looked_for_again_after_every_change()
    {
        var outlet = new Outlets(_index, new HubTopics(null!, new Refusals(), NullLogger<HubTopics>.Instance)).OfTopic("a/b");
        Assert.Empty(outlet.Subscribers);

        Add("c", "a/b", 0);
        Assert.Single(outlet.Subscribers);

        _index.Remove(Of("c"), "a/b");
        Assert.Empty(outlet.Subscribers);

        Add("c", "a/#", 0);
        Add("c", "a/b", 0);
        _index.RemoveSession(Of("c"));
        Assert.Empty(outlet.Subscribers);
    }

    private void Add(string client, string filter, int options, uint identifier = 0) =>
        _index.Add(new Subscription(Of(client), filter, options, identifier));

    private Session Of(string client) => _sessions.TryGetValue(client, out var session) ? session : _sessions[client] = new Session(client, 0, null!);
}
