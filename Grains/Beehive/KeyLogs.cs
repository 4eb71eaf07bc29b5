using System.Diagnostics.CodeAnalysis;
using Orleans.Streams;

namespace EdgeOrleans.Beehive;

/// <summary>What was read from the queue and is not delivered yet: one log per address. Only the queue's pump touches it, one turn at a time, hence no locks.</summary>
/// <param name="capacity">How many messages of all addresses it holds.</param>
/// <param name="batch">The most messages of one call.</param>
/// <param name="done">Messages of an address are delivered; the count is given back to its limit.</param>
/// <param name="unread">Messages of an address are gone and nobody has read them.</param>
internal sealed class KeyLogs(int capacity, int batch, Action<StreamId, int> done, Action<StreamId, int> unread) : IQueueCache
{
    private const int MostAtOnce = 256;
    private readonly Dictionary<StreamId, Log> _logs = [];
    private readonly List<StreamId> _withoutReader = [];
    private int _count;

    // Never 0: the pump would leave its loop before it purges, and never come back.
    public int GetMaxAddCount() => Math.Clamp(capacity - _count, 1, MostAtOnce);

    public bool IsUnderPressure() => _count >= capacity;

    public void AddToCache(IList<IBatchContainer> messages)
    {
        for (var i = 0; i < messages.Count; i++)
        {
            var message = (Delivery)messages[i];
            var log = LogOf(message.StreamId);
            log.Items.Add(message);
            _count++;
            if (log.Cursors.Count == 0)
            {
                _withoutReader.Add(message.StreamId);
            }
        }
    }

    // Only what nobody reads waits for this call: the pump makes it before it reads the queue, and then sits in the long poll.
    public bool TryPurgeFromCache([MaybeNullWhen(false)] out IList<IBatchContainer> purgedItems)
    {
        purgedItems = null;
        foreach (var id in _withoutReader)
        {
            if (_logs.TryGetValue(id, out var log))
            {
                Trim(id, log);
            }
        }

        _withoutReader.Clear();
        return false;
    }

    public IQueueCacheCursor GetCacheCursor(StreamId streamId, StreamSequenceToken? token)
    {
        var log = LogOf(streamId);
        var at = 0;
        if (token is null)
        {
            at = Math.Max(0, log.Items.Count - 1);
        }
        else
        {
            while (at < log.Items.Count && log.Items[at].Token.Older(token))
            {
                at++;
            }
        }

        var cursor = new Cursor(this, streamId, log, log.First + at);
        log.Cursors.Add(cursor);
        return cursor;
    }

    private Log LogOf(StreamId id) => _logs.TryGetValue(id, out var log) ? log : _logs[id] = new Log();

    private void Trim(StreamId id, Log log)
    {
        var gone = (int)(log.Held - log.First);
        if (gone > 0)
        {
            log.Items.RemoveRange(0, gone);
            log.First += gone;
            _count -= gone;
            done(id, gone);
            if (log.Cursors.Count == 0)
            {
                unread(id, gone);
            }
        }

        if (log.Items.Count == 0 && log.Cursors.Count == 0)
        {
            _logs.Remove(id);
        }
    }

    private sealed class Log
    {
        public List<Delivery> Items { get; } = [];

        public List<Cursor> Cursors { get; } = [];

        /// <summary>The position of the first item.</summary>
        public long First { get; set; }

        /// <summary>The position of the first item that a reader still needs.</summary>
        public long Held
        {
            get
            {
                var held = First + Items.Count;
                foreach (var cursor in Cursors)
                {
                    held = Math.Min(held, cursor.Holds);
                }

                return held;
            }
        }
    }

    private sealed class Cursor(KeyLogs logs, StreamId id, Log log, long next) : IQueueCacheCursor
    {
        private long _next = next;
        private int _taken;
        private bool _ended = true;
        private Delivery? _current;

        /// <summary>The first message of the batch that is being delivered: the pump hands out all of it before it delivers any.</summary>
        public long Holds { get; private set; } = next;

        public IBatchContainer? GetCurrent(out Exception? exception)
        {
            exception = null;
            return _current;
        }

        public bool MoveNext()
        {
            if (_ended || _taken == logs.Batch)
            {
                // The pump begins a new batch, so it is done with the one before.
                Holds = _next;
                _taken = 0;
                _ended = false;
                logs.Trim(id, log);
            }

            var i = (int)(_next - log.First);
            if (i >= log.Items.Count)
            {
                _current = null;
                _ended = true;
                return false;
            }

            _current = log.Items[i];
            _next++;
            _taken++;
            return true;
        }

        public void Refresh(StreamSequenceToken token)
        {
        }

        public void RecordDeliveryFailure()
        {
        }

        public void Dispose()
        {
            if (log.Cursors.Remove(this))
            {
                logs.Trim(id, log);
            }
        }
    }

    private int Batch { get; } = batch;
}
