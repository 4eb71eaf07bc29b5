using System.Security.Cryptography.X509Certificates;

namespace EdgeOrleans.Cloud.CloudHub;

/// <summary>Who holds a client certificate, if it still counts: ours, in time, a node's, and not revoked.</summary>
internal sealed class NodeTrust(CertificateAuthority authority, IGrainFactory grains)
{
    /// <summary>The node, or why nobody may act as one with it. Ask again for every connection.</summary>
    /// <param name="certificate">The certificate that the client showed; null for none.</param>
    /// <param name="amnesty">How long after its end it counts all the same.</param>
    public async Task<(string? Node, Refusal? Refusal)> IsTrustedAsync(X509Certificate2? certificate, TimeSpan amnesty = default)
    {
        var (node, refusal) = authority.Read(certificate, amnesty);
        if (node is null)
        {
            return (null, refusal);
        }

        var issuer = grains.GetGrain<INodeCertificateIssuer>(node);
        return await issuer.IsRevokedAsync(certificate!.SerialNumber, certificate.NotBefore.ToUniversalTime())
            ? (null, new Refusal(401, "revoked-certificate", $"the certificate {certificate.SerialNumber} of node {node} was revoked"))
            : (node, null);
    }
}
