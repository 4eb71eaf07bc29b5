using System.Collections.Concurrent;
using System.Collections.Immutable;
using System.Globalization;
using System.IO.Hashing;
using System.Threading.Channels;
using EdgeOrleans.DbManager;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace EdgeOrleans.Link;

/// <summary>What is to go up, numbered and on disk from the moment it is accepted until the other end has confirmed it.</summary>
/// <remarks>An entry is written in the operation of the state that it belongs to. Appending never throws for what the sender did: it refuses and counts.</remarks>
public sealed partial class Outbox
{
    /// <summary>The reason of what came over the cap.</summary>
    public const string OverCap = "over-cap";

    /// <summary>The reason of a row whose checksum did not match.</summary>
    public const string Damaged = "damaged";

    private const string SelectWaiting = "SELECT seq, content, bytes, checksum FROM outbox WHERE peer=?1 AND class=?2 AND key=?3";
    private const string DeleteWaiting = "DELETE FROM outbox WHERE seq=?1";
    private const string Insert = """
        INSERT INTO outbox(class, key, source, msg_group, operation, resource, content, is_text, bytes, created, checksum, peer)
        VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)
        """;

    private readonly Database _database;
    private readonly OutboxOptions _options;
    private readonly TimeProvider _time;
    private readonly ILogger<Outbox> _logger;
    private readonly OutboxLedger _ledger;
    private readonly Channel<bool> _appended = Channel.CreateBounded<bool>(new BoundedChannelOptions(1) { FullMode = BoundedChannelFullMode.DropWrite });
    private readonly ConcurrentDictionary<string, long> _noCloud = new(StringComparer.Ordinal);

    public Outbox(Database database, IOptions<OutboxOptions> options, TimeProvider time, ILogger<Outbox> logger)
    {
        (_database, _options, _time, _logger) = (database, options.Value, time, logger);
        _ledger = database.Read(db => new OutboxLedger(db, () => _appended.Writer.TryWrite(true)));
        database.Join(_ledger);
    }

    /// <summary>Whether entries are kept. When not, <see cref="Append"/> only counts; who has work to make an entry can ask before.</summary>
    public bool Enabled => _options.Enabled;

    /// <summary>What was said while there was no cloud, by class, since the start.</summary>
    public ImmutableSortedDictionary<string, long> NoCloud => _noCloud.ToImmutableSortedDictionary(StringComparer.Ordinal);

    /// <summary>Counts what would have been said if there was a cloud.</summary>
    public void CountNoCloud(string type, long count = 1) => _noCloud.AddOrUpdate(type, static (_, more) => more, static (_, before, more) => before + more, count);

    /// <summary>Accepts an entry inside an operation: it is there when the operation is.</summary>
    /// <returns>Whether it waits now. False: it was refused over the cap and counted, or there is no cloud.</returns>
    public bool Append(DbSession db, OutboxEntry entry)
    {
        if (!_options.Enabled)
        {
            CountNoCloud(entry.Class);
            return false;
        }

        _ledger.Count(db, entry.Class, Outcomes.Accepted);
        var waiting = Waiting(db, ref entry);
        var growth = entry.Bytes - waiting.Bytes;
        if (growth > 0 && !HasRoom(entry.Class, growth))
        {
            _ledger.Count(db, entry.Class, Outcomes.Refused, OverCap);
            return false;
        }

        if (waiting.Seq != 0)
        {
            db.Execute(DeleteWaiting, waiting.Seq);
            _ledger.Count(db, entry.Class, Outcomes.Superseded);
        }

        InsertRow(db, entry);
        _ledger.Resize(db, entry.Class, growth);
        _ledger.Appended();
        return true;
    }

    /// <summary>Ends, inside an operation, what waits of a class and key: the state that the operation writes says what became of it.</summary>
    /// <param name="db">The operation's session.</param>
    /// <param name="peer">For whom it waits.</param>
    /// <param name="type">Its class.</param>
    /// <param name="key">Its key.</param>
    /// <param name="reason">Null: it was delivered. Otherwise it is refused for this reason.</param>
    /// <returns>Whether anything waited.</returns>
    public bool EndWaiting(DbSession db, string peer, string type, string key, string? reason = null)
    {
        long seq;
        using (var select = db.Prepare(SelectWaiting).BindText(1, peer).BindText(2, type).BindText(3, key))
        {
            seq = select.Step() ? select.Row.GetInt64(0) : 0;
        }

        return seq != 0 && End(db, seq, reason is null ? Outcomes.Delivered : Outcomes.Refused, reason ?? "") == 1;
    }

    /// <summary>The entries for one peer that wait behind a number, in order.</summary>
    /// <param name="after">The last number that is known; 0 for all.</param>
    /// <param name="maxRows">How many at most.</param>
    /// <param name="maxBytes">How large together; the first one comes whatever its size.</param>
    /// <param name="peer">For whom they wait. Default: the one other end that a node has.</param>
    public async Task<IReadOnlyList<OutboxRow>> ReadAsync(long after, int maxRows = 256, long maxBytes = 1024 * 1024, string peer = "")
    {
        var (rows, damaged) = await _database.ReadAsync(db => Read(db, peer, after, maxRows, maxBytes));
        if (damaged.Count > 0)
        {
            LogRowsDamaged(damaged.Count);
            await _database.RunAsync(db => SetAside(db, damaged));
        }

        return rows;
    }

    /// <summary>The other end has these. What was replaced in the meantime has another number and waits on.</summary>
    /// <returns>How many of them were still waiting.</returns>
    public Task<int> DeliveredAsync(IReadOnlyList<long> numbers) => EndAsync(numbers, Outcomes.Delivered, "");

    /// <summary>These have left, and nobody will ever say that they arrived: their dialect cannot. They are not counted as delivered.</summary>
    /// <returns>How many of them were still waiting.</returns>
    public Task<int> UnconfirmedAsync(IReadOnlyList<long> numbers) => EndAsync(numbers, Outcomes.Unconfirmed, "");

    /// <summary>The other end does not want these, and why, in a word such as <c>not-authorized</c>.</summary>
    /// <returns>How many of them were still waiting.</returns>
    public Task<int> RefusedAsync(IReadOnlyList<long> numbers, string reason) => EndAsync(numbers, Outcomes.Refused, reason);

    /// <summary>Removes what of a class was said before a time.</summary>
    /// <returns>How many there were.</returns>
    public Task<int> ExpireAsync(string type, DateTimeOffset before) => _database.RunAsync(db =>
    {
        var gone = db.Query(
            "DELETE FROM outbox WHERE class=?1 AND created<?2 RETURNING bytes", static row => row.GetInt64(0), type, before.ToUnixTimeMilliseconds());
        if (gone.Count > 0)
        {
            _ledger.Count(db, type, Outcomes.Expired, count: gone.Count);
            _ledger.Resize(db, type, -gone.Sum());
        }

        return gone.Count;
    });

    /// <summary>What became of everything, by class, as the last commit left it.</summary>
    public Task<IReadOnlyList<LedgerEntry>> LedgerAsync() => _database.ReadAsync(OutboxLedger.Read);

    /// <summary>Ends when something was appended and committed since the last call ended; for one reader. Many appends are one signal.</summary>
    public Task WaitAsync(CancellationToken cancellation = default) => _appended.Reader.ReadAsync(cancellation).AsTask();

    /// <summary>Entries as the messages that carry them. Neighbouring reports of one twin become one message.</summary>
    public IReadOnlyList<OutboxMessage> ToMessages(IReadOnlyList<OutboxRow> rows)
    {
        var messages = new List<OutboxMessage>();
        for (var first = 0; first < rows.Count;)
        {
            var end = first + 1;
            while (end < rows.Count && SameTwin(rows[first].Entry, rows[end].Entry))
            {
                end++;
            }

            messages.Add(OutboxMessages.Compose(rows, first, end, _time.GetUtcNow().ToUnixTimeMilliseconds()));
            first = end;
        }

        return messages;
    }

    private static bool SameTwin(OutboxEntry a, OutboxEntry b) =>
        a.Class == OutboxClasses.Twin && b.Class == OutboxClasses.Twin && string.Equals(a.Resource, b.Resource, StringComparison.Ordinal);

    private bool HasRoom(string type, long growth) =>
        _ledger.TotalBytes + growth <= _options.MaxBytes
        && (type != OutboxClasses.Telemetry || _ledger.BytesOf(type) + growth <= _options.MaxBytes * _options.TelemetryShare);

    private (long Seq, long Bytes) Waiting(DbSession db, ref OutboxEntry entry)
    {
        if (entry.Key is null || Find(db, ref entry) is not { Seq: not 0 } waiting)
        {
            return default;
        }

        if (!waiting.IsDamaged)
        {
            return (waiting.Seq, waiting.Bytes);
        }

        LogRowsDamaged(1);
        SetAside(db, [waiting.Seq]);
        return default;
    }

    // The new entry goes in alone when what it would lie over is damaged.
    private static (long Seq, long Bytes, bool IsDamaged) Find(DbSession db, ref OutboxEntry entry)
    {
        using var select = db.Prepare(SelectWaiting).BindText(1, entry.Peer).BindText(2, entry.Class).BindText(3, entry.Key);
        if (!select.Step())
        {
            return default;
        }

        var row = select.Row;
        var content = row.GetSpan(1);
        var isDamaged = Checksum(content) != row.GetInt64(3);
        if (entry.Class == OutboxClasses.Twin && !isDamaged)
        {
            entry = entry with { Content = OutboxMerge.Overlay(content, entry.Content) };
        }

        return (row.GetInt64(0), row.GetInt64(2), isDamaged);
    }

    private static void InsertRow(DbSession db, OutboxEntry entry)
    {
        using var insert = db.Prepare(Insert);
        insert.BindText(1, entry.Class).BindText(2, entry.Key).BindText(3, entry.Source).BindText(4, entry.Group)
            .BindText(5, entry.Operation).BindText(6, entry.Resource).Bind(7, entry.Content.Span).Bind(8, entry.IsText ? 1 : 0)
            .Bind(9, entry.Bytes).Bind(10, entry.Created).Bind(11, Checksum(entry.Content.Span)).BindText(12, entry.Peer).Run();
    }

    private static (List<OutboxRow> Rows, List<long> Damaged) Read(DbSession db, string peer, long after, int maxRows, long maxBytes)
    {
        var (rows, damaged, bytes) = (new List<OutboxRow>(), new List<long>(), 0L);
        using var select = db.Prepare(
            "SELECT seq, class, key, source, msg_group, operation, resource, content, is_text, created, checksum, bytes, peer FROM outbox WHERE peer=?1 AND seq>?2 ORDER BY seq");
        select.BindText(1, peer).Bind(2, after);
        while (rows.Count < maxRows && select.Step())
        {
            var row = select.Row;
            if (Checksum(row.GetSpan(7)) != row.GetInt64(10))
            {
                damaged.Add(row.GetInt64(0));
                continue;
            }

            bytes += row.GetInt64(11);
            if (rows.Count > 0 && bytes > maxBytes)
            {
                break;
            }

            rows.Add(new OutboxRow(row.GetInt64(0), EntryOf(row)));
        }

        return (rows, damaged);
    }

    private static OutboxEntry EntryOf(DbRow row) => new()
    {
        Class = row.GetString(1),
        Key = row.GetStringOrNull(2),
        Source = row.GetString(3),
        Group = row.GetString(4),
        Operation = row.GetString(5),
        Resource = row.GetString(6),
        Content = row.GetBytes(7),
        IsText = row.GetInt64(8) != 0,
        Created = row.GetInt64(9),
        Peer = row.GetString(12),
    };

    private void SetAside(DbSession db, List<long> numbers)
    {
        var now = _time.GetUtcNow().ToString("O", CultureInfo.InvariantCulture);
        foreach (var seq in numbers)
        {
            db.Execute(
                """
                INSERT INTO damaged_row(origin, id, at, why, payload)
                SELECT 'outbox', seq || ' ' || class || ' ' || resource, ?2, 'its checksum does not match', content FROM outbox WHERE seq=?1
                """,
                seq, now);
            End(db, seq, Outcomes.Refused, Damaged);
        }
    }

    private Task<int> EndAsync(IReadOnlyList<long> numbers, string outcome, string reason) => _database.RunAsync(db =>
    {
        var ended = 0;
        foreach (var seq in numbers)
        {
            ended += End(db, seq, outcome, reason);
        }

        return ended;
    });

    private int End(DbSession db, long seq, string outcome, string reason)
    {
        string type;
        long bytes;
        using (var delete = db.Prepare("DELETE FROM outbox WHERE seq=?1 RETURNING class, bytes").Bind(1, seq))
        {
            if (!delete.Step())
            {
                return 0;
            }

            (type, bytes) = (delete.Row.GetString(0), delete.Row.GetInt64(1));
            delete.Run();
        }

        _ledger.Count(db, type, outcome, reason);
        _ledger.Resize(db, type, -bytes);
        return 1;
    }

    private static long Checksum(ReadOnlySpan<byte> content) => unchecked((long)XxHash3.HashToUInt64(content));

    [LoggerMessage(LogLevel.Error, "{Count} waiting entries of the outbox are damaged; they were moved to the table damaged_row and will not be sent")]
    private partial void LogRowsDamaged(int count);
}

public static class OutboxRegistration
{
    /// <summary>Puts the outbox into a silo; it stands on the database.</summary>
    public static ISiloBuilder AddOutbox(this ISiloBuilder silo)
    {
        Settings.SettingsRegistration.AddSettings<OutboxOptions>(silo.Services, "outbox");
        silo.Services.AddSingleton<Outbox>();
        return silo;
    }
}
