using System.Collections.Concurrent;
using System.Diagnostics.CodeAnalysis;

namespace EdgeOrleans.Edge.EventBus;

/// <summary>What is known of topics, by their text. Clients choose the topics, so it is bounded by their length: what is too much begins anew.</summary>
internal sealed class TopicCache<T>
    where T : class
{
    // With what hangs on each, some 30 MB at the most; a node with 10,000 devices needs a tenth.
    private const long MostCharacters = 4_000_000;
    private readonly ConcurrentDictionary<string, T> _known = new(StringComparer.Ordinal);
    private long _characters;

    public bool TryGet(string topic, [NotNullWhen(true)] out T? value) => _known.TryGetValue(topic, out value);

    /// <summary>Remembers a value, and gives the one that is remembered.</summary>
    public T Add(string topic, T value)
    {
        if (Interlocked.Add(ref _characters, topic.Length) > MostCharacters)
        {
            Interlocked.Exchange(ref _characters, topic.Length);
            _known.Clear();
        }

        return _known.GetOrAdd(topic, value);
    }
}
