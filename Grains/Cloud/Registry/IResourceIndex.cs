using EdgeOrleans.DbManager;
using EdgeOrleans.Resources;

namespace EdgeOrleans.Cloud.Registry;

/// <summary>The lines of all resources, beside the grains that own them: everything that asks for more than one resource asks here.</summary>
internal interface IResourceIndex : INodeIndex
{
    /// <summary>A part of a list, or of what has changed.</summary>
    /// <exception cref="RefusedException">400 the selector or the count; 410 a watch is so late that removals are forgotten.</exception>
    Task<ResourcePage> ListAsync(ResourceQuery query);

    /// <summary>Whether there is such a resource.</summary>
    Task<bool> ExistsAsync(string kind, string id);

    /// <summary>What a link has said of a node; null when there is no such node.</summary>
    Task<NodeLine?> NodeAsync(string node);

    /// <summary>The nodes that have devices of a model.</summary>
    Task<IReadOnlyList<string>> NodesOfModelAsync(string model);

    /// <summary>Whether a device of a node has a model.</summary>
    Task<bool> IsUsedAsync(string model, string node);

    /// <summary>A device that has a model; null when none has.</summary>
    Task<string?> UserOfAsync(string model);

    /// <summary>Writes a line inside the commit of the state that it belongs to.</summary>
    void Write(DbSession db, ResourceLine line);

    /// <summary>Notes inside a commit that a link of a node is up or down.</summary>
    void WriteLink(DbSession db, string node, NodeLine link);

    /// <summary>Takes a line away inside the commit of the state that says so.</summary>
    void Remove(DbSession db, string kind, string id, DateTimeOffset now);

    /// <inheritdoc cref="NodesOfModelAsync"/>
    IReadOnlyList<string> NodesOfModel(DbSession db, string model);

    /// <summary>A device of a node that has a model, other than one; null when there is none. Any node when none is named.</summary>
    string? DeviceOf(DbSession db, string model, string? node, string except);
}

/// <summary>The line of a resource.</summary>
internal sealed record ResourceLine
{
    public required string Kind { get; init; }

    public required string Id { get; init; }

    public required ResourceHead Head { get; init; }

    public string Node { get; init; } = "";

    public string Model { get; init; } = "";

    public string State { get; init; } = "";

    public string LastOnline { get; init; } = "";

    /// <summary>Names of properties, with line feeds between.</summary>
    public string Properties { get; init; } = "";

    public string Description { get; init; } = "";
}

/// <summary>What a link has said of a node.</summary>
/// <param name="IsReady">Whether a link is up.</param>
/// <param name="LastSeen">When it was last heard; null when it never was.</param>
/// <param name="Address">Where its link comes from.</param>
/// <param name="Agent">The program that it runs.</param>
/// <param name="Hub">The silo that holds the link.</param>
internal sealed record NodeLine(bool IsReady, DateTimeOffset? LastSeen, string Address, string Agent, string Hub);
