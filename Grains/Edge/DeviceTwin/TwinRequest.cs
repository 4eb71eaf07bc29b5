using EdgeOrleans.Devices;

namespace EdgeOrleans.Edge.DeviceTwin;

/// <summary>A side of a property as a request names it: not at all, without a value, or with one.</summary>
internal readonly record struct GivenValue(bool IsGiven, string? Value, long? Timestamp = null)
{
    /// <summary>Somebody named the side and forgot its value.</summary>
    public bool IsHollow => IsGiven && Value is null;
}

/// <summary>What a request says about one property.</summary>
internal readonly record struct TwinEntry(string Name)
{
    /// <summary>The entry is <c>null</c>: the property shall go.</summary>
    public bool IsNull { get; init; }

    public GivenValue Expected { get; init; }

    public GivenValue Actual { get; init; }

    public bool? Optional { get; init; }

    /// <summary>The type; null when the entry has no metadata.</summary>
    public string? Type { get; init; }

    public TwinVersion? ExpectedVersion { get; init; }

    public TwinVersion? ActualVersion { get; init; }
}

/// <summary>A request about a twin.</summary>
/// <param name="EventId">Echoed by the answers.</param>
/// <param name="Entries">In the order of their names, each name once; null when the request has no twin.</param>
internal readonly record struct TwinRequest(string EventId, IReadOnlyList<TwinEntry>? Entries);

/// <summary>An attribute as a request names it; a null one shall go.</summary>
internal readonly record struct AttributeEntry(string Name)
{
    public bool IsNull { get; init; }

    public string Value { get; init; } = "";

    public bool? Optional { get; init; }

    public string? Type { get; init; }
}

/// <summary>A request about a device's state or attributes.</summary>
internal readonly record struct DeviceRequest(string EventId, string State, IReadOnlyList<AttributeEntry>? Attributes);

/// <summary>A device as the cloud's membership names it.</summary>
internal sealed record Member(string Id, string Name, string Description, string State, string LastOnline)
{
    public IReadOnlyList<AttributeEntry>? Attributes { get; init; }

    public IReadOnlyList<TwinEntry>? Twin { get; init; }
}
