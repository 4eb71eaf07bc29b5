using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace EdgeOrleans.Cloud.CloudHub;

/// <summary>A node's key and its signing requests, as edgecore makes them and as it should not.</summary>
internal sealed class Csr : IDisposable
{
    public ECDsa Key { get; } = ECDsa.Create(ECCurve.NamedCurves.nistP256);

    /// <summary>edgecore's: place, country, organization and name, ECDSA on P-256 with SHA-256.</summary>
    public static string StockSubject(string node) => $"C=CN, S=Zhejiang, L=Hangzhou, O=system:nodes, CN=system:node:{node}";

    public void Dispose() => Key.Dispose();

    public byte[] Of(string node) => Request(StockSubject(node)).CreateSigningRequest();

    public byte[] WithSubject(string subject) => Request(subject).CreateSigningRequest();

    /// <summary>One that wants to be a server under another name, and an authority.</summary>
    public byte[] Greedy(string node)
    {
        var request = Request(StockSubject(node));
        var names = new SubjectAlternativeNameBuilder();
        names.AddDnsName("cloud.example");
        request.CertificateExtensions.Add(names.Build());
        request.CertificateExtensions.Add(new X509EnhancedKeyUsageExtension([new Oid("1.3.6.1.5.5.7.3.1")], false));
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, false, 0, true));
        return request.CreateSigningRequest();
    }

    /// <summary>A certificate with this key.</summary>
    public X509Certificate2 WithKey(byte[] certificate)
    {
        using var bare = X509CertificateLoader.LoadCertificate(certificate);
        return bare.CopyWithPrivateKey(Key);
    }

    private CertificateRequest Request(string subject) => new(subject, Key, HashAlgorithmName.SHA256);
}
