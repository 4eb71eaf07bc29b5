using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace EdgeOrleans.Edge.EventBus.Access;

/// <summary>Who vouches for clients.</summary>
/// <param name="roots">Whom the broker believes.</param>
/// <param name="between">Certificates between a root and clients that a client need not show.</param>
/// <param name="revoked">Whom they have revoked.</param>
internal sealed class ClientTrust(X509Certificate2Collection roots, X509Certificate2Collection between, RevocationLists revoked)
{
    private const string ClientAuth = "1.3.6.1.5.5.7.3.2";

    /// <summary>Whom they have revoked.</summary>
    public RevocationLists Revoked => revoked;

    /// <summary>All who may revoke.</summary>
    public X509Certificate2Collection Authorities => [.. roots, .. between];

    /// <summary>The same, with others revoked.</summary>
    public ClientTrust With(RevocationLists lists) => new(roots, between, lists);

    /// <summary>Reads a file of authorities.</summary>
    /// <exception cref="AccessFileException">There is no root in it that is good at this time.</exception>
    public static ClientTrust Parse(string path, byte[] bytes, DateTimeOffset now)
    {
        var all = PemText.Certificates(path, bytes);
        var roots = new X509Certificate2Collection(all.Where(IsRoot).ToArray());
        if (roots.Count == 0)
        {
            throw new AccessFileException(path, 0, "there is no root in it, only certificates that another has signed; add that one, up to the one that has signed itself");
        }

        var last = roots.MaxBy(static r => r.NotAfter)!.NotAfter.ToUniversalTime();
        return last > now
            ? new ClientTrust(roots, new X509Certificate2Collection(all.Where(static c => !IsRoot(c)).ToArray()), RevocationLists.None)
            : throw new AccessFileException(path, 0, $"its root has ended on {last:u}; put one there that is still good");
    }

    /// <summary>How a client's certificate is judged: up to one of the roots, in time, and not for servers alone. Nothing is asked of the network.</summary>
    /// <remarks>A new one each time: a policy has its time in it.</remarks>
    public X509ChainPolicy At(DateTimeOffset now)
    {
        var policy = new X509ChainPolicy
        {
            TrustMode = X509ChainTrustMode.CustomRootTrust,
            RevocationMode = X509RevocationMode.NoCheck,
            DisableCertificateDownloads = true,
            VerificationTime = now.LocalDateTime,
        };
        policy.CustomTrustStore.AddRange(roots);
        policy.ExtraStore.AddRange(between);
        policy.ApplicationPolicy.Add(new Oid(ClientAuth));
        return policy;
    }

    private static bool IsRoot(X509Certificate2 certificate) => certificate.SubjectName.RawData.AsSpan().SequenceEqual(certificate.IssuerName.RawData);
}
