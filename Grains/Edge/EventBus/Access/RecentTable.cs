using System.Diagnostics.CodeAnalysis;

namespace EdgeOrleans.Edge.EventBus.Access;

/// <summary>What happened lately, by whom: bounded in number and age, the oldest out first. Used by one thread at a time.</summary>
/// <param name="most">How many entries there may be.</param>
/// <param name="age">How long after its last change one is forgotten.</param>
internal sealed class RecentTable<TKey, TValue>(int most, TimeSpan age)
    where TKey : notnull
{
    private readonly Dictionary<TKey, LinkedListNode<Entry>> _entries = [];
    private readonly LinkedList<Entry> _byAge = [];

    public int Count => _entries.Count;

    public bool TryGet(TKey key, [MaybeNullWhen(false)] out TValue value)
    {
        value = _entries.TryGetValue(key, out var node) ? node.Value.Value : default;
        return node is not null;
    }

    /// <summary>Writes an entry, which is the newest now.</summary>
    public void Set(TKey key, TValue value, DateTimeOffset now)
    {
        Remove(key);
        _entries[key] = _byAge.AddLast(new Entry(key, value, now));
        if (_entries.Count > most)
        {
            Remove(_byAge.First!.Value.Key);
        }
    }

    public void Remove(TKey key)
    {
        if (_entries.Remove(key, out var node))
        {
            _byAge.Remove(node);
        }
    }

    /// <summary>Forgets what is too old.</summary>
    public void Forget(DateTimeOffset now)
    {
        while (_byAge.First is { } oldest && now - oldest.Value.Changed >= age)
        {
            Remove(oldest.Value.Key);
        }
    }

    private readonly record struct Entry(TKey Key, TValue Value, DateTimeOffset Changed);
}
