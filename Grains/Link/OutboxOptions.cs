using System.ComponentModel.DataAnnotations;
using EdgeOrleans.Settings;

namespace EdgeOrleans.Link;

/// <summary>Settings of what waits to go up. Section: <c>outbox</c>.</summary>
public sealed class OutboxOptions
{
    /// <summary>Whether anything is kept. Without a cloud nothing is: it is counted as <c>no-cloud</c>. Default: true; the node's role sets it.</summary>
    [NotASetting]
    public bool Enabled { get; set; } = true;

    /// <summary>How many bytes may wait; what comes beyond is refused and counted. Default: 256 MiB.</summary>
    [Range(4096L, long.MaxValue)]
    [Size]
    public long MaxBytes { get; set; } = 256L * 1024 * 1024;

    /// <summary>The part of it that telemetry may take, so that twins and states always find room. Default: 0.75.</summary>
    [Range(0.0, 1.0)]
    public double TelemetryShare { get; set; } = 0.75;
}
