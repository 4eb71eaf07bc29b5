using System.Collections.Concurrent;
using EdgeOrleans.Modules;
using Microsoft.Extensions.Options;

namespace EdgeOrleans.Edge.EventBus;

/// <summary>What a CONNECT asks of its session.</summary>
/// <param name="ClientId">The client.</param>
/// <param name="IsClean">Whether what there was before is forgotten.</param>
/// <param name="Expiry">How long the session outlives its connection, in seconds.</param>
/// <param name="Owner">The client's user; null when it has none.</param>
/// <param name="Will">The client's last will; null when it has none.</param>
internal sealed record SessionWish(string ClientId, bool IsClean, uint Expiry, string? Owner = null, LastWill? Will = null);

/// <summary>What a CONNECT gets.</summary>
/// <param name="Session">Its session.</param>
/// <param name="IsPresent">Whether it was there before.</param>
/// <param name="Before">The session that it takes the place of, when its last will is due with its end; null otherwise.</param>
internal sealed record OpenedSession(Session Session, bool IsPresent, Session? Before = null);

/// <summary>The sessions of all clients, one a client identifier: those that are connected, and those that wait for their client.</summary>
internal sealed class Sessions(
    SubscriptionIndex index, MqttStore store, RetainedMessages retained, Refusals refusals, IOptions<EventBusOptions> options, TimeProvider time)
{
    private readonly ConcurrentDictionary<string, Session> _byClient = new(StringComparer.Ordinal);
    private readonly Turns _turns = new();
    private readonly List<Session> _unfinished = [];
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
    /// <returns>The session; null when there is no room, or the disk takes nothing.</returns>
    public async Task<OpenedSession?> OpenAsync(SessionWish wish)
    {
        if (Find(wish.ClientId)?.Connection is { } older)
        {
            await older.GiveWayAsync();
        }

        var found = Find(wish.ClientId);
        if (found is { IsWillOnly: false } && !wish.IsClean && !found.IsOver(Now))
        {
            return await ContinueAsync(wish, found);
        }

        if (found is null && _byClient.Count >= options.Value.MaxSessions)
        {
            refusals.Count("mqtt.too-many-sessions");
            return null;
        }

        return await NewAsync(wish, found);
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
        List<Session> wills = [.. _unfinished];
        _unfinished.Clear();
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

        RestoreWills(stored.Wills, now);
    }

    private long Now => time.GetUtcNow().ToUnixTimeMilliseconds();

    // Everybody gets the time to come back: nobody could while the node was away. What is due before then has waited for the node, not for the client.
    private void RestoreWills(List<StoredWill> wills, long now)
    {
        var first = now + (long)options.Value.WillGrace.TotalMilliseconds;
        var lost = new List<LastWill>();
        foreach (var (client, will) in wills)
        {
            var session = _byClient.GetValueOrDefault(client) ?? (_byClient[client] = new Session(client, 0, _house)
            {
                IsWillOnly = true,
                Gone = now,
                Awaited = first,
                Owner = will.Identity?.User,
            });
            if (session.Will is { } older)
            {
                // It was being published when the process ended.
                _unfinished.Add(new Session(client, 0, _house) { IsWillOnly = true, Will = older });
            }

            session.Will = will with { Due = Math.Max(first, will.Due ?? now + (Math.Min(will.Delay, session.Expiry) * 1_000L)) };
            if (will.Due is null)
            {
                session.Awaited = first;
                lost.Add(session.Will);
            }
        }

        if (lost.Count > 0)
        {
            _ = store.WaitAsync(lost);
        }
    }

    private async Task<OpenedSession?> ContinueAsync(SessionWish wish, Session found)
    {
        // Its client is back: the will that waited is over.
        var wills = new WillTurn(wish.Will, found.Will);
        if (found.IsStored || wills != default)
        {
            // If this is lost in a crash the session lives on from the end of its last connection: nobody waits for it. With a will somebody does.
            var storing = store.ContinueAsync(found.Number, wish.ClientId, wish.Expiry, wills);
            if (wills != default && !await storing)
            {
                if (wish.Will is not null)
                {
                    return null;
                }

                _ = store.ForgetWillAsync(wills.Over!.Number);
            }
        }

        found.Expiry = wish.Expiry;
        return new OpenedSession(found, true);
    }

    private async Task<OpenedSession?> NewAsync(SessionWish wish, Session? before)
    {
        // A will with a delay is due when its session ends. Without one it waits only because the node was away, and its client is back.
        var isDue = before is { IsStored: true, Will: { Due: not null, Delay: > 0 } };
        var wills = new WillTurn(wish.Will, isDue ? null : before?.Will);
        long number = 0;
        if (wish.Expiry > 0)
        {
            number = await store.OpenAsync(wish.ClientId, wish.Expiry, wish.Owner, wills);
            if (number == 0)
            {
                return null;
            }
        }
        else if ((before is { IsStored: true } || wills != default) && !await store.CloseAsync(wish.ClientId, wills))
        {
            return null;
        }

        if (before is not null)
        {
            Leave(before);
        }

        var session = new Session(wish.ClientId, number, _house) { Expiry = wish.Expiry, Owner = wish.Owner };
        _byClient[wish.ClientId] = session;
        return new OpenedSession(session, false, isDue ? before : null);
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
