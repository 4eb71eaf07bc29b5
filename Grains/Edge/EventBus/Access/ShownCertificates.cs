using System.Security.Cryptography.X509Certificates;

namespace EdgeOrleans.Edge.EventBus.Access;

/// <summary>What a client has shown in its handshake: its certificate and those above it up to the root, which answers for itself.</summary>
internal sealed class ShownCertificates
{
    private CertificateId[] _all = [];

    /// <summary>The client's own first; none while there is none that was believed.</summary>
    public IReadOnlyList<CertificateId> All => Volatile.Read(ref _all);

    /// <summary>Whether the handshake has failed because one of them was revoked.</summary>
    public bool IsRefused { get; set; }

    public void Take(X509Chain chain) =>
        Volatile.Write(ref _all, [.. chain.ChainElements.SkipLast(1).Select(static element => CertificateId.Of(element.Certificate))]);
}
