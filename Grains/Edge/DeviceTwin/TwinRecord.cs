using System.Collections.Immutable;
using System.Text.Json.Serialization;
using EdgeOrleans.Devices;

namespace EdgeOrleans.Edge.DeviceTwin;

/// <summary>What is stored of a device. Every change makes a new one, so a change that is not on disk is never seen.</summary>
[JsonConverter(typeof(TwinRecordJson))]
internal sealed partial record TwinRecord
{
    public static ImmutableSortedDictionary<string, TwinProperty> NoTwin { get; } =
        ImmutableSortedDictionary.Create<string, TwinProperty>(StringComparer.Ordinal);

    public static ImmutableSortedDictionary<string, DeviceAttribute> NoAttributes { get; } =
        ImmutableSortedDictionary.Create<string, DeviceAttribute>(StringComparer.Ordinal);

    /// <summary>Whether the node knows the device. The record of an unknown device is empty and never written.</summary>
    public bool Exists { get; init; }

    public string Name { get; init; } = "";

    public string Description { get; init; } = "";

    public string State { get; init; } = "";

    public string LastOnline { get; init; } = "";

    public string Model { get; init; } = "";

    /// <summary>Properties by name, tombstones included.</summary>
    public ImmutableSortedDictionary<string, TwinProperty> Twin { get; init; } = NoTwin;

    public ImmutableSortedDictionary<string, DeviceAttribute> Attributes { get; init; } = NoAttributes;

    /// <summary>The newest values that lost by the version rule, oldest first.</summary>
    public ImmutableArray<TwinConflict> Conflicts { get; init; } = [];

    /// <summary>A device as it is when the node first hears of it.</summary>
    public static TwinRecord Of(string id) => new() { Exists = true, Name = id[(id.IndexOf('/', StringComparison.Ordinal) + 1)..] };

    public DeviceView View(string id) => new()
    {
        Id = id,
        Name = Name,
        Description = Description,
        State = State,
        LastOnline = LastOnline,
        Model = Model,
        Twin = Twin,
        Attributes = Attributes,
        Conflicts = Conflicts,
    };
}
