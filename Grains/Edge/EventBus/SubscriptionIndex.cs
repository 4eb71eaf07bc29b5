namespace EdgeOrleans.Edge.EventBus;

/// <summary>One client's wish for a topic.</summary>
internal sealed class Subscription
{
    /// <param name="session">Whose wish it is.</param>
    /// <param name="filter">For what.</param>
    /// <param name="options">As MQTT 5 writes them: QoS, no local, retain as published, retain handling.</param>
    /// <param name="identifier">The identifier that the client gave with it; 0 for none.</param>
    public Subscription(Session session, string filter, int options, uint identifier = 0)
    {
        (Session, Filter, Options, Identifier) = (session, filter, options, identifier);
        (Qos, RetainAsPublished) = (options & 3, (options & 8) != 0);
        Identifiers = identifier == 0 ? [] : [identifier];
        Own = (options & 4) != 0 ? null : this;
    }

    public Session Session { get; }

    public string Filter { get; }

    public int Options { get; }

    public uint Identifier { get; }

    public int Qos { get; }

    public bool RetainAsPublished { get; }

    /// <summary>The identifiers of all wishes that this one stands for.</summary>
    public uint[] Identifiers { get; }

    /// <summary>What of it counts for the session's own messages: nothing, where the client does not want those back.</summary>
    public Subscription? Own { get; private set; }

    /// <summary>How retained messages are sent: 0 always, 1 for a new subscription, 2 never.</summary>
    public int RetainHandling => (Options >> 4) & 3;

    public string ClientId => Session.ClientId;

    private Subscription(Subscription[] all)
    {
        (Session, Filter) = (all[0].Session, all[0].Filter);
        Qos = all.Max(static wish => wish.Qos);
        RetainAsPublished = all.Any(static wish => wish.RetainAsPublished);
        Identifiers = [.. all.SelectMany(static wish => wish.Identifiers).Distinct()];
        Own = this;
    }

    /// <summary>Several wishes of one session that match the same topic: it hears once, with the highest QoS.</summary>
    public static Subscription Together(Subscription[] all)
    {
        Subscription[] own = [.. all.Where(static wish => wish.Own is not null)];
        var together = new Subscription(all);
        if (own.Length < all.Length)
        {
            together.Own = own.Length == 0 ? null : new Subscription(own);
        }

        return together;
    }
}

/// <summary>
/// Who has subscribed to what. A topic is looked up, so the cost of an answer does not grow with the number of clients; each filter with
/// wildcards is compared once, however many clients have it.
/// </summary>
internal sealed class SubscriptionIndex
{
    private readonly Lock _gate = new();
    private readonly Dictionary<string, Dictionary<Session, Subscription>> _exact = new(StringComparer.Ordinal);
    private readonly Dictionary<string, Dictionary<Session, Subscription>> _wildcards = new(StringComparer.Ordinal);
    private readonly Dictionary<Session, HashSet<string>> _sessions = [];
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
            return _sessions.TryGetValue(session, out var filters) ? filters.Count : 0;
        }
    }

    public bool Has(Session session, string filter)
    {
        lock (_gate)
        {
            return _sessions.TryGetValue(session, out var filters) && filters.Contains(filter);
        }
    }

    /// <summary>The wishes of a session, in no order.</summary>
    public IReadOnlyList<Subscription> Of(Session session)
    {
        lock (_gate)
        {
            return _sessions.TryGetValue(session, out var filters) ? [.. filters.Select(filter => Of(filter)[filter][session])] : [];
        }
    }

    public void Add(Subscription subscription)
    {
        lock (_gate)
        {
            if (!_sessions.TryGetValue(subscription.Session, out var filters))
            {
                _sessions[subscription.Session] = filters = new(StringComparer.Ordinal);
            }

            filters.Add(subscription.Filter);
            var all = Of(subscription.Filter);
            if (!all.TryGetValue(subscription.Filter, out var sessions))
            {
                all[subscription.Filter] = sessions = [];
            }

            sessions[subscription.Session] = subscription;
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
            if (!_sessions.TryGetValue(session, out var filters) || !filters.Remove(filter))
            {
                return false;
            }

            Take(session, filter);
            if (filters.Count == 0)
            {
                _sessions.Remove(session);
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
            if (!_sessions.Remove(session, out var filters))
            {
                return;
            }

            foreach (var filter in filters)
            {
                Take(session, filter);
            }

            _version++;
        }
    }

    /// <summary>The subscriptions that a topic matches, one a session.</summary>
    public Subscription[] Match(string topic)
    {
        lock (_gate)
        {
            var exact = _exact.GetValueOrDefault(topic);
            if (_wildcards.Count == 0)
            {
                return exact is null ? [] : [.. exact.Values];
            }

            var found = new List<Subscription>(exact?.Values ?? Enumerable.Empty<Subscription>());
            foreach (var (filter, sessions) in _wildcards)
            {
                if (Matches(topic, filter))
                {
                    found.AddRange(sessions.Values);
                }
            }

            return found.Count < 2
                ? [.. found]
                : [.. found.GroupBy(static wish => wish.Session).Select(static wishes => wishes.ToArray() is [var one] ? one : Subscription.Together([.. wishes]))];
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

    private Dictionary<string, Dictionary<Session, Subscription>> Of(string filter) => HasWildcard(filter) ? _wildcards : _exact;

    private void Take(Session session, string filter)
    {
        var all = Of(filter);
        if (all.TryGetValue(filter, out var sessions) && sessions.Remove(session) && sessions.Count == 0)
        {
            all.Remove(filter);
        }
    }
}
