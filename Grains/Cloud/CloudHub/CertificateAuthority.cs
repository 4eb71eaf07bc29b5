using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using EdgeOrleans.Joining;

namespace EdgeOrleans.Cloud.CloudHub;

/// <summary>The cloud's own certificate authority: it vouches for the cloud's doors and for nodes, and nobody else does.</summary>
internal sealed class CertificateAuthority : IDisposable
{
    private const string ServerAuth = "1.3.6.1.5.5.7.3.1";
    private const string ClientAuth = "1.3.6.1.5.5.7.3.2";

    private static readonly TimeSpan MostSkew = TimeSpan.FromMinutes(5);

    private readonly X509Certificate2 _certificate;
    private readonly ECDsa _key;
    private readonly TimeProvider _time;
    private readonly Lock _signing = new();

    /// <param name="certificate">With its private key; it is ours from here on.</param>
    /// <param name="time">The clock.</param>
    public CertificateAuthority(X509Certificate2 certificate, TimeProvider time)
    {
        (_certificate, _time) = (certificate, time);
        _key = certificate.GetECDsaPrivateKey()!;
        Hash = JoinToken.HashOf(certificate.RawData);
    }

    /// <summary>The CA certificate, DER.</summary>
    public byte[] Certificate => _certificate.RawData;

    /// <summary>The first part of every join token.</summary>
    public string Hash { get; }

    public void Dispose()
    {
        _key.Dispose();
        _certificate.Dispose();
    }

    /// <summary>A certificate for a node, for nothing but being a client.</summary>
    /// <param name="node">The node's name.</param>
    /// <param name="key">The node's public key, SubjectPublicKeyInfo.</param>
    /// <param name="lifetime">How long it is good; never longer than the CA itself.</param>
    public X509Certificate2 IssueToNode(string node, byte[] key, TimeSpan lifetime)
    {
        var request = new CertificateRequest(NodeIdentity.SubjectOf(node), PublicKey.CreateFromSubjectPublicKeyInfo(key, out _), HashAlgorithmName.SHA256);
        return Issue(request, ClientAuth, lifetime);
    }

    /// <summary>A certificate with its key for the cloud's doors.</summary>
    /// <param name="names">Host names and IP addresses under which it is reached.</param>
    /// <param name="lifetime">How long it is good.</param>
    public X509Certificate2 IssueToDoor(IEnumerable<string> names, TimeSpan lifetime)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=EdgeOrleans cloud", key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(AlternativeNames(names));
        using var certificate = Issue(request, ServerAuth, lifetime);
        using var whole = certificate.CopyWithPrivateKey(key);

        // Windows' TLS does not take a key that was never in a store or a file.
        return X509CertificateLoader.LoadPkcs12(whole.Export(X509ContentType.Pkcs12), null, X509KeyStorageFlags.Exportable);
    }

    /// <summary>Whether a certificate is one of a node, ours and in time. It does not say whether it was revoked: <see cref="NodeTrust"/> does.</summary>
    public (string? Node, Refusal? Refusal) Read(X509Certificate2? certificate) => Read(certificate, TimeSpan.Zero);

    /// <inheritdoc cref="Read(X509Certificate2?)"/>
    /// <param name="certificate">The certificate.</param>
    /// <param name="amnesty">How long after its end it counts all the same.</param>
    public (string? Node, Refusal? Refusal) Read(X509Certificate2? certificate, TimeSpan amnesty)
    {
        if (certificate is null)
        {
            return Refused("no-certificate", "there is no client certificate");
        }

        using var chain = new X509Chain { ChainPolicy = Policy() };
        var built = chain.Build(certificate);
        var status = chain.ChainStatus.Aggregate(X509ChainStatusFlags.NoError, static (all, one) => all | one.Status);
        var isOurs = chain.ChainElements.Count == 2 && chain.ChainElements[1].Certificate.RawDataMemory.Span.SequenceEqual(_certificate.RawDataMemory.Span);
        if (!isOurs || (status & ~(X509ChainStatusFlags.NotTimeValid | X509ChainStatusFlags.NotValidForUsage)) != 0)
        {
            return Refused("foreign-certificate", "the client certificate is not from this cloud's CA");
        }

        var isLetBack = amnesty > TimeSpan.Zero && certificate.NotAfter.ToUniversalTime() is var end && end <= _time.GetUtcNow() && _time.GetUtcNow() - end < amnesty;
        if ((status & X509ChainStatusFlags.NotTimeValid) != 0 && !isLetBack)
        {
            return Refused("expired-certificate", $"the client certificate {certificate.SerialNumber} is good from {certificate.NotBefore.ToUniversalTime():u} to {certificate.NotAfter.ToUniversalTime():u}");
        }

        return (built || (isLetBack && (status & X509ChainStatusFlags.NotValidForUsage) == 0)) && IsForClients(certificate) && NodeIdentity.NodeOf(certificate.SubjectName) is { } node
            ? (node, null)
            : Refused("no-node-certificate", $"the certificate {certificate.SerialNumber} is not a node's");
    }

    private static (string?, Refusal) Refused(string reason, string sentence) => (null, new Refusal(401, reason, sentence));

    private static bool IsForClients(X509Certificate2 certificate) =>
        certificate.Extensions.OfType<X509EnhancedKeyUsageExtension>().SingleOrDefault() is { } usages
        && usages.EnhancedKeyUsages.Cast<Oid>().All(static usage => usage.Value == ClientAuth);

    private X509ChainPolicy Policy()
    {
        var policy = new X509ChainPolicy
        {
            TrustMode = X509ChainTrustMode.CustomRootTrust,
            RevocationMode = X509RevocationMode.NoCheck,
            DisableCertificateDownloads = true,
            VerificationTime = _time.GetUtcNow().LocalDateTime,
        };
        policy.CustomTrustStore.Add(_certificate);
        policy.ApplicationPolicy.Add(new Oid(ClientAuth));
        return policy;
    }

    private X509Certificate2 Issue(CertificateRequest request, string usage, TimeSpan lifetime)
    {
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(false, false, 0, critical: true));
        request.CertificateExtensions.Add(new X509KeyUsageExtension(X509KeyUsageFlags.DigitalSignature, critical: true));
        request.CertificateExtensions.Add(new X509EnhancedKeyUsageExtension([new Oid(usage)], critical: false));
        request.CertificateExtensions.Add(X509AuthorityKeyIdentifierExtension.CreateFromCertificate(_certificate, includeKeyIdentifier: true, includeIssuerAndSerial: false));
        var now = _time.GetUtcNow();
        var skew = lifetime / 10 < MostSkew ? lifetime / 10 : MostSkew;
        var end = now + lifetime < _certificate.NotAfter ? now + lifetime : _certificate.NotAfter;
        lock (_signing)
        {
            return request.Create(_certificate.SubjectName, X509SignatureGenerator.CreateForECDsa(_key), now - skew, end, NewSerial());
        }
    }

    // Positive, and not beginning with a zero byte, so that it is written the same everywhere.
    private static byte[] NewSerial()
    {
        var serial = RandomNumberGenerator.GetBytes(16);
        serial[0] = (byte)((serial[0] & 0x3f) | 0x40);
        return serial;
    }

    private static X509Extension AlternativeNames(IEnumerable<string> names)
    {
        var builder = new SubjectAlternativeNameBuilder();
        foreach (var name in names.Distinct(StringComparer.OrdinalIgnoreCase))
        {
            if (IPAddress.TryParse(name, out var address))
            {
                builder.AddIpAddress(address);
            }
            else
            {
                builder.AddDnsName(name);
            }
        }

        return builder.Build();
    }
}
