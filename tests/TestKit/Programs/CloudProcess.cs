namespace EdgeOrleans.TestKit;

/// <summary>The published cloud in a process of its own, with its own data folder and ports. It can be killed and started again on both.</summary>
public sealed class CloudProcess : NodeProcess
{
    private readonly int[] _ports = FreePorts.Take(2);

    /// <summary>A cloud that does not run yet.</summary>
    public CloudProcess(params string[] arguments)
        : base(arguments)
    {
    }

    /// <summary>The port where nodes get their certificates.</summary>
    public int BootstrapPort => _ports[0];

    /// <summary>The port where nodes link to it.</summary>
    public int LinkPort => _ports[1];

    /// <summary>A node of this cloud that does not run yet, with a token to join.</summary>
    public async Task<NodeProcess> NodeAsync(string name)
    {
        var token = (await Console.OutputAsync("token", "create", "--node", name)).Trim();
        return new NodeProcess(
            "--node", name, "--join", token, "--cloud", Invariant($"127.0.0.1:{LinkPort}"), Invariant($"--modules.edgeHub.httpServer=https://127.0.0.1:{BootstrapPort}"));
    }

    private protected override string[] Role() => ["cloud"];

    private protected override string[] Doors() =>
    [
        Invariant($"--modules.cloudHub.https.port={BootstrapPort}"),
        Invariant($"--modules.cloudHub.websocket.port={LinkPort}"),
    ];
}
