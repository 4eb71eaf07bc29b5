using System.Collections.Immutable;

namespace EdgeOrleans.Devices;

/// <summary>Which devices and device models a node has. Key: <see cref="Key"/>.</summary>
[Alias("IMembershipGrain")]
public interface IMembershipGrain : IGrainWithStringKey
{
    /// <summary>The key of the one membership of a node.</summary>
    const string Key = "node";

    /// <summary>Registers or changes a <c>Device</c> or <c>DeviceModel</c> (<c>devices.kubeedge.io/v1beta1</c>) on a node without a cloud.</summary>
    /// <param name="document">One resource as JSON, at most 1 MiB.</param>
    /// <exception cref="RefusedException">400 the path in the document, what was wrong and what would be right; 409 the node has a cloud: apply it there.</exception>
    [Alias("Apply")]
    Task<ApplyOutcome> ApplyAsync(string document);

    /// <summary>Removes a device with its twin and attributes.</summary>
    /// <exception cref="RefusedException">404 no such device; 409 the node has a cloud.</exception>
    [Alias("DeleteDevice")]
    Task DeleteDeviceAsync(string id);

    /// <summary>Removes a device model that no device uses.</summary>
    /// <exception cref="RefusedException">404 no such model; 409 devices use it.</exception>
    [Alias("DeleteModel")]
    Task DeleteModelAsync(string id);

    /// <summary>The devices in the order of their ids.</summary>
    /// <param name="after">The id behind which to begin; null for the first.</param>
    /// <param name="count">How many at the most, 1 to 1,000.</param>
    [Alias("ListDevices")]
    Task<DevicePage> ListDevicesAsync(string? after, int count);

    /// <summary>The device models in the order of their ids.</summary>
    [Alias("ListModels")]
    Task<ImmutableArray<ModelSummary>> ListModelsAsync();
}

/// <summary>What came of an apply.</summary>
[GenerateSerializer, Immutable, Alias("device.apply-outcome")]
public sealed record ApplyOutcome
{
    /// <summary>What was applied, as <c>device/default/pump-1</c> or <c>devicemodel/default/pump</c>.</summary>
    [Id(0)]
    public required string Resource { get; init; }

    /// <summary><c>created</c>, <c>configured</c> or <c>unchanged</c>.</summary>
    [Id(1)]
    public required string Outcome { get; init; }

    /// <summary>What the node accepted and cannot do yet, one sentence each.</summary>
    [Id(2)]
    public ImmutableArray<string> Warnings { get; init; } = [];
}
