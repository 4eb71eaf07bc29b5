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
