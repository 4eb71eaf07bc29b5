using Orleans.Concurrency;

namespace EdgeOrleans.Cloud;

/// <summary>The link of one node to this cloud, wherever it comes in. Key: the node's name.</summary>
/// <remarks>Every word about a link names the session it means: what is said about one that was replaced does not hit the one that replaced it (W29).</remarks>
[Alias("cloud.INodeSession")]
internal interface INodeSession : IGrainWithStringKey
{
    /// <summary>A link of the node is up and was admitted. One that was there before is closed.</summary>
    /// <returns>False when the certificate was revoked since it was looked at: it is no link, and what was there before stays.</returns>
    [Alias("Attach")]
    Task<bool> AttachAsync(NodeConnection connection, INodeLink link);

    /// <summary>A link is down. Nothing happens when it is not the node's current one.</summary>
    [Alias("Detach")]
    Task DetachAsync(Guid session, DateTimeOffset lastHeard);

    /// <summary>Something waits for the node in the outbox. Without a link it waits on. Cheap: call it after every commit that appended.</summary>
    [Alias("Nudge"), OneWay]
    Task NudgeAsync();

    /// <summary>Ends the link: the node was removed, or its certificates were revoked.</summary>
    /// <param name="reason">A sentence, for the log and the node.</param>
    /// <param name="serial">Only when the link was made with this certificate; null for any.</param>
    /// <remarks>It waits for nothing else that goes on here: who removes a node must not wait for a link that waits for the node.</remarks>
    [Alias("Close"), AlwaysInterleave]
    Task CloseAsync(string reason, string? serial = null);
}

/// <summary>The end of a link in the silo that holds its socket.</summary>
[Alias("cloud.INodeLink")]
internal interface INodeLink : IGrainObserver
{
    /// <summary>Something waits in the outbox.</summary>
    [Alias("Nudge"), OneWay]
    Task NudgeAsync();

    /// <summary>Close the socket and say why.</summary>
    [Alias("Close"), OneWay]
    Task CloseAsync(string reason, string? serial);
}

/// <summary>A link of a node, as it came in.</summary>
[GenerateSerializer, Immutable, Alias("cloud.node-connection")]
internal sealed record NodeConnection
{
    /// <summary>The node, by its certificate.</summary>
    [Id(0)]
    public required string Node { get; init; }

    /// <summary>This link, and no other of the node.</summary>
    [Id(1)]
    public required Guid Session { get; init; }

    /// <summary>Where it comes from.</summary>
    [Id(2)]
    public string Address { get; init; } = "";

    /// <summary>The program, as it says itself (<c>User-Agent</c>), cut to 128 printable characters.</summary>
    [Id(3)]
    public string Agent { get; init; } = "";

    /// <summary>The serial number of the certificate.</summary>
    [Id(4)]
    public string Serial { get; init; } = "";

    /// <summary>When the certificate ends.</summary>
    [Id(5)]
    public DateTimeOffset CertificateExpires { get; init; }

    /// <summary>When the certificate begins.</summary>
    [Id(8)]
    public DateTimeOffset CertificateBegins { get; init; }

    /// <summary>The silo that holds the socket.</summary>
    [Id(6)]
    public string Hub { get; init; } = "";

    /// <summary>When it came in.</summary>
    [Id(7)]
    public DateTimeOffset Since { get; init; }

    /// <summary>Whether the node is one of ours: it confirms what KubeEdge's edge cannot.</summary>
    public bool IsOurs => Agent.StartsWith("EdgeOrleans/", StringComparison.Ordinal);
}
