using System.Collections.Concurrent;
using System.Collections.Immutable;

namespace EdgeOrleans.Modules;

/// <summary>How often something was refused since the start, by reason. Reasons are a small fixed set of words such as <c>mqtt.packet-too-large</c>.</summary>
public sealed class Refusals
{
    private readonly ConcurrentDictionary<string, StrongBox> _counts = new(StringComparer.Ordinal);

    /// <summary>One more of a reason.</summary>
    public void Count(string reason) => Interlocked.Increment(ref _counts.GetOrAdd(reason, static _ => new StrongBox()).Value);

    /// <summary>All counts as they are now.</summary>
    public ImmutableSortedDictionary<string, long> Snapshot() =>
        _counts.ToImmutableSortedDictionary(c => c.Key, c => Interlocked.Read(ref c.Value.Value), StringComparer.Ordinal);

    private sealed class StrongBox
    {
        public long Value;
    }
}
