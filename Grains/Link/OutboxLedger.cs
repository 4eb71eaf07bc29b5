using System.Runtime.InteropServices;
using EdgeOrleans.DbManager;

namespace EdgeOrleans.Link;

/// <summary>Counts in the transaction that does what is counted: gathered in memory, written once a commit.</summary>
internal sealed class OutboxLedger : ICommitParticipant
{
    private readonly Dictionary<(string Class, string Outcome, string Reason), long> _counts = [];
    private readonly Dictionary<string, Size> _sizes;
    private readonly Action _appended;
    private bool _gathered;
    private bool _news;
    private long _total;

    public OutboxLedger(DbSession db, Action appended)
    {
        _appended = appended;
        _sizes = db.Query("SELECT class, bytes FROM outbox_size", static row => (row.GetString(0), row.GetInt64(1)))
            .ToDictionary(static s => s.Item1, static s => new Size { Committed = s.Item2 }, StringComparer.Ordinal);
        _total = _sizes.Values.Sum(static s => s.Committed);
    }

    /// <summary>The bytes that wait, with those of the running transaction.</summary>
    public long TotalBytes => _total;

    public long BytesOf(string type) => _sizes.TryGetValue(type, out var size) ? size.Now : 0;

    public void Count(DbSession db, string type, string outcome, string reason = "", long count = 1)
    {
        CollectionsMarshal.GetValueRefOrAddDefault(_counts, (type, outcome, reason), out _) += count;
        Gathered(db);
    }

    public void Resize(DbSession db, string type, long bytes)
    {
        if (!_sizes.TryGetValue(type, out var size))
        {
            _sizes[type] = size = new Size();
        }

        size.Gathered += bytes;
        _total += bytes;
        Gathered(db);
    }

    /// <summary>Something waits that did not before.</summary>
    public void Appended() => _news = true;

    public static IReadOnlyList<LedgerEntry> Read(DbSession db)
    {
        var entries = new SortedDictionary<string, LedgerEntry>(StringComparer.Ordinal);
        foreach (var (type, outcome, reason, count) in db.Query(
            "SELECT class, outcome, reason, count FROM ledger",
            static row => (row.GetString(0), row.GetString(1), row.GetString(2), row.GetInt64(3))))
        {
            entries[type] = With(entries.GetValueOrDefault(type) ?? new LedgerEntry { Class = type }, outcome, reason, count);
        }

        foreach (var (type, count) in db.Query("SELECT class, count(*) FROM outbox GROUP BY class", static row => (row.GetString(0), row.GetInt64(1))))
        {
            entries[type] = (entries.GetValueOrDefault(type) ?? new LedgerEntry { Class = type }) with { Waiting = count };
        }

        return [.. entries.Values];
    }

    public void Flush(DbSession db)
    {
        if (!_gathered)
        {
            return;
        }

        foreach (var ((type, outcome, reason), count) in _counts)
        {
            db.Execute(
                "INSERT INTO ledger(class, outcome, reason, count) VALUES(?1, ?2, ?3, ?4) ON CONFLICT DO UPDATE SET count=count+excluded.count",
                type, outcome, reason, count);
        }

        foreach (var (type, size) in _sizes)
        {
            if (size.Gathered != 0)
            {
                db.Execute(
                    "INSERT INTO outbox_size(class, bytes) VALUES(?1, ?2) ON CONFLICT DO UPDATE SET bytes=bytes+excluded.bytes", type, size.Gathered);
            }
        }

        // Only now: if a statement above failed, what was gathered is still to be discarded.
        _counts.Clear();
        foreach (var size in _sizes.Values)
        {
            (size.Flushed, size.Gathered) = (size.Flushed + size.Gathered, 0);
        }

        _gathered = false;
    }

    public void Discard()
    {
        _counts.Clear();
        foreach (var size in _sizes.Values)
        {
            _total -= size.Gathered;
            size.Gathered = 0;
        }

        _gathered = false;
    }

    public void Committed()
    {
        foreach (var size in _sizes.Values)
        {
            (size.Committed, size.Flushed) = (size.Committed + size.Flushed, 0);
        }

        if (_news)
        {
            _news = false;
            _appended();
        }
    }

    public void RolledBack()
    {
        Discard();
        foreach (var size in _sizes.Values)
        {
            _total -= size.Flushed;
            size.Flushed = 0;
        }

        _news = false;
    }

    private void Gathered(DbSession db)
    {
        _gathered = true;
        db.MarkChanged();
    }

    private static LedgerEntry With(LedgerEntry entry, string outcome, string reason, long count) => outcome switch
    {
        Outcomes.Accepted => entry with { Accepted = count },
        Outcomes.Delivered => entry with { Delivered = count },
        Outcomes.Superseded => entry with { Superseded = count },
        Outcomes.Expired => entry with { Expired = count },
        Outcomes.Unconfirmed => entry with { Unconfirmed = count },
        _ => entry with { Refused = entry.Refused.SetItem(reason, count) },
    };

    private sealed class Size
    {
        public long Committed;
        public long Flushed;
        public long Gathered;

        public long Now => Committed + Flushed + Gathered;
    }
}

/// <summary>What becomes of an entry.</summary>
internal static class Outcomes
{
    public const string Accepted = "accepted";
    public const string Delivered = "delivered";
    public const string Superseded = "superseded";
    public const string Expired = "expired";
    public const string Refused = "refused";
    public const string Unconfirmed = "unconfirmed";
}
