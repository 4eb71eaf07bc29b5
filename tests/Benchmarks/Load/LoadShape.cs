namespace EdgeOrleans.Benchmarks.Load;

/// <summary>What a load is made of.</summary>
internal sealed record LoadShape
{
    /// <summary>32 requests under way on four connections.</summary>
    public static LoadShape Busy { get; } = new() { Connections = 4, InFlight = 8 };

    /// <summary>One request after the other.</summary>
    public static LoadShape Serial { get; } = new() { Connections = 1, InFlight = 1 };

    /// <summary>MQTT connections.</summary>
    public required int Connections { get; init; }

    /// <summary>Requests under way on each.</summary>
    public required int InFlight { get; init; }

    /// <summary>Devices of all connections; each has at most one request under way.</summary>
    public int Devices { get; init; } = 100;

    /// <summary>Properties of an update.</summary>
    public int Properties { get; init; } = 1;

    /// <summary>Whether twins are read instead of updated.</summary>
    public bool Reads { get; init; }
}
