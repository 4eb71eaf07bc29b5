namespace EdgeOrleans.Edge.EventBus;

/// <summary>The tree against the rule itself: <see cref="SubscriptionIndex.Matches"/>.</summary>
public sealed class FilterTreeTests
{
    private static readonly string[] Levels = ["", "a", "b", "$a"];

    private readonly FilterTree _tree = new();
    private readonly Dictionary<string, Session> _sessions = [];

    [Fact]
    public void Every_topic_finds_the_same_filters_as_when_each_is_compared()
    {
        var filters = Filters(3);
        foreach (var filter in filters)
        {
            Add("c", filter);
        }

        Assert.All(Topics(4), topic => Assert.Equal(Matching(topic, filters), Found(topic)));
    }

    [Fact]
    public void Two_filters_are_found_alike_whatever_they_share_and_whichever_goes_first()
    {
        var (filters, topics) = (Filters(2), Topics(3));
        foreach (var one in filters)
        {
            foreach (var other in filters)
            {
                Add("c", one);
                Add("c", other);
                MustFind(topics, [one, other]);
                _tree.Remove(Of("c"), one);
                MustFind(topics, one == other ? [] : [other]);
                _tree.Remove(Of("c"), other);
                Assert.Equal(0, _tree.Nodes);
            }
        }
    }

    [Fact]
    public void Filters_that_come_and_go_in_any_order_are_found_as_when_each_is_compared()
    {
        var (random, filters, topics) = (new Random(1883), Filters(4), Topics(5));
        var wishes = new HashSet<(string Client, string Filter)>();
        for (var step = 0; step < 20_000; step++)
        {
            // Grows for a while, then shrinks, again and again.
            var wish = (Client: $"c{random.Next(5)}", Filter: filters[random.Next(filters.Length)]);
            if (random.Next(100) < (step / 1_000 % 2 == 0 ? 80 : 20))
            {
                Add(wish.Client, wish.Filter);
                wishes.Add(wish);
            }
            else
            {
                wish = wishes.Count > 0 && random.Next(4) > 0 ? wishes.ElementAt(random.Next(wishes.Count)) : wish;
                _tree.Remove(Of(wish.Client), wish.Filter);
                wishes.Remove(wish);
            }

            var topic = topics[random.Next(topics.Length)];
            Assert.Equal(
                wishes.Where(w => SubscriptionIndex.Matches(topic, w.Filter)).Select(static w => $"{w.Client} {w.Filter}").Order(StringComparer.Ordinal),
                Wishes(topic).Select(static w => $"{w.ClientId} {w.Filter}").Order(StringComparer.Ordinal));
            Assert.InRange(_tree.Nodes, 0, 2 * wishes.Count);
        }

        foreach (var (client, filter) in wishes)
        {
            _tree.Remove(Of(client), filter);
        }

        Assert.Equal(0, _tree.Nodes);
    }

    [Fact]
    public void A_filter_costs_no_more_for_being_deep()
    {
        // As many levels as a filter of MQTT can have.
        var deep = string.Join('/', Enumerable.Repeat("+", 32_768));
        Add("c", deep);
        Add("c", deep[..^2]);
        Add("c", deep[..^2] + "/#");

        Assert.InRange(_tree.Nodes, 1, 6);
        Assert.Equal([deep[..^2] + "/#", deep], Found(new string('/', 32_767)));
        Assert.Equal([deep[..^2], deep[..^2] + "/#"], Found(new string('/', 32_766)));
    }

    [Fact]
    public void Thousands_of_filters_one_below_the_other_are_found_and_go()
    {
        string[] filters = [.. Enumerable.Range(1, 5_000).Select(static depth => string.Join('/', Enumerable.Repeat("a", depth)) + "/#")];
        foreach (var filter in filters)
        {
            Add("c", filter);
        }

        Assert.Equal(5_000, Wishes(string.Join('/', Enumerable.Repeat("a", 5_000))).Count());
        foreach (var filter in filters)
        {
            _tree.Remove(Of("c"), filter);
        }

        Assert.Equal(0, _tree.Nodes);
    }

    [Fact]
    public void A_wish_that_is_not_there_can_be_taken_back()
    {
        Add("c", "a/+/b");

        foreach (var filter in Filters(4))
        {
            _tree.Remove(Of("c"), filter == "a/+/b" ? "a/+/b/#" : filter);
            _tree.Remove(Of("d"), filter);
        }

        Assert.Equal(["a/+/b"], Found("a/a/b"));
    }

    [Fact]
    public void A_table_that_has_become_empty_gives_its_memory_back()
    {
        var table = Enumerable.Range(0, 10_000).ToDictionary(static i => i);

        foreach (var key in Enumerable.Range(0, 10_000))
        {
            table.Remove(key);
            table.Shrink();
        }

        Assert.InRange(table.Capacity, 0, 64);
    }

    /// <summary>Every text of one to so many of these levels.</summary>
    private static string[] Texts(int depth, string[] levels)
    {
        string[] all = levels;
        for (var i = 1; i < depth; i++)
        {
            all = [.. levels, .. all.SelectMany(_ => levels, static (begin, level) => $"{begin}/{level}")];
        }

        return [.. all.Distinct().Where(static text => text.Length > 0)];
    }

    private static string[] Topics(int depth) => Texts(depth, Levels);

    /// <summary>Every filter of one to so many levels; <c>#</c> may follow as one more.</summary>
    private static string[] Filters(int depth)
    {
        var plain = Texts(depth, [.. Levels, "+"]);
        return ["#", "/#", .. plain.Where(SubscriptionIndex.HasWildcard), .. plain.Select(static filter => filter + "/#")];
    }

    private static string[] Matching(string topic, string[] filters) =>
        [.. filters.Distinct().Where(filter => SubscriptionIndex.Matches(topic, filter)).Order(StringComparer.Ordinal)];

    private void MustFind(string[] topics, string[] filters)
    {
        foreach (var topic in topics)
        {
            Assert.Equal(Matching(topic, filters), Found(topic));
        }
    }

    private string[] Found(string topic) => [.. Wishes(topic).Select(static wish => wish.Filter).Order(StringComparer.Ordinal)];

    private IEnumerable<Subscription> Wishes(string topic)
    {
        var found = new List<Dictionary<Session, Subscription>>();
        _tree.Match(topic, found);
        return found.SelectMany(static wishes => wishes.Values);
    }

    private void Add(string client, string filter) => _tree.Add(new Subscription(Of(client), filter, 0));

    private Session Of(string client) => _sessions.TryGetValue(client, out var session) ? session : _sessions[client] = new Session(client, 0, null!);
}
