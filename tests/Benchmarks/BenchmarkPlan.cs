namespace EdgeOrleans.Benchmarks;

/// <summary>How long and how often is measured.</summary>
internal sealed record BenchmarkPlan
{
    /// <summary>What figures are taken from.</summary>
    public static BenchmarkPlan Full { get; } = new()
    {
        Length = TimeSpan.FromSeconds(8),
        Runs = 3,
        UntilIdle = TimeSpan.FromMinutes(1),
        Idle = TimeSpan.FromSeconds(30),
        StoredTwins = 100_000,
    };

    /// <summary>Whether it works, and the order of magnitude.</summary>
    public static BenchmarkPlan Quick { get; } = new()
    {
        Length = TimeSpan.FromSeconds(2),
        Runs = 1,
        UntilIdle = TimeSpan.FromSeconds(5),
        Idle = TimeSpan.FromSeconds(5),
        StoredTwins = 2_000,
    };

    /// <summary>The measured time of one run of load.</summary>
    public required TimeSpan Length { get; init; }

    /// <summary>How many runs a row has; their median counts.</summary>
    public required int Runs { get; init; }

    /// <summary>The time from the start until a node counts as idle.</summary>
    public required TimeSpan UntilIdle { get; init; }

    /// <summary>How long the processor time of an idle node is measured.</summary>
    public required TimeSpan Idle { get; init; }

    /// <summary>How many twins a node holds when the start with many is measured.</summary>
    public required int StoredTwins { get; init; }

    /// <summary>How long a program is loaded before anything of it counts.</summary>
    public static TimeSpan ProgramWarmUp { get; } = TimeSpan.FromSeconds(5);

    /// <summary>The time before a run that does not count.</summary>
    public TimeSpan WarmUp => Length / 4;
}
