using System.Collections.Immutable;

namespace EdgeOrleans.Devices;

/// <summary>Two counters that decide which of two values is newer: how often the cloud and how often the edge has written.</summary>
/// <param name="Cloud">Writes of the cloud.</param>
/// <param name="Edge">Writes of the edge.</param>
[GenerateSerializer, Immutable, Alias("device.version")]
public readonly record struct TwinVersion([property: Id(0)] long Cloud, [property: Id(1)] long Edge);

/// <summary>One side of a twin property: a value, when it was written, and its version.</summary>
[GenerateSerializer, Immutable, Alias("device.value")]
public sealed record TwinValue
{
    /// <summary>The value, always text. Null when it was deleted: the version stays.</summary>
    [Id(0)]
    public string? Value { get; init; }

    /// <summary>Edge time of the write, milliseconds since 1970 (UTC).</summary>
    [Id(1)]
    public long Timestamp { get; init; }

    /// <summary>The version of this side.</summary>
    [Id(2)]
    public TwinVersion Version { get; init; }
}

/// <summary>A property of a device's twin: what it should be (expected) and what it is (actual).</summary>
[GenerateSerializer, Immutable, Alias("device.property")]
public sealed record TwinProperty
{
    /// <summary>The type of a deleted property (a tombstone).</summary>
    public const string DeletedType = "deleted";

    /// <summary>What it should be; null when nobody ever said.</summary>
    [Id(0)]
    public TwinValue? Expected { get; init; }

    /// <summary>What the device reported; null when it never did.</summary>
    [Id(1)]
    public TwinValue? Actual { get; init; }

    /// <summary>Whether it may be deleted.</summary>
    [Id(2)]
    public bool Optional { get; init; } = true;

    /// <summary>The type: <c>string</c>, <c>int</c>, <c>integer</c>, <c>float</c>, <c>boolean</c>, empty, or <c>deleted</c>.</summary>
    [Id(3)]
    public string Type { get; init; } = "string";

    /// <summary>Whether this is a tombstone: deleted, kept for its versions.</summary>
    public bool IsDeleted => Type == DeletedType;
}

/// <summary>An attribute of a device, set by the cloud only.</summary>
[GenerateSerializer, Immutable, Alias("device.attribute")]
public sealed record DeviceAttribute
{
    /// <summary>The value.</summary>
    [Id(0)]
    public string Value { get; init; } = "";

    /// <summary>Whether it may be deleted.</summary>
    [Id(1)]
    public bool Optional { get; init; } = true;

    /// <summary>The type; default <c>string</c>.</summary>
    [Id(2)]
    public string Type { get; init; } = "string";
}

/// <summary>A value that lost against another by the version rule.</summary>
[GenerateSerializer, Immutable, Alias("device.conflict")]
public sealed record TwinConflict
{
    /// <summary>The property's name.</summary>
    [Id(0)]
    public required string Property { get; init; }

    /// <summary><c>expected</c> or <c>actual</c>.</summary>
    [Id(1)]
    public required string Side { get; init; }

    /// <summary>The value that stayed, with its version.</summary>
    [Id(2)]
    public required TwinValue Kept { get; init; }

    /// <summary>The value that was refused, with its version (0/0 when it named none).</summary>
    [Id(3)]
    public required TwinValue Refused { get; init; }

    /// <summary>Who sent the refused value.</summary>
    [Id(4)]
    public required string Source { get; init; }
}

/// <summary>Everything a node or a cloud knows of a device.</summary>
[GenerateSerializer, Immutable, Alias("device.view")]
public sealed record DeviceView
{
    /// <summary><c>namespace/name</c>.</summary>
    [Id(0)]
    public required string Id { get; init; }

    /// <summary>The name as it was registered.</summary>
    [Id(1)]
    public string Name { get; init; } = "";

    /// <summary>A free text.</summary>
    [Id(2)]
    public string Description { get; init; } = "";

    /// <summary>The reported state, as written: <c>online</c>, <c>offline</c>, <c>ok</c>, <c>unknown</c>, <c>unhealthy</c>; empty before the first.</summary>
    [Id(3)]
    public string State { get; init; } = "";

    /// <summary>RFC 3339 UTC time of the last <c>online</c> or <c>ok</c>; empty otherwise.</summary>
    [Id(4)]
    public string LastOnline { get; init; } = "";

    /// <summary>The id of the device's model, <c>namespace/name</c>; empty for none.</summary>
    [Id(5)]
    public string Model { get; init; } = "";

    /// <summary>The twin's properties by name, tombstones included.</summary>
    [Id(6)]
    public ImmutableSortedDictionary<string, TwinProperty> Twin { get; init; } = ImmutableSortedDictionary.Create<string, TwinProperty>(StringComparer.Ordinal);

    /// <summary>Attributes by name.</summary>
    [Id(7)]
    public ImmutableSortedDictionary<string, DeviceAttribute> Attributes { get; init; } =
        ImmutableSortedDictionary.Create<string, DeviceAttribute>(StringComparer.Ordinal);

    /// <summary>The newest values that lost by the version rule; bounded.</summary>
    [Id(8)]
    public ImmutableArray<TwinConflict> Conflicts { get; init; } = [];

    /// <summary>In a cloud: the node the device is on; empty for none, and on a node itself.</summary>
    [Id(9)]
    public string Node { get; init; } = "";

    /// <summary>In a cloud: the properties whose expected value the node has not confirmed yet.</summary>
    [Id(10)]
    public ImmutableArray<string> Pending { get; init; } = [];
}

/// <summary>One line of a list of devices.</summary>
[GenerateSerializer, Immutable, Alias("device.summary")]
public sealed record DeviceSummary
{
    /// <summary><c>namespace/name</c>.</summary>
    [Id(0)]
    public required string Id { get; init; }

    /// <summary>A free text.</summary>
    [Id(1)]
    public string Description { get; init; } = "";

    /// <summary>The reported state; empty before the first.</summary>
    [Id(2)]
    public string State { get; init; } = "";

    /// <summary>RFC 3339 UTC time of the last <c>online</c> or <c>ok</c>; empty otherwise.</summary>
    [Id(3)]
    public string LastOnline { get; init; } = "";

    /// <summary>The id of the device's model; empty for none.</summary>
    [Id(4)]
    public string Model { get; init; } = "";
}

/// <summary>A part of a list of devices, in the order of their ids.</summary>
[GenerateSerializer, Immutable, Alias("device.page")]
public sealed record DevicePage
{
    /// <summary>The devices of this page.</summary>
    [Id(0)]
    public ImmutableArray<DeviceSummary> Devices { get; init; } = [];

    /// <summary>Whether there are more behind the last of this page.</summary>
    [Id(1)]
    public bool More { get; init; }
}

/// <summary>One line of a list of device models.</summary>
[GenerateSerializer, Immutable, Alias("device.model-summary")]
public sealed record ModelSummary
{
    /// <summary><c>namespace/name</c>.</summary>
    [Id(0)]
    public required string Id { get; init; }

    /// <summary>The names of its properties.</summary>
    [Id(1)]
    public ImmutableArray<string> Properties { get; init; } = [];
}
