using System.Collections.Concurrent;
using System.Collections.Immutable;
using System.Reflection;
using EdgeOrleans.Nodes;
using EdgeOrleans.Settings;
using Microsoft.Extensions.Options;

namespace EdgeOrleans.Edge.Node;

/// <summary>Who this node is and where it listens. A door notes its address when it is open and takes it away when it closes.</summary>
public sealed class NodeDescription(IOptions<NodeOptions> options, TimeProvider time)
{
    private readonly ConcurrentDictionary<string, string> _doors = new(StringComparer.Ordinal);
    private readonly DateTimeOffset _started = time.GetUtcNow();

    /// <summary>The version of the program.</summary>
    public static string Version { get; } =
        typeof(NodeDescription).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion.Split('+')[0] ?? "0";

    /// <summary>Notes where a door listens.</summary>
    /// <param name="door">What it is: <c>mqtt</c>, <c>http</c>, <c>console</c>.</param>
    /// <param name="address">Such as <c>tcp://127.0.0.1:1883</c>.</param>
    public void Open(string door, string address) => _doors[door] = address;

    /// <summary>A door is closed.</summary>
    public void Close(string door) => _doors.TryRemove(door, out _);

    /// <summary>All of it, as it is now.</summary>
    public NodeInfo Describe() => new()
    {
        Name = options.Value.Name,
        Version = Version,
        Started = _started,
        Doors = _doors.ToImmutableSortedDictionary(StringComparer.Ordinal),
    };
}
