using System.Collections.Immutable;
using System.Text.Json;
using System.Text.Json.Serialization;
using EdgeOrleans.Devices;

namespace EdgeOrleans.Cloud.DeviceController;

/// <summary>A property of a device as the cloud knows it: what people want, and what the node showed last.</summary>
internal sealed record CloudProperty
{
    public required string Name { get; init; }

    /// <summary>What people want, with the version under which it goes down; null when nobody wants anything.</summary>
    public TwinValue? Desired { get; init; }

    /// <summary>The type under which it goes down, when the node knows none.</summary>
    public string DesiredType { get; init; } = TwinTypes.Text;

    /// <summary>The highest number that the cloud has given or seen: it never goes back, not by a removal of what was wanted either.</summary>
    public long Issued { get; init; }

    /// <summary>The expected value that the node showed last.</summary>
    public TwinValue? Expected { get; init; }

    /// <summary>The actual value that the node showed last.</summary>
    public TwinValue? Actual { get; init; }

    public bool Optional { get; init; } = true;

    /// <summary>The type as the node says it; empty before.</summary>
    public string Type { get; init; } = "";

    /// <summary>Whether something is wanted that the node did not show: it has it when what it shows has the cloud's number.</summary>
    [JsonIgnore]
    public bool IsPending => Desired is { } desired && !(Expected?.Version.Cloud >= desired.Version.Cloud);

    /// <summary>What the node should have: what is wanted, or what it shows since.</summary>
    [JsonIgnore]
    public TwinValue? Due => IsPending ? Desired : Expected;

    /// <summary>A type that a value can go down with.</summary>
    [JsonIgnore]
    public string LiveType => Type.Length == 0 || Type == TwinProperty.DeletedType ? DesiredType : Type;

    /// <summary>Whether there is anything to see.</summary>
    [JsonIgnore]
    public bool IsVisible => Desired is not null || Expected is not null || Actual is not null;

    public TwinProperty View() => new()
    {
        Expected = Due,
        Actual = Actual,
        Optional = Optional,
        Type = IsPending ? LiveType : Type.Length == 0 ? DesiredType : Type,
    };
}

/// <summary>Properties on disk: a list, so that their order is that of their bytes.</summary>
internal sealed class CloudTwinJson : JsonConverter<ImmutableSortedDictionary<string, CloudProperty>>
{
    public static ImmutableSortedDictionary<string, CloudProperty> Empty { get; } = ImmutableSortedDictionary.Create<string, CloudProperty>(StringComparer.Ordinal);

    public override ImmutableSortedDictionary<string, CloudProperty> Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) =>
        JsonSerializer.Deserialize(ref reader, DeviceControllerJson.Default.CloudPropertyArray)!.ToImmutableSortedDictionary(static p => p.Name, static p => p, StringComparer.Ordinal);

    public override void Write(Utf8JsonWriter writer, ImmutableSortedDictionary<string, CloudProperty> value, JsonSerializerOptions options) =>
        JsonSerializer.Serialize(writer, [.. value.Values], DeviceControllerJson.Default.CloudPropertyArray);
}
