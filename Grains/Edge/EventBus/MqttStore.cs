using System.Globalization;
using System.IO.Hashing;
using System.Text;
using EdgeOrleans.DbManager;
using EdgeOrleans.Link;
using Microsoft.Extensions.Logging;

namespace EdgeOrleans.Edge.EventBus;

/// <summary>A session as the disk has it.</summary>
internal sealed record StoredSession(long Number, string Client, uint Expiry, long? Gone, string? Owner);

/// <summary>A subscription as the disk has it.</summary>
internal sealed record StoredSubscription(long Session, string Filter, int Options, uint Identifier);

/// <summary>A delivery as the disk has it.</summary>
internal sealed record StoredDelivery(
    long Session, long Place, long Message, int Id, int Qos, bool Retain, bool IsReleased, uint[] Identifiers);

/// <summary>Everything that the disk has.</summary>
internal sealed record StoredBroker(
    List<StoredSession> Sessions,
    List<StoredSubscription> Subscriptions,
    Dictionary<long, MqttMessage> Messages,
    List<StoredDelivery> Deliveries,
    List<(long Session, ushort Packet)> Received,
    List<long> Retained,
    List<StoredWill> Wills)
{
    public bool IsEmpty => Sessions.Count == 0 && Messages.Count == 0;
}

/// <summary>Rows that are not what was written, by their numbers.</summary>
internal sealed record DamagedRows(List<long> Messages, List<long> Wills)
{
    public int Count => Messages.Count + Wills.Count;
}

/// <summary>
/// Sessions, what waits for them and retained messages, as rows. What somebody is promised is on disk when the task ends; what was
/// acknowledged is taken away a little later, many rows at once.
/// </summary>
internal sealed partial class MqttStore(Database database, Outbox outbox, RetainedMessages retained, TimeProvider time, ILogger<MqttStore> logger)
{
    private const int MostAtOnce = 512;
    private static readonly TimeSpan Lag = TimeSpan.FromMilliseconds(200);

    private const string InsertMessage = """
        INSERT OR IGNORE INTO mqtt_message(number, topic, payload, properties, qos, retain, created, expires, checksum)
        VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)
        """;

    private const string InsertDelivery = """
        INSERT OR REPLACE INTO mqtt_delivery(session, place, message, packet, qos, retain, released, identifiers)
        VALUES(?1, ?2, ?3, ?4, ?5, ?6, 0, ?7)
        """;

    private const string InsertReceived = """
        INSERT OR IGNORE INTO mqtt_received(session, packet) SELECT ?1, ?2 WHERE EXISTS (SELECT 1 FROM mqtt_session WHERE number=?1)
        """;

    private const string DeleteUnused = """
        DELETE FROM mqtt_message WHERE number=?1
        AND NOT EXISTS (SELECT 1 FROM mqtt_delivery WHERE message=?1) AND NOT EXISTS (SELECT 1 FROM mqtt_retained WHERE message=?1)
        """;

    private readonly ILogger _logger = logger;
    private readonly Lock _gate = new();
    private Leftover _left = new();
    private ITimer? _later;
    private bool _waits;
    private Task<bool> _flushing = Task.FromResult(true);
    private long _lastMessage;
    private long _lastWill;
    private bool _isLoaded;

    /// <summary>Reads everything; what belongs to nothing is removed.</summary>
    public async Task<StoredBroker> LoadAsync()
    {
        var (stored, damaged) = await database.ReadAsync(Read);
        _lastMessage = stored.Messages.Count == 0 ? 0 : stored.Messages.Keys.Max();
        _lastMessage = Math.Max(_lastMessage, damaged.Messages.DefaultIfEmpty().Max());
        _lastWill = stored.Wills.Select(static one => one.Will.Number).Concat(damaged.Wills).DefaultIfEmpty().Max();
        if (!stored.IsEmpty || damaged.Count > 0)
        {
            await RunAsync(db => Clean(db, damaged));
        }

        if (damaged.Count > 0)
        {
            LogDamaged(damaged.Count);
        }

        _isLoaded = true;
        return stored;
    }

    /// <summary>A number for a last will.</summary>
    public long NextWill() => Interlocked.Increment(ref _lastWill);

    /// <summary>Makes a session, in place of the one that its client had.</summary>
    /// <returns>Its number; 0 when the disk takes nothing.</returns>
    public async Task<long> OpenAsync(string client, uint expiry, string? owner, WillTurn wills)
    {
        long number = 0;
        return await RunAsync(db =>
        {
            Delete(db, client);
            db.Execute("INSERT INTO mqtt_session(client, expiry, gone, owner) VALUES(?1, ?2, NULL, ?3)", client, (long)expiry, owner);
            number = db.LastRowId;
            Write(db, client, wills);
        }) ? number : 0;
    }

    /// <summary>Notes that a session has a connection again.</summary>
    public Task<bool> ContinueAsync(long session, string client, uint expiry, WillTurn wills) => RunAsync(db =>
    {
        db.Execute("UPDATE mqtt_session SET expiry=?2, gone=NULL WHERE number=?1", session, (long)expiry);
        Write(db, client, wills);
    });

    /// <summary>Removes the session of a client with all that waits for it; its connection has a session without a stay.</summary>
    public Task<bool> CloseAsync(string client, WillTurn wills) => RunAsync(db =>
    {
        Delete(db, client);
        Write(db, client, wills);
    });

    /// <summary>Removes a session by its number: its client may have another by now.</summary>
    public Task<bool> EndAsync(long session) => RunAsync(db => Delete(db, session));

    /// <summary>Notes that a session has no connection any more, and how long it lives without one.</summary>
    public Task<bool> TouchAsync(long session, uint expiry, long gone) =>
        RunAsync(db => db.Execute("UPDATE mqtt_session SET expiry=?2, gone=?3 WHERE number=?1", session, (long)expiry, gone));

    /// <summary>Clients are lost, and their wills are due later.</summary>
    public Task<bool> WaitAsync(IReadOnlyList<LastWill> wills) => RunAsync(db =>
    {
        foreach (var will in wills)
        {
            WillRows.Due(db, will.Number, will.Due!.Value);
        }
    });

    /// <summary>A last will is published, or nobody wants it any more. What the disk does not take now is removed later.</summary>
    public async Task ForgetWillAsync(long number)
    {
        if (await RunAsync(db => WillRows.Delete(db, number)))
        {
            return;
        }

        lock (_gate)
        {
            _left.Wills.Add(number);
        }
    }

    /// <summary>Keeps subscriptions of a session.</summary>
    public Task<bool> SubscribeAsync(long session, IReadOnlyList<Subscription> subscriptions) => RunAsync(db =>
    {
        foreach (var subscription in subscriptions)
        {
            db.Execute(
                "INSERT OR REPLACE INTO mqtt_subscription(session, filter, options, identifier) VALUES(?1, ?2, ?3, ?4)",
                session, subscription.Filter, subscription.Options, (long)subscription.Identifier);
        }
    });

    /// <summary>Removes subscriptions of a session.</summary>
    public Task<bool> UnsubscribeAsync(long session, IReadOnlyList<string> filters) => RunAsync(db =>
    {
        foreach (var filter in filters)
        {
            db.Execute("DELETE FROM mqtt_subscription WHERE session=?1 AND filter=?2", session, filter);
        }
    });

    /// <summary>Makes what a publish changes, in one commit.</summary>
    public Task<bool> CommitAsync(MqttChange change)
    {
        Number(change.Message);
        return RunAsync(db =>
        {
            if (change.Deliveries.Count > 0)
            {
                Insert(db, change.Message);
            }

            foreach (var delivery in change.Deliveries)
            {
                db.Execute(
                    InsertDelivery,
                    delivery.Session.Number,
                    delivery.Place,
                    change.Message.Number,
                    (int)delivery.Id,
                    delivery.Qos,
                    delivery.Retain,
                    string.Join(' ', delivery.Identifiers));
            }

            if (change.Retains)
            {
                // Two that publish at once may come here the other way round: what is kept is what is retained now.
                var now = retained.Find(change.Message.Topic);
                Number(now);
                Retain(db, change.Message.Topic, now);
            }

            if (change.Will != 0)
            {
                WillRows.Delete(db, change.Will);
            }

            if (change.Upload is { } upload)
            {
                upload.IsRefused = !outbox.Append(db, upload.Entry);
            }

            if (change.Received is { } received && change.Upload is not { IsRefused: true, IsHeard: true })
            {
                Received(db, received.Session.Number, received.Id);
            }
        });
    }

    /// <summary>QoS 2: the client has it.</summary>
    public Task<bool> ReleasedAsync(Delivery delivery) => RunAsync(db =>
        db.Execute("UPDATE mqtt_delivery SET released=1 WHERE session=?1 AND place=?2", delivery.Session.Number, delivery.Place));

    /// <summary>A QoS 2 message of the client was carried out.</summary>
    public Task<bool> ReceivedAsync(long session, ushort id) => RunAsync(db => Received(db, session, id));

    /// <summary>Notes, inside an operation, that a QoS 2 message of the client was carried out. A session that has ended meanwhile gets nothing.</summary>
    public static void Received(DbSession db, long session, ushort id) => db.Execute(InsertReceived, session, (int)id);

    /// <summary>The client has released a QoS 2 message of its own.</summary>
    public Task<bool> ForgetReceivedAsync(long session, ushort id) => RunAsync(db =>
        db.Execute("DELETE FROM mqtt_received WHERE session=?1 AND packet=?2", session, (int)id));

    /// <summary>A delivery is over. Its row goes a little later.</summary>
    public void Forget(Delivery delivery)
    {
        lock (_gate)
        {
            _left.Acknowledged.Add((delivery.Session.Number, delivery.Place, delivery.Message.Number));
            Later(_left.Acknowledged.Count);
        }
    }

    /// <summary>A message is not the retained one of its topic any more.</summary>
    public void Replaced(MqttMessage message)
    {
        if (message.Number != 0)
        {
            lock (_gate)
            {
                _left.Unused.Add(message.Number);
                Later(_left.Unused.Count);
            }
        }
    }

    /// <summary>What is retained on a topic has changed and nobody was promised that it is kept: it is written a little later, the newest only.</summary>
    public void RetainLater(string topic)
    {
        lock (_gate)
        {
            _left.Topics.Add(topic);
            Later(_left.Topics.Count);
        }
    }

    /// <summary>Writes what waits to be written.</summary>
    /// <returns>Whether the disk took it; otherwise it is tried again later.</returns>
    public Task<bool> FlushAsync()
    {
        lock (_gate)
        {
            _waits = false;
            if (_left.IsEmpty)
            {
                return _flushing;
            }

            var left = _left;
            _left = new Leftover();
            return _flushing = FlushAsync(left);
        }
    }

    /// <summary>Tries again what the disk did not take.</summary>
    public void Retry()
    {
        lock (_gate)
        {
            if (!_left.IsEmpty)
            {
                Later(0);
            }
        }
    }

    /// <summary>Writes what is left, for an end in order: who was connected until now is not lost.</summary>
    public async Task StopAsync()
    {
        await FlushAsync();
        if (_isLoaded)
        {
            await RunAsync(WillRows.DeleteOfConnected);
        }

        lock (_gate)
        {
            _later?.Dispose();
            _later = null;
        }
    }

    private async Task<bool> FlushAsync(Leftover left)
    {
        List<MqttMessage?> now = [.. left.Topics.Select(retained.Find)];
        now.ForEach(message => Number(message));
        var isDone = await RunAsync(db =>
        {
            foreach (var (session, place, _) in left.Acknowledged)
            {
                db.Execute("DELETE FROM mqtt_delivery WHERE session=?1 AND place=?2", session, place);
            }

            foreach (var (topic, message) in left.Topics.Zip(now))
            {
                Retain(db, topic, message);
            }

            left.Wills.ForEach(number => WillRows.Delete(db, number));
            foreach (var number in left.Acknowledged.Select(static row => row.Message).Concat(left.Unused).Distinct())
            {
                db.Execute(DeleteUnused, number);
            }
        });

        if (!isDone)
        {
            // The disk takes nothing at this time: it is tried again with the next that comes.
            lock (_gate)
            {
                _left.Add(left);
            }
        }

        return isDone;
    }

    private void Later(int waiting)
    {
        if (!_waits || waiting == MostAtOnce)
        {
            _waits = true;
            _later ??= time.CreateTimer(static self => _ = ((MqttStore)self!).FlushAsync(), this, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
            _later.Change(waiting == MostAtOnce ? TimeSpan.Zero : Lag, Timeout.InfiniteTimeSpan);
        }
    }

    private void Number(MqttMessage? message)
    {
        if (message is { Number: 0 })
        {
            message.Numbered(Interlocked.Increment(ref _lastMessage));
        }
    }

    private async Task<bool> RunAsync(Action<DbSession> work)
    {
        try
        {
            await database.RunAsync(work);
            return true;
        }
        catch (Exception e) when (e is DatabaseFailedException or ObjectDisposedException or SqlException)
        {
            LogNotStored(e);
            return false;
        }
    }

    private static void Insert(DbSession db, MqttMessage message) => db.Execute(
        InsertMessage,
        message.Number,
        message.Topic,
        message.Payload,
        message.Properties,
        message.Qos,
        message.Retain,
        message.Created,
        message.Expires,
        Checksum(message));

    private static void Write(DbSession db, string client, WillTurn wills)
    {
        if (wills.Over is { } over)
        {
            WillRows.Delete(db, over.Number);
        }

        if (wills.New is { } will)
        {
            WillRows.Insert(db, client, will);
        }
    }

    private static void Retain(DbSession db, string topic, MqttMessage? message)
    {
        if (message is null)
        {
            db.Execute("DELETE FROM mqtt_retained WHERE topic=?1", topic);
            return;
        }

        Insert(db, message);
        db.Execute("INSERT OR REPLACE INTO mqtt_retained(topic, message) VALUES(?1, ?2)", topic, message.Number);
    }

    private static void Delete(DbSession db, string client)
    {
        foreach (var number in db.Query("SELECT number FROM mqtt_session WHERE client=?1", static row => row.GetInt64(0), client))
        {
            Delete(db, number);
        }
    }

    private static void Delete(DbSession db, long number)
    {
        db.Execute("DELETE FROM mqtt_subscription WHERE session=?1", number);
        db.Execute("DELETE FROM mqtt_received WHERE session=?1", number);
        var messages = db.Query("DELETE FROM mqtt_delivery WHERE session=?1 RETURNING message", static row => row.GetInt64(0), number);
        messages.ForEach(message => db.Execute(DeleteUnused, message));
        db.Execute("DELETE FROM mqtt_session WHERE number=?1", number);
    }

    private static (StoredBroker Stored, DamagedRows Damaged) Read(DbSession db)
    {
        var (wills, damagedWills) = WillRows.Read(db);
        var damaged = new List<long>();
        var messages = new Dictionary<long, MqttMessage>();
        foreach (var (message, isDamaged) in db.Query("SELECT number, topic, payload, properties, qos, retain, created, expires, checksum FROM mqtt_message", Message))
        {
            if (isDamaged)
            {
                damaged.Add(message.Number);
            }
            else
            {
                messages[message.Number] = message;
            }
        }

        var stored = new StoredBroker(
            db.Query(
                "SELECT number, client, expiry, gone, owner FROM mqtt_session",
                static row => new StoredSession(row.GetInt64(0), row.GetString(1), (uint)row.GetInt64(2), row.IsNull(3) ? null : row.GetInt64(3), row.GetStringOrNull(4))),
            db.Query(
                "SELECT session, filter, options, identifier FROM mqtt_subscription",
                static row => new StoredSubscription(row.GetInt64(0), row.GetString(1), (int)row.GetInt64(2), (uint)row.GetInt64(3))),
            messages,
            db.Query(
                "SELECT session, place, message, packet, qos, retain, released, identifiers FROM mqtt_delivery ORDER BY session, place",
                static row => new StoredDelivery(
                    row.GetInt64(0),
                    row.GetInt64(1),
                    row.GetInt64(2),
                    (int)row.GetInt64(3),
                    (int)row.GetInt64(4),
                    row.GetInt64(5) != 0,
                    row.GetInt64(6) != 0,
                    Identifiers(row.GetString(7)))),
            db.Query("SELECT session, packet FROM mqtt_received", static row => (row.GetInt64(0), (ushort)row.GetInt64(1))),
            db.Query("SELECT message FROM mqtt_retained", static row => row.GetInt64(0)),
            wills);
        return (stored, new DamagedRows(damaged, damagedWills));
    }

    private static (MqttMessage Message, bool IsDamaged) Message(DbRow row)
    {
        var topic = row.GetString(1);
        var message = new MqttMessage
        {
            Topic = topic,
            TopicUtf8 = Encoding.UTF8.GetBytes(topic),
            Payload = row.GetBytes(2),
            Properties = row.GetBytes(3),
            Qos = (int)row.GetInt64(4),
            Retain = row.GetInt64(5) != 0,
            Created = row.GetInt64(6),
            Expires = row.GetInt64(7),
        };
        message.Numbered(row.GetInt64(0));
        return (message, Checksum(message) != row.GetInt64(8));
    }

    private void Clean(DbSession db, DamagedRows damaged)
    {
        var now = time.GetUtcNow().ToString("O", CultureInfo.InvariantCulture);
        damaged.Messages.ForEach(number => SetAside(db, "mqtt_message", number, now));
        damaged.Wills.ForEach(number => SetAside(db, "mqtt_will", number, now));
        db.Execute("DELETE FROM mqtt_subscription WHERE session NOT IN (SELECT number FROM mqtt_session)");
        db.Execute("DELETE FROM mqtt_received WHERE session NOT IN (SELECT number FROM mqtt_session)");
        db.Execute("""
            DELETE FROM mqtt_delivery WHERE session NOT IN (SELECT number FROM mqtt_session) OR message NOT IN (SELECT number FROM mqtt_message)
            """);
        db.Execute("DELETE FROM mqtt_retained WHERE message NOT IN (SELECT number FROM mqtt_message)");
        db.Execute("""
            DELETE FROM mqtt_message WHERE NOT EXISTS (SELECT 1 FROM mqtt_delivery WHERE message=number)
            AND NOT EXISTS (SELECT 1 FROM mqtt_retained WHERE message=number)
            """);
    }

    private static void SetAside(DbSession db, string table, long number, string now)
    {
        db.Execute(
            $"""
            INSERT INTO damaged_row(origin, id, at, why, payload)
            SELECT '{table}', number || ' ' || topic, ?2, 'its checksum does not match', payload FROM {table} WHERE number=?1
            """,
            number, now);
        db.Execute($"DELETE FROM {table} WHERE number=?1", number);
    }

    private static uint[] Identifiers(string text) => text.Length == 0
        ? []
        : [.. text.Split(' ').Select(static number => uint.Parse(number, CultureInfo.InvariantCulture))];

    /// <summary>What shows that a message is what was written.</summary>
    internal static long Checksum(MqttMessage message)
    {
        var hash = new XxHash3();
        hash.Append(message.TopicUtf8);
        hash.Append(message.Payload.Span);
        hash.Append(message.Properties);
        return unchecked((long)hash.GetCurrentHashAsUInt64());
    }

    /// <summary>What is written a little later, or again because the disk did not take it.</summary>
    private sealed class Leftover
    {
        /// <summary>Deliveries that are over.</summary>
        public List<(long Session, long Place, long Message)> Acknowledged { get; } = [];

        /// <summary>Messages that may be of no use any more.</summary>
        public List<long> Unused { get; } = [];

        /// <summary>Topics on which something else is retained.</summary>
        public HashSet<string> Topics { get; } = new(StringComparer.Ordinal);

        /// <summary>Last wills that are over.</summary>
        public List<long> Wills { get; } = [];

        public bool IsEmpty => Acknowledged.Count + Unused.Count + Topics.Count + Wills.Count == 0;

        public void Add(Leftover other)
        {
            Acknowledged.AddRange(other.Acknowledged);
            Unused.AddRange(other.Unused);
            Topics.UnionWith(other.Topics);
            Wills.AddRange(other.Wills);
        }
    }

    [LoggerMessage(LogLevel.Debug, "An MQTT session, its messages or a retained message could not be stored")]
    private partial void LogNotStored(Exception exception);

    [LoggerMessage(LogLevel.Error, "{Count} stored MQTT messages are damaged; they were moved to the table damaged_row and will not be sent")]
    private partial void LogDamaged(int count);
}
