using EdgeOrleans.Client.Connection;

namespace EdgeOrleans.Client.Simulation;

/// <summary>What to simulate.</summary>
internal sealed record SimulationOptions
{
    public required ServerAddress Broker { get; init; }

    public required int Devices { get; init; }

    /// <summary>The time between two reports of one device.</summary>
    public required TimeSpan Interval { get; init; }

    /// <summary>How long; null until Ctrl-C.</summary>
    public TimeSpan? Duration { get; init; }

    public required int Properties { get; init; }

    public required int Qos { get; init; }

    public required int Connections { get; init; }

    public required string Namespace { get; init; }

    public required string Prefix { get; init; }

    /// <summary>How long the broker may take to acknowledge something: many devices are much to do.</summary>
    public TimeSpan Patience { get; init; } = TimeSpan.FromSeconds(30);
}
