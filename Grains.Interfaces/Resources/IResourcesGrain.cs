using System.Collections.Immutable;
using EdgeOrleans.Devices;

namespace EdgeOrleans.Resources;

/// <summary>The cloud's resources: nodes, devices and device models. Key: <see cref="Key"/>. It keeps nothing itself, so any number of it works side by side.</summary>
[Alias("IResourcesGrain")]
public interface IResourcesGrain : IGrainWithStringKey
{
    /// <summary>The key of a cloud's resources.</summary>
    const string Key = "cloud";

    /// <summary>
    /// Creates or changes a <c>Device</c> or <c>DeviceModel</c> (<c>devices.kubeedge.io/v1beta1</c>) or a <c>Node</c> (<c>v1</c>). A document that names
    /// <c>metadata.resourceVersion</c> changes that version alone.
    /// </summary>
    /// <param name="document">One resource as JSON, at most 1 MiB. Its status is not looked at.</param>
    /// <exception cref="RefusedException">400 the path in the document, what was wrong and what would be right; 409 it was changed since.</exception>
    [Alias("Apply")]
    Task<ApplyOutcome> ApplyAsync(string document);

    /// <summary>A resource as a document: <c>apiVersion</c>, <c>kind</c>, <c>metadata</c> with uid, generation and resourceVersion, <c>spec</c>, <c>status</c>.</summary>
    /// <param name="kind">See <see cref="ResourceKinds"/>.</param>
    /// <param name="id">A node's name, else <c>namespace/name</c>.</param>
    /// <returns>JSON; null when there is no such resource.</returns>
    [Alias("Get")]
    Task<string?> GetAsync(string kind, string id);

    /// <summary>Removes a resource. A node that is removed loses its certificates and its link; its devices stay, and wait for a node of that name.</summary>
    /// <param name="kind">See <see cref="ResourceKinds"/>.</param>
    /// <param name="id">A node's name, else <c>namespace/name</c>.</param>
    /// <param name="resourceVersion">The only version that may be removed; null for any.</param>
    /// <exception cref="RefusedException">404 no such resource; 409 it was changed since, or a model has devices.</exception>
    [Alias("Delete")]
    Task DeleteAsync(string kind, string id, string? resourceVersion = null);

    /// <summary>A part of a list.</summary>
    /// <exception cref="RefusedException">400 the selector or the count.</exception>
    [Alias("List")]
    Task<ResourcePage> ListAsync(ResourceQuery query);
}

/// <summary>The kinds of resources, as <see cref="IResourcesGrain"/> names them.</summary>
public static class ResourceKinds
{
    /// <summary>A node. Its id is its name.</summary>
    public const string Node = "node";

    /// <summary>A device.</summary>
    public const string Device = "device";

    /// <summary>A device model.</summary>
    public const string DeviceModel = "devicemodel";
}

/// <summary>What of a list is wanted.</summary>
[GenerateSerializer, Immutable, Alias("resource.query")]
public sealed record ResourceQuery
{
    /// <summary>The most resources of a page.</summary>
    public const int MaxCount = 1_000;

    /// <summary>See <see cref="ResourceKinds"/>.</summary>
    [Id(0)]
    public required string Kind { get; init; }

    /// <summary>Only those of this namespace; empty for all.</summary>
    [Id(1)]
    public string Namespace { get; init; } = "";

    /// <summary>Kubernetes' label selector: <c>a=b</c>, <c>a!=b</c>, <c>a in (b,c)</c>, <c>a notin (b,c)</c>, <c>a</c>, <c>!a</c>, with commas between; empty for all.</summary>
    [Id(2)]
    public string Selector { get; init; } = "";

    /// <summary>Only the devices of this node; empty for all.</summary>
    [Id(3)]
    public string Node { get; init; } = "";

    /// <summary>The id behind which the page begins; empty for the first.</summary>
    [Id(4)]
    public string After { get; init; } = "";

    /// <summary>How many at the most, 1 to <see cref="MaxCount"/>.</summary>
    [Id(5)]
    public int Count { get; init; } = MaxCount;

    /// <summary>
    /// Only what has changed behind this number, in the order of the changes and with what was removed; null for what there is, in the order of the
    /// ids. It is how a watch goes on: begin with the <see cref="ResourcePage.Change"/> of a list.
    /// </summary>
    [Id(6)]
    public long? ChangedAfter { get; init; }
}

/// <summary>A part of a list.</summary>
[GenerateSerializer, Immutable, Alias("resource.page")]
public sealed record ResourcePage
{
    /// <summary>The resources of this page.</summary>
    [Id(0)]
    public ImmutableArray<ResourceSummary> Items { get; init; } = [];

    /// <summary>Whether there are more behind the last of this page.</summary>
    [Id(1)]
    public bool More { get; init; }

    /// <summary>The number of the newest change that this page knows of: where a watch goes on.</summary>
    [Id(2)]
    public long Change { get; init; }
}

/// <summary>One line of a list.</summary>
[GenerateSerializer, Immutable, Alias("resource.summary")]
public sealed record ResourceSummary
{
    /// <summary>See <see cref="ResourceKinds"/>.</summary>
    [Id(0)]
    public required string Kind { get; init; }

    /// <summary>A node's name, else <c>namespace/name</c>.</summary>
    [Id(1)]
    public required string Id { get; init; }

    /// <summary>Labels by name.</summary>
    [Id(2)]
    public ImmutableSortedDictionary<string, string> Labels { get; init; } = ImmutableSortedDictionary.Create<string, string>(StringComparer.Ordinal);

    /// <summary>When it was made.</summary>
    [Id(3)]
    public DateTimeOffset Created { get; init; }

    /// <summary>The version of what people say of it.</summary>
    [Id(4)]
    public string ResourceVersion { get; init; } = "";

    /// <summary>Whether it was removed; only in answers about changes.</summary>
    [Id(5)]
    public bool Removed { get; init; }

    /// <summary>Device: the node it is on; empty for none.</summary>
    [Id(6)]
    public string Node { get; init; } = "";

    /// <summary>Device: the id of its model; empty for none.</summary>
    [Id(7)]
    public string Model { get; init; } = "";

    /// <summary>Device: the reported state; empty before the first.</summary>
    [Id(8)]
    public string State { get; init; } = "";

    /// <summary>Device: RFC 3339 UTC time of the last <c>online</c> or <c>ok</c>; empty otherwise.</summary>
    [Id(9)]
    public string LastOnline { get; init; } = "";

    /// <summary>Node: whether its link is up and it says that it is alive.</summary>
    [Id(10)]
    public bool Ready { get; init; }

    /// <summary>Node: when it was last heard; null when it never was.</summary>
    [Id(11)]
    public DateTimeOffset? LastSeen { get; init; }

    /// <summary>Node: where its link comes from.</summary>
    [Id(12)]
    public string Address { get; init; } = "";

    /// <summary>Node: the program that it runs, as it says itself, such as <c>EdgeOrleans/0.1.0</c>.</summary>
    [Id(13)]
    public string Agent { get; init; } = "";

    /// <summary>Model: the names of its properties. Device: those that have a desired value which the node does not have yet.</summary>
    [Id(14)]
    public ImmutableArray<string> Properties { get; init; } = [];

    /// <summary>A free text.</summary>
    [Id(15)]
    public string Description { get; init; } = "";
}
