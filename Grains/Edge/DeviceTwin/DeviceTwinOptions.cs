using System.ComponentModel.DataAnnotations;
using EdgeOrleans.Settings;

namespace EdgeOrleans.Edge.DeviceTwin;

/// <summary>What a report of a device that the node does not know does.</summary>
public enum UnknownDevices
{
    /// <summary>It is refused, as in edgecore.</summary>
    Refuse,

    /// <summary>A twin or state report makes the device, up to the limit; a question never does.</summary>
    Register,
}

/// <summary>How closely twins keep to edgecore where we think we do better.</summary>
public enum TwinCompatibility
{
    /// <summary>A device's model widens what a value may hold, and a client cannot speak for the cloud.</summary>
    Normal,

    /// <summary>As edgecore does it.</summary>
    Strict,
}

/// <summary>Settings of device twins and membership. Section: <c>modules.deviceTwin</c>.</summary>
public sealed class DeviceTwinOptions
{
    /// <summary>The section of these settings.</summary>
    public const string Section = "modules:deviceTwin";

    /// <summary>What a report of an unknown device does. Default: <c>register</c> while no cloud is configured, else <c>refuse</c>.</summary>
    [Live]
    public UnknownDevices? UnknownDevices { get; init; }

    /// <summary>How many devices there may be for a report to register another one; apply and the cloud may go beyond. Default: 10,000.</summary>
    [Live, Range(0, 10_000_000)]
    public int MaxDevices { get; init; } = 10_000;

    /// <summary>How closely twins keep to edgecore; <c>strict</c> also lets a client's <c>cloud_updated</c> count. Default: <c>normal</c>.</summary>
    [Live]
    public TwinCompatibility Compatibility { get; init; }

    /// <summary>How many properties a twin may have, deleted ones included; an update that would make more is refused whole. Default: 1,000.</summary>
    [Live, Range(1, 100_000)]
    public int MaxProperties { get; init; } = 1_000;

    /// <summary>How many bytes a request may have; a larger one is refused before it is read. Default: 1 MiB.</summary>
    [Live, Size, Range(typeof(long), "1024", "67108864")]
    public long MaxPayload { get; init; } = 1_024 * 1_024;

    /// <summary>How many values that lost by the version rule a twin remembers, the newest. Default: 32.</summary>
    [Live, Range(0, 1_024)]
    public int MaxConflicts { get; init; } = 32;
}
