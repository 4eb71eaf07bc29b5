namespace EdgeOrleans.TestKit;

/// <summary>How a node of a test is started.</summary>
public sealed record NodeSetup
{
    /// <summary>More arguments, after those for data folder and ports.</summary>
    public IReadOnlyList<string> Arguments { get; init; } = [];

    /// <summary>Environment variables.</summary>
    public IReadOnlyDictionary<string, string?> Environment { get; init; } = new Dictionary<string, string?>();

    /// <summary>The data folder. Default: one of its own, which goes away with the node.</summary>
    public string? Data { get; init; }

    /// <summary>A command that ends by becoming the node, such as <c>prlimit --fsize=…</c>.</summary>
    public IReadOnlyList<string> Under { get; init; } = [];

    /// <summary>Whether the ports are given as arguments. Without it the node takes them from its settings.</summary>
    public bool WithPorts { get; init; } = true;
}
