using System.Collections.Concurrent;
using EdgeOrleans.Modules;
using Microsoft.Extensions.Options;

namespace EdgeOrleans.Edge.EventBus;

/// <summary>What a CONNECT asks of its session.</summary>
/// <param name="ClientId">The client.</param>
/// <param name="IsClean">Whether what there was before is forgotten.</param>
/// <param name="Expiry">How long the session outlives its connection, in seconds.</param>
/// <param name="Owner">The client's user; null when it has none.</param>
internal sealed record SessionWish(string ClientId, bool IsClean, uint Expiry, string? Owner = null);

/// <summary>The sessions of all clients, one a client identifier: those that are connected, and those that wait for their client.</summary>
internal sealed class Sessions(
    SubscriptionIndex index, MqttStore store, RetainedMessages retained, Refusals refusals, IOptions<EventBusOptions> options, TimeProvider time)
{
    private readonly ConcurrentDictionary<string, Session> _byClient = new(StringComparer.Ordinal);
    private readonly Turns _turns = new();
    private readonly SessionHouse _house = new(options.Value, store, retained, refusals, time);

    /// <summary>How many there are.</summary>
    public int Count => _byClient.Count;

    /// <summary>How many messages wait for clients or are unacknowledged.</summary>
    public long Waiting => _byClient.Values.Sum(static session => (long)session.Load.Messages);

    /// <summary>All of them, in no order.</summary>
    public IEnumerable<Session> All => _byClient.Select(static one => one.Value);

    public Session? Find(string clientId) => _byClient.GetValueOrDefault(clientId);

    /// <summary>Waits until nobody else of this name is being let in.</summary>
    public ValueTask<Turns.Turn> EnterAsync(string clientId) => _turns.EnterAsync(clientId);

    /// <summary>
    /// Gives a client its session, in its turn. An older connection of the client is over when this ends: nothing of it comes after what
    /// the newer one is told.
    /// </summary>
    /// <returns>The session and whether it was there before; null when there is no room, or the disk takes nothing.</returns>
    public async Task<(Session Session, bool IsPresent)?> OpenAsync(SessionWish wish)
    {
        if (Find(wish.ClientId)?.Connection is { } older)
        {
            await older.GiveWayAsync();
        }

        var found = Find(wish.ClientId);
        if (found is not null && !wish.IsClean)
        {
            if (found.IsStored)
            {
                // If this is lost in a crash the session lives on from the end of its last connection: nobody waits for it.
                _ = store.TouchAsync(found.Number, wish.Expiry, gone: null);
            }

            found.Expiry = wish.Expiry;
            return (found, true);
        }

        if (found is null && _byClient.Count >= options.Value.MaxSessions)
        {
            refusals.Count("mqtt.too-many-sessions");
            return null;
        }

        return await NewAsync(wish, found) is { } session ? (session, false) : null;
    }

    /// <summary>The connection of a session is over: a session that does not outlive it ends.</summary>
    /// <returns>Whether it was the session's connection.</returns>
    public bool Lost(Session session, IMqttPeer connection)
    {
        var now = Now;
        if (!session.Detach(connection, now))
        {
            return false;
        }

        if (session.Expiry == 0)
        {
            End(session);
        }
        else if (session.IsStored)
        {
            _ = store.TouchAsync(session.Number, session.Expiry, now);
        }

        return true;
    }

    /// <summary>Ends a session that has no connection, with all that waits in it.</summary>
    public void Remove(Session session) => End(session);

    /// <summary>Ends a session that has no connection, in its client's turn.</summary>
    /// <returns>False when the disk takes nothing: the session is still there.</returns>
    public async Task<bool> TryRemoveAsync(Session session)
    {
        if (session.IsStored && !await store.EndAsync(session.Number))
        {
            return false;
        }

        Forget(session);
        return true;
    }

    /// <summary>Ends what has waited too long for its client.</summary>
    /// <returns>The sessions whose last will is due now.</returns>
    public IReadOnlyList<Session> Sweep()
    {
        var now = Now;
        var wills = new List<Session>();
        foreach (var session in _byClient.Values)
        {
            session.Sweep(now);
            var isOver = session.Connection is null && session.IsOver(now);
            if (session.Connection is null && session.Will is { Due: { } due } && (isOver || now >= due))
            {
                wills.Add(session);
            }

            if (isOver)
            {
                refusals.Count("mqtt.session-expired");
                End(session);
            }
        }

        return wills;
    }

    /// <summary>Takes up what the disk has kept.</summary>
    public void Restore(StoredBroker stored)
    {
        var now = Now;
        var byNumber = new Dictionary<long, Session>();
        foreach (var row in stored.Sessions)
        {
            // Who was connected when the process ended is gone since now at the latest.
            var session = new Session(row.Client, row.Number, _house) { Expiry = row.Expiry, Gone = row.Gone ?? now, Owner = row.Owner };
            byNumber[row.Number] = _byClient[row.Client] = session;
        }

        foreach (var row in stored.Subscriptions)
        {
            if (byNumber.TryGetValue(row.Session, out var session))
            {
                index.Add(new Subscription(session, row.Filter, row.Options, row.Identifier));
            }
        }

        foreach (var row in stored.Deliveries)
        {
            if (byNumber.TryGetValue(row.Session, out var session) && stored.Messages.TryGetValue(row.Message, out var message))
            {
                session.Restore(message, row);
            }
        }

        foreach (var (number, packet) in stored.Received)
        {
            byNumber.GetValueOrDefault(number)?.Incoming.Restore(packet);
        }

        foreach (var message in stored.Retained.Select(stored.Messages.GetValueOrDefault).OfType<MqttMessage>())
        {
            retained.Set(message);
        }
    }

    private long Now => time.GetUtcNow().ToUnixTimeMilliseconds();

    private async Task<Session?> NewAsync(SessionWish wish, Session? before)
    {
        long number = 0;
        if (wish.Expiry > 0)
        {
            number = await store.OpenAsync(wish.ClientId, wish.Expiry, wish.Owner);
            if (number == 0)
            {
                return null;
            }
        }
        else if (before is { IsStored: true } && !await store.CloseAsync(wish.ClientId))
        {
            return null;
        }

        if (before is not null)
        {
            Leave(before);
        }

        var session = new Session(wish.ClientId, number, _house) { Expiry = wish.Expiry, Owner = wish.Owner };
        _byClient[wish.ClientId] = session;
        return session;
    }

    private void End(Session session)
    {
        if (session.IsStored)
        {
            _ = store.EndAsync(session.Number);
        }

        Forget(session);
    }

    private void Forget(Session session)
    {
        _byClient.TryRemove(KeyValuePair.Create(session.ClientId, session));
        Leave(session);
    }

    private void Leave(Session session)
    {
        index.RemoveSession(session);
        session.Clear();
    }
}
