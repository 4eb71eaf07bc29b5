using System.Collections.Immutable;
using System.Globalization;
using System.Security.Cryptography;
using EdgeOrleans.DbManager;
using EdgeOrleans.Joining;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Orleans.Concurrency;

namespace EdgeOrleans.Cloud.CloudHub;

/// <summary>Gives certificates to one node. Key: the node's name.</summary>
[Alias("INodeCertificateIssuer")]
internal interface INodeCertificateIssuer : IGrainWithStringKey
{
    /// <summary>A certificate for a key. The same key for the same token gets the same certificate again.</summary>
    /// <param name="key">The public key, SubjectPublicKeyInfo; the caller knows that the node has the private one.</param>
    /// <param name="token">The id of the token that allows it; empty when a certificate of the node does.</param>
    /// <param name="onlyNew">Whether it is refused to a node that has a certificate already.</param>
    [Alias("Issue")]
    Task<IssueOutcome> IssueAsync(byte[] key, string token, bool onlyNew);

    /// <summary>Whether a certificate of this node was revoked; the caller knows that it is ours. Answered at once, whatever goes on.</summary>
    [Alias("IsRevoked"), AlwaysInterleave]
    Task<bool> IsRevokedAsync(string serial, DateTimeOffset notBefore);
}

/// <summary>Owns the certificates of one node. A certificate is handed out after its serial number is on disk.</summary>
[GrainType("cloud.node-certificates")]
internal sealed partial class NodeCertificatesGrain(
    [PersistentState("node-certificates", DbManagerModule.State)] IPersistentState<NodeCertificatesRecord> stored,
    CertificateAuthority authority,
    IOptions<CloudHubOptions> options,
    TimeProvider time,
    ILogger<NodeCertificatesGrain> logger) : Grain, INodeCertificatesGrain, INodeCertificateIssuer
{
    // A node that renews in a loop must not fill the disk; one that is set up again a few times must not notice.
    private const int MostInAnHour = 20;
    private const int MostKept = 64;

    private string Node => this.GetPrimaryKeyString();

    public async Task<IssueOutcome> IssueAsync(byte[] key, string token, bool onlyNew)
    {
        var (now, keyHash) = (time.GetUtcNow(), Convert.ToHexStringLower(SHA256.HashData(key)));
        var live = stored.State.Certificates.RemoveAll(c => c.Expires <= now);
        if (token.Length > 0 && live.LastOrDefault(c => c.Token == token && c.KeyHash == keyHash) is { } same)
        {
            return same.Revoked ? Refused("revoked-certificate", $"the certificate of this key and token was revoked; node {Node} needs a new token") : new IssueOutcome { Certificate = same.Der };
        }

        if (onlyNew && live.Any(c => !c.Revoked))
        {
            return Refused("node-known", $"node {Node} has a certificate already, and the token is for new nodes; make a token for this node");
        }

        if (live.Count(c => c.Issued > now.AddHours(-1)) >= MostInAnHour)
        {
            return Refused("too-many-certificates", $"node {Node} was given {MostInAnHour} certificates within an hour");
        }

        if (live.Count >= MostKept)
        {
            // What may be forgotten: what counts, or what counts no more because of its age. A revoked serial is kept to its end.
            var oldest = live.FindIndex(c => !c.Revoked || c.Issued <= stored.State.RevokedUntil);
            if (oldest < 0)
            {
                return Refused("too-many-certificates", $"node {Node} has {MostKept} revoked certificates; revoke the node as a whole");
            }

            live = live.RemoveAt(oldest);
        }

        using var certificate = authority.IssueToNode(Node, key, options.Value.NodeCertificateLifetime);
        var issued = new NodeCertificate
        {
            Serial = certificate.SerialNumber,
            Issued = now,
            Expires = certificate.NotAfter.ToUniversalTime(),
            KeyHash = keyHash,
            Token = token,
            Der = certificate.RawData,
        };
        await WriteAsync(stored.State with { Certificates = live.Add(issued) });
        LogIssued(issued.Serial, Node, token.Length > 0 ? $"token {token}" : "its certificate", issued.Expires);
        return new IssueOutcome { Certificate = issued.Der };
    }

    // One that is not in the list was given before the list was lost: what was said about the node as a whole still counts.
    public Task<bool> IsRevokedAsync(string serial, DateTimeOffset notBefore) => Task.FromResult(
        stored.State.Certificates.FirstOrDefault(c => c.Serial == serial) is { } known ? known.Revoked : notBefore <= stored.State.RevokedUntil);

    public Task<ImmutableArray<NodeCertificateView>> ListAsync() => Task.FromResult<ImmutableArray<NodeCertificateView>>(
    [
        .. stored.State.Certificates.Where(c => c.Expires > time.GetUtcNow()).Reverse().Select(static c => new NodeCertificateView
        {
            Serial = c.Serial, Issued = c.Issued, Expires = c.Expires, Token = c.Token, Revoked = c.Revoked,
        }),
    ]);

    public async Task<int> RevokeAsync(string? serial)
    {
        var before = stored.State;
        var meant = before.Certificates.Where(c => serial is null || c.Serial.Equals(serial, StringComparison.OrdinalIgnoreCase)).ToList();
        if (meant.Count == 0)
        {
            throw new RefusedException(404, serial is null ? $"node {Node} was given no certificate" : $"node {Node} has no certificate {serial}");
        }

        await WriteAsync(before with
        {
            Certificates = [.. before.Certificates.Select(c => meant.Contains(c) ? c with { Revoked = true } : c)],
            RevokedUntil = serial is null ? time.GetUtcNow() : before.RevokedUntil,
        });
        if (serial is null)
        {
            // What was handed out for the node must not bring it back.
            await GrainFactory.GetGrain<IJoinTokenRedeemer>(IJoinTokensGrain.Key).RevokeOfAsync(Node);
        }

        await GrainFactory.GetGrain<INodeSession>(Node).CloseAsync("its certificate was revoked", serial);
        var revoked = meant.Count(c => !c.Revoked);
        LogRevoked(revoked.ToString(CultureInfo.InvariantCulture), Node, string.Join(", ", meant.Select(c => c.Serial)));
        return revoked;
    }

    private static IssueOutcome Refused(string reason, string sentence) => new() { Reason = reason, Sentence = sentence };

    private Task WriteAsync(NodeCertificatesRecord record) => stored.ReplaceAsync(record, DeactivateOnIdle);

    [LoggerMessage(LogLevel.Information, "Certificate {Serial} was given to node {Node} for {Reason}, good until {Until:u}")]
    private partial void LogIssued(string serial, string node, string reason, DateTimeOffset until);

    [LoggerMessage(LogLevel.Warning, "{Count} certificates of node {Node} were revoked: {Serials}")]
    private partial void LogRevoked(string count, string node, string serials);
}

/// <summary>A certificate, or why there is none.</summary>
[GenerateSerializer, Immutable, Alias("cloud.issue-outcome")]
internal sealed record IssueOutcome
{
    /// <summary>DER; null when it was refused.</summary>
    [Id(0)]
    public byte[]? Certificate { get; init; }

    [Id(1)]
    public string Reason { get; init; } = "";

    [Id(2)]
    public string Sentence { get; init; } = "";
}

/// <summary>What is stored of a node's certificates: those that have not expired, the oldest first.</summary>
internal sealed record NodeCertificatesRecord
{
    public int Schema { get; init; } = 1;

    public ImmutableList<NodeCertificate> Certificates { get; init; } = [];

    /// <summary>When all of the node's certificates were revoked last.</summary>
    public DateTimeOffset RevokedUntil { get; init; }
}

/// <summary>A certificate that was given to a node.</summary>
internal sealed record NodeCertificate
{
    public required string Serial { get; init; }

    public DateTimeOffset Issued { get; init; }

    public DateTimeOffset Expires { get; init; }

    /// <summary>SHA-256 of the public key.</summary>
    public required string KeyHash { get; init; }

    public string Token { get; init; } = "";

    public bool Revoked { get; init; }

    /// <summary>The whole certificate, for a node that did not hear the answer.</summary>
    public required byte[] Der { get; init; }
}
