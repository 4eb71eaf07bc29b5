using System.Collections.Immutable;

namespace EdgeOrleans.Joining;

/// <summary>The certificates of one node of the cloud. Key: the node's name.</summary>
[Alias("INodeCertificatesGrain")]
public interface INodeCertificatesGrain : IGrainWithStringKey
{
    /// <summary>The certificates it was given and that have not expired, the newest first.</summary>
    [Alias("List")]
    Task<ImmutableArray<NodeCertificateView>> ListAsync();

    /// <summary>Ends one certificate, or all that the node was given until now. The node comes back with a new token only.</summary>
    /// <param name="serial">The serial number as it is listed; null for all.</param>
    /// <returns>How many were ended.</returns>
    /// <exception cref="RefusedException">404 the node has no such certificate.</exception>
    [Alias("Revoke")]
    Task<int> RevokeAsync(string? serial);
}

/// <summary>A certificate of a node.</summary>
[GenerateSerializer, Immutable, Alias("cloud.node-certificate-view")]
public sealed record NodeCertificateView
{
    /// <summary>The serial number, upper case hex.</summary>
    [Id(0)]
    public required string Serial { get; init; }

    /// <summary>When it was given.</summary>
    [Id(1)]
    public DateTimeOffset Issued { get; init; }

    /// <summary>When it ends by itself.</summary>
    [Id(2)]
    public DateTimeOffset Expires { get; init; }

    /// <summary>The id of the token it was given for; empty when it replaced another.</summary>
    [Id(3)]
    public string Token { get; init; } = "";

    /// <summary>Whether it was revoked.</summary>
    [Id(4)]
    public bool Revoked { get; init; }
}
