using System.Security.Cryptography.X509Certificates;

namespace EdgeOrleans.Edge.EdgeHub;

/// <summary>What the node links with.</summary>
/// <param name="Certificate">Its own certificate, with the key.</param>
/// <param name="Authority">The cloud's CA.</param>
/// <param name="RenewAt">When the next certificate is due: by chance between 70 and 90 % of this one's life, so that a fleet does not ask at once.</param>
internal sealed record NodeCredentials(X509Certificate2 Certificate, X509Certificate2Collection Authority, DateTimeOffset RenewAt)
{
    public static NodeCredentials Of(X509Certificate2 certificate, X509Certificate2Collection authority, double chance)
    {
        DateTimeOffset from = certificate.NotBefore.ToUniversalTime(), until = certificate.NotAfter.ToUniversalTime();
        return new(certificate, authority, from + ((until - from) * (0.7 + (0.2 * chance))));
    }
}
