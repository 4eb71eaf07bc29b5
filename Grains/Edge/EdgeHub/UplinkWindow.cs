namespace EdgeOrleans.Edge.EdgeHub;

/// <summary>What has left and was not answered yet. A place in the window is one message; who is not answered gives it back after a while and is remembered a while longer.</summary>
internal sealed class UplinkWindow(int size, TimeSpan patience, int remembered, TimeProvider time) : IDisposable
{
    private readonly Lock _gate = new();
    private readonly Dictionary<string, UnderWay> _all = new(StringComparer.Ordinal);
    private readonly HashSet<long> _numbers = [];
    private readonly Queue<string> _late = new();
    private readonly SemaphoreSlim _places = new(size);

    /// <summary>How many messages hold a place.</summary>
    public int Count => size - _places.CurrentCount;

    /// <summary>Whether an entry of the outbox is in a message that holds a place.</summary>
    public bool Has(long number)
    {
        lock (_gate)
        {
            return _numbers.Contains(number);
        }
    }

    /// <summary>Waits for a place and takes it, before the message leaves: no answer comes too early.</summary>
    public async Task TakeAsync(string id, IReadOnlyList<long> numbers, UplinkOutcome outcome, CancellationToken cancellation)
    {
        await _places.WaitAsync(cancellation);
        lock (_gate)
        {
            _all.Add(id, new UnderWay(numbers, outcome, time.GetTimestamp()));
            _numbers.UnionWith(numbers);
        }
    }

    /// <summary>The answer is there, or the message will have none.</summary>
    public UnderWay? Remove(string id)
    {
        lock (_gate)
        {
            if (!_all.Remove(id, out var found))
            {
                return null;
            }

            if (!found.IsLate)
            {
                GiveBack(found);
            }

            return found;
        }
    }

    /// <summary>Gives back the places of who was not answered in time.</summary>
    /// <returns>How many they were.</returns>
    public int Sweep()
    {
        lock (_gate)
        {
            var overdue = _all.Where(e => !e.Value.IsLate && time.GetElapsedTime(e.Value.Since) >= patience).ToList();
            foreach (var (id, entry) in overdue)
            {
                _all[id] = entry with { IsLate = true };
                GiveBack(entry);
                _late.Enqueue(id);
            }

            while (_late.Count > remembered)
            {
                _all.Remove(_late.Dequeue());
            }

            return overdue.Count;
        }
    }

    public void Dispose() => _places.Dispose();

    private void GiveBack(UnderWay entry)
    {
        _numbers.ExceptWith(entry.Numbers);
        _places.Release();
    }

    internal sealed record UnderWay(IReadOnlyList<long> Numbers, UplinkOutcome Outcome, long Since)
    {
        public bool IsLate { get; init; }
    }
}

/// <summary>What an answer means for the entries of a message.</summary>
internal enum UplinkOutcome
{
    /// <summary>The cloud has them.</summary>
    Delivered,

    /// <summary>They have left, and nobody will ever say that they arrived.</summary>
    Unconfirmed,
}
