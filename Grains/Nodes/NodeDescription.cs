using System.Reflection;
using EdgeOrleans.Modules;
using EdgeOrleans.Settings;
using Microsoft.Extensions.Options;

namespace EdgeOrleans.Nodes;

/// <summary>Who this process is and where it listens.</summary>
public sealed class NodeDescription(IOptions<NodeOptions> options, Doors doors, NodeKind kind, TimeProvider time)
{
    private readonly DateTimeOffset _started = time.GetUtcNow();

    /// <summary>The version of the program.</summary>
    public static string Version { get; } =
        typeof(NodeDescription).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion.Split('+')[0] ?? "0";

    /// <summary>All of it, as it is now.</summary>
    public NodeInfo Describe() => new()
    {
        Name = options.Value.Name,
        Version = Version,
        Started = _started,
        Doors = doors.All,
        IsCloud = kind.IsCloud,
    };
}

/// <summary>What this process is.</summary>
public sealed record NodeKind(bool IsCloud);
