namespace EdgeOrleans.Modules;

/// <summary>What a module is doing.</summary>
[GenerateSerializer, Alias("module.state")]
public enum ModuleState
{
    /// <summary>Registered and not started yet, or stopped.</summary>
    Stopped,

    /// <summary>Started and working.</summary>
    Running,

    /// <summary>Its start or its work ended with an error; the log says which.</summary>
    Failed,

    /// <summary>Switched off by <c>modules.&lt;name&gt;.enable: false</c>.</summary>
    Disabled,

    /// <summary>Part of the design and not built yet.</summary>
    NotBuilt,
}

/// <summary>One line of <c>edgectl get modules</c>.</summary>
[GenerateSerializer, Immutable, Alias("module.status")]
public sealed record ModuleStatus
{
    /// <summary>The module's name.</summary>
    [Id(0)]
    public required string Name { get; init; }

    /// <summary>The beehive group, empty for none.</summary>
    [Id(1)]
    public required string Group { get; init; }

    /// <summary>Whether the settings switch it on.</summary>
    [Id(2)]
    public required bool Enabled { get; init; }

    /// <summary>What it is doing.</summary>
    [Id(3)]
    public required ModuleState State { get; init; }

    /// <summary>More about the state, such as the error or where it listens; may be empty.</summary>
    [Id(4)]
    public string Detail { get; init; } = "";

    /// <summary>Whether it works with less than it should have, such as without its link to the cloud.</summary>
    [Id(5)]
    public bool IsDegraded { get; init; }
}
