using System.Collections.Immutable;

namespace EdgeOrleans.Devices;

/// <summary>What a device's document says.</summary>
[GenerateSerializer, Immutable, Alias("devices.registration")]
internal sealed record DeviceRegistration
{
    [Id(0)]
    public string Description { get; init; } = "";

    [Id(1)]
    public string Model { get; init; } = "";

    /// <summary>The desired values by property.</summary>
    [Id(2)]
    public ImmutableDictionary<string, string> Desired { get; init; } = ImmutableDictionary<string, string>.Empty;
}
