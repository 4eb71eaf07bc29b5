namespace EdgeOrleans.Edge.EventBus;

/// <summary>
/// Who has subscribed to what. A topic is looked up, by its text and level by level among the filters with wildcards, so the cost of an
/// answer depends on the topic and on who listens there, and not on the number of clients and filters.
/// </summary>
internal sealed class SubscriptionIndex
{
    private readonly Lock _gate = new();
    private readonly Dictionary<string, Dictionary<Session, Subscription>> _exact = new(StringComparer.Ordinal);
    private readonly FilterTree _wildcards = new();
    private readonly Dictionary<Session, Dictionary<string, Subscription>> _sessions = [];
    private volatile int _version = 1;
    private volatile Subscription? _own;

    /// <summary>Who gets everything that the node itself publishes: the broker outside, if there is one.</summary>
    public Subscription? Own => _own;

    /// <summary>Rises with every change, so that what was found can be kept until then.</summary>
    public int Version => _version;

    /// <summary>How many wishes a session has.</summary>
    public int CountOf(Session session)
    {
        lock (_gate)
        {
            return _sessions.TryGetValue(session, out var wishes) ? wishes.Count : 0;
        }
    }

    public bool Has(Session session, string filter)
    {
        lock (_gate)
        {
            return _sessions.TryGetValue(session, out var wishes) && wishes.ContainsKey(filter);
        }
    }

    /// <summary>The wishes of a session, in no order.</summary>
    public IReadOnlyList<Subscription> Of(Session session)
    {
        lock (_gate)
        {
            return _sessions.TryGetValue(session, out var wishes) ? [.. wishes.Values] : [];
        }
    }

    public void Add(Subscription subscription)
    {
        lock (_gate)
        {
            if (!_sessions.TryGetValue(subscription.Session, out var wishes))
            {
                _sessions[subscription.Session] = wishes = new(StringComparer.Ordinal);
            }

            wishes[subscription.Filter] = subscription;
            Put(subscription);
            _version++;
        }
    }

    /// <summary>Somebody gets everything that the node itself publishes, and nothing else.</summary>
    public void AddOwn(Subscription subscription) => _own = subscription;

    /// <returns>Whether it was there.</returns>
    public bool Remove(Session session, string filter)
    {
        lock (_gate)
        {
            if (!_sessions.TryGetValue(session, out var wishes) || !wishes.Remove(filter))
            {
                return false;
            }

            Take(session, filter);
            if (wishes.Count == 0)
            {
                _sessions.Remove(session);
                _sessions.Shrink();
            }

            _version++;
            return true;
        }
    }

    /// <summary>Forgets what a session wished for.</summary>
    public void RemoveSession(Session session)
    {
        lock (_gate)
        {
            if (!_sessions.Remove(session, out var wishes))
            {
                return;
            }

            foreach (var filter in wishes.Keys)
            {
                Take(session, filter);
            }

            _sessions.Shrink();
            _version++;
        }
    }

    /// <summary>The subscriptions that a topic matches, one a session.</summary>
    public Subscription[] Match(string topic)
    {
        lock (_gate)
        {
            var found = new List<Dictionary<Session, Subscription>>();
            if (_exact.TryGetValue(topic, out var exact))
            {
                found.Add(exact);
            }

            _wildcards.Match(topic, found);
            return found switch
            {
                [] => [],
                [var one] => [.. one.Values],
                _ => [.. found.SelectMany(static wishes => wishes.Values).GroupBy(static wish => wish.Session).Select(One)],
            };
        }
    }

    /// <summary>MQTT's rule for a topic name and a filter; a wildcard at the first level does not match a topic that begins with <c>$</c>.</summary>
    internal static bool Matches(ReadOnlySpan<char> topic, ReadOnlySpan<char> filter)
    {
        if (topic is ['$', ..] && filter is ['#' or '+', ..])
        {
            return false;
        }

        while (true)
        {
            var filterEnd = filter.IndexOf('/');
            var level = filterEnd < 0 ? filter : filter[..filterEnd];
            if (level is "#")
            {
                return true;
            }

            var topicEnd = topic.IndexOf('/');
            var name = topicEnd < 0 ? topic : topic[..topicEnd];
            if (level is not "+" && !level.SequenceEqual(name))
            {
                return false;
            }

            if (topicEnd < 0)
            {
                return filterEnd < 0 || filter[filterEnd..] is "/#";
            }

            if (filterEnd < 0)
            {
                return false;
            }

            topic = topic[(topicEnd + 1)..];
            filter = filter[(filterEnd + 1)..];
        }
    }

    internal static bool HasWildcard(string filter) => filter.AsSpan().IndexOfAny('+', '#') >= 0;

    // A session hears once, however many of its filters match.
    private static Subscription One(IEnumerable<Subscription> wishes)
    {
        var all = wishes.ToArray();
        return all.Length == 1 ? all[0] : Subscription.Together(all);
    }

    private void Put(Subscription subscription)
    {
        if (HasWildcard(subscription.Filter))
        {
            _wildcards.Add(subscription);
            return;
        }

        if (!_exact.TryGetValue(subscription.Filter, out var wishes))
        {
            _exact[subscription.Filter] = wishes = [];
        }

        wishes[subscription.Session] = subscription;
    }

    private void Take(Session session, string filter)
    {
        if (HasWildcard(filter))
        {
            _wildcards.Remove(session, filter);
        }
        else if (_exact.TryGetValue(filter, out var wishes) && wishes.Remove(session))
        {
            wishes.Shrink();
            if (wishes.Count == 0)
            {
                _exact.Remove(filter);
                _exact.Shrink();
            }
        }
    }
}
