using System.Collections.Immutable;
using EdgeOrleans.Modules;

namespace EdgeOrleans.Nodes;

/// <summary>The node itself, for those who ask from outside. Key: <see cref="Key"/>.</summary>
[Alias("INodeGrain")]
public interface INodeGrain : IGrainWithStringKey
{
    /// <summary>The key of the one node of an edge cluster.</summary>
    const string Key = "node";

    /// <summary>Name, version and doors.</summary>
    [Alias("GetInfo")]
    Task<NodeInfo> GetInfoAsync();

    /// <summary>All modules of the node's role in start order, those that are off or not built included.</summary>
    [Alias("GetModules")]
    Task<ImmutableArray<ModuleStatus>> GetModulesAsync();

    /// <summary>How often something was refused since the start, by reason.</summary>
    [Alias("GetRefusals")]
    Task<ImmutableSortedDictionary<string, long>> GetRefusalsAsync();
}

/// <summary>Name, version and doors of a node or a cloud.</summary>
[GenerateSerializer, Immutable, Alias("node.info")]
public sealed record NodeInfo
{
    /// <summary>The node's name.</summary>
    [Id(0)]
    public required string Name { get; init; }

    /// <summary>The version of the program.</summary>
    [Id(1)]
    public required string Version { get; init; }

    /// <summary>When it started.</summary>
    [Id(2)]
    public required DateTimeOffset Started { get; init; }

    /// <summary>Where it listens, by what: <c>mqtt</c>, <c>http</c>, <c>console</c>.</summary>
    [Id(3)]
    public ImmutableSortedDictionary<string, string> Doors { get; init; } = ImmutableSortedDictionary<string, string>.Empty;

    /// <summary>Whether this is a cloud and not a node.</summary>
    [Id(4)]
    public bool IsCloud { get; init; }
}
