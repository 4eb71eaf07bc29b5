using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace EdgeOrleans.Edge.EventBus.Access;

/// <summary>An authority of a test, which signs what a test wants.</summary>
internal sealed class TestAuthority : IDisposable
{
    public const string ServerAuth = "1.3.6.1.5.5.7.3.1";
    public const string ClientAuth = "1.3.6.1.5.5.7.3.2";

    private readonly ECDsa _key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
    private readonly DateTimeOffset _now;

    public TestAuthority(string name, DateTimeOffset now, TestAuthority? above = null, DateTimeOffset? end = null)
    {
        _now = now;
        var request = new CertificateRequest(NodeAuthority.NameOf(name), _key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, false, 0, true));
        request.CertificateExtensions.Add(new X509SubjectKeyIdentifierExtension(request.PublicKey, false));
        var until = end ?? now.AddYears(20);
        if (above is null)
        {
            using var signed = request.CreateSelfSigned(now.AddDays(-100), until);
            Certificate = X509CertificateLoader.LoadCertificate(signed.RawData);
        }
        else
        {
            Certificate = above.Sign(request, now.AddDays(-100), until);
        }
    }

    public X509Certificate2 Certificate { get; }

    public string Pem => Certificate.ExportCertificatePem() + "\n";

    public (string Certificate, string Key) Issue(string name, string? usage = ClientAuth, DateTimeOffset? from = null, DateTimeOffset? until = null)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest(NodeAuthority.NameOf(name), key, HashAlgorithmName.SHA256);
        return (Issue(request, usage, from, until), key.ExportPkcs8PrivateKeyPem() + "\n");
    }

    public (string Certificate, string Key) IssueRsa(string name)
    {
        using var key = RSA.Create(2048);
        var request = new CertificateRequest(NodeAuthority.NameOf(name), key, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1);
        return (Issue(request, ServerAuth, null, null), key.ExportRSAPrivateKeyPem() + "\n");
    }

    /// <summary>A list of these certificates, DER.</summary>
    public byte[] Revoke(DateTimeOffset made, DateTimeOffset next, params string[] certificates)
    {
        using var signer = Certificate.CopyWithPrivateKey(_key);
        var list = new CertificateRevocationListBuilder();
        foreach (var pem in certificates)
        {
            using var certificate = X509Certificate2.CreateFromPem(pem);
            list.AddEntry(certificate, made.AddHours(-1), X509RevocationReason.KeyCompromise);
        }

        return list.Build(signer, 1, next, HashAlgorithmName.SHA256, thisUpdate: made);
    }

    public void Dispose()
    {
        _key.Dispose();
        Certificate.Dispose();
    }

    private string Issue(CertificateRequest request, string? usage, DateTimeOffset? from, DateTimeOffset? until)
    {
        var names = new SubjectAlternativeNameBuilder();
        names.AddDnsName("localhost");
        request.CertificateExtensions.Add(names.Build());
        if (usage is not null)
        {
            request.CertificateExtensions.Add(new X509EnhancedKeyUsageExtension([new Oid(usage)], false));
        }

        using var signed = Sign(request, from ?? _now.AddDays(-1), until ?? _now.AddYears(1));
        return signed.ExportCertificatePem() + "\n";
    }

    private X509Certificate2 Sign(CertificateRequest request, DateTimeOffset from, DateTimeOffset until) =>
        request.Create(Certificate.SubjectName, X509SignatureGenerator.CreateForECDsa(_key), from, until, [1, .. RandomNumberGenerator.GetBytes(11)]);
}
