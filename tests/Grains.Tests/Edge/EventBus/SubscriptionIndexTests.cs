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
    public void A_session_hears_of_a_topic_once_with_all_that_its_filters_say()
    {
        var random = new Random(5);
        string[] filters = ["a/b", "a/c", "a/+", "a/#", "#", "+/b", "+/+", "a/b/#", "b", "+", "$a/b", "$a/#", "/b", "+/"];
        var wishes = new Dictionary<(string Client, string Filter), (int Options, uint Identifier)>();
        for (var step = 1; step <= 5_000; step++)
        {
            var key = (Client: $"c{random.Next(4)}", Filter: filters[random.Next(filters.Length)]);
            if (random.Next(3) > 0)
            {
                wishes[key] = (random.Next(16) & ~3 | random.Next(3), (uint)step);
                Add(key.Client, key.Filter, wishes[key].Options, wishes[key].Identifier);
            }
            else
            {
                Assert.Equal(wishes.Remove(key), _index.Remove(Of(key.Client), key.Filter));
            }

            foreach (var topic in (string[])["a/b", "a", "$a/b", "/b"])
            {
                var compared = wishes.Where(wish => SubscriptionIndex.Matches(topic, wish.Key.Filter)).GroupBy(static wish => wish.Key.Client);
                Assert.Equal(
                    compared.Select(static all => Text(all.Key, all.Max(static w => w.Value.Options & 3), all.Any(static w => (w.Value.Options & 8) != 0),
                        all.Select(static w => w.Value.Identifier), all.Any(static w => (w.Value.Options & 4) == 0))).Order(StringComparer.Ordinal),
                    _index.Match(topic).Select(static s => Text(s.ClientId, s.Qos, s.RetainAsPublished, s.Identifiers, s.Own is not null)).Order(StringComparer.Ordinal));
            }
        }

        static string Text(string client, int qos, bool retain, IEnumerable<uint> identifiers, bool hearsItself) =>
            $"{client} {qos} {retain} {string.Join(',', identifiers.Order())} {hearsItself}";
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
