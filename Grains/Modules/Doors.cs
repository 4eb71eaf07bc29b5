using System.Collections.Immutable;

namespace EdgeOrleans.Modules;

/// <summary>Where this process listens, by what: <c>mqtt</c>, <c>console</c>, <c>http</c>.</summary>
public sealed class Doors
{
    private ImmutableSortedDictionary<string, string> _all = ImmutableSortedDictionary.Create<string, string>(StringComparer.Ordinal);

    /// <summary>All doors that are open.</summary>
    public ImmutableSortedDictionary<string, string> All => _all;

    /// <summary>A door is open at an address.</summary>
    public void Open(string name, string address) => ImmutableInterlocked.Update(ref _all, doors => doors.SetItem(name, address));

    /// <summary>A door is closed.</summary>
    public void Close(string name) => ImmutableInterlocked.Update(ref _all, doors => doors.Remove(name));
}
