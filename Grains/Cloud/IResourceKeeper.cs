using System.Collections.Immutable;
using EdgeOrleans.Devices;

namespace EdgeOrleans.Cloud;

/// <summary>The owner of one resource, for the door that consoles come to. Key: the resource's id.</summary>
[Alias("cloud.IResourceKeeper")]
internal interface IResourceKeeper : IGrainWithStringKey
{
    /// <summary>Creates or changes the resource. Answered after it is on disk.</summary>
    [Alias("Apply")]
    Task<ApplyOutcome> ApplyAsync(ResourceDocument document);

    /// <summary>The resource as JSON; null when there is none.</summary>
    [Alias("Document")]
    Task<string?> GetDocumentAsync();

    /// <summary>Removes the resource.</summary>
    /// <param name="resourceVersion">The only version that may be removed; null for any.</param>
    [Alias("Remove")]
    Task RemoveAsync(string? resourceVersion);
}

/// <inheritdoc/>
[Alias("cloud.IDeviceKeeper")]
internal interface IDeviceKeeper : IResourceKeeper;

/// <inheritdoc/>
[Alias("cloud.IModelKeeper")]
internal interface IModelKeeper : IResourceKeeper
{
    /// <summary>What the model says about twins; null when there is no such model.</summary>
    [Alias("Rules")]
    Task<ModelRules?> GetRulesAsync();
}

/// <inheritdoc/>
[Alias("cloud.INodeDocuments")]
internal interface INodeDocuments : IResourceKeeper;

/// <summary>What people say of a resource: it was read and checked, as far as one document can be.</summary>
[GenerateSerializer, Immutable, Alias("cloud.resource-document")]
internal sealed record ResourceDocument
{
    /// <summary>See <see cref="Resources.ResourceKinds"/>.</summary>
    [Id(0)]
    public required string Kind { get; init; }

    /// <summary>A node's name, else <c>namespace/name</c>.</summary>
    [Id(1)]
    public required string Id { get; init; }

    [Id(2)]
    public ImmutableSortedDictionary<string, string> Labels { get; init; } = OrdinalMap.Empty;

    [Id(3)]
    public ImmutableSortedDictionary<string, string> Annotations { get; init; } = OrdinalMap.Empty;

    /// <summary>One JSON object, without needless blanks.</summary>
    [Id(4)]
    public required string Spec { get; init; }

    /// <summary>The version that it changes; empty for whatever is there.</summary>
    [Id(5)]
    public string ResourceVersion { get; init; } = "";

    /// <summary>Device: what the spec means.</summary>
    [Id(6)]
    public DeviceRegistration? Device { get; init; }

    /// <summary>Device: the node it is on; empty for none.</summary>
    [Id(7)]
    public string Node { get; init; } = "";

    /// <summary>Model: what the spec means.</summary>
    [Id(8)]
    public ModelRules? Model { get; init; }
}
