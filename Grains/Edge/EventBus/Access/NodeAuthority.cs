using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Microsoft.Extensions.Logging;

namespace EdgeOrleans.Edge.EventBus.Access;

/// <summary>The node's own certificate authority for MQTT, on disk: it vouches for the broker and for clients of this node alone.</summary>
/// <remarks>
/// The key is on disk before the certificate: a start that is killed between them is finished by the next one. Once there is a certificate,
/// neither is ever replaced, because clients trust it.
/// </remarks>
/// <param name="folder">Where <c>ca.crt</c> and <c>ca.key</c> are.</param>
/// <param name="node">The node's name.</param>
/// <param name="time">The clock.</param>
/// <param name="logger">For what was made, and for a key that was open.</param>
internal sealed partial class NodeAuthority(string folder, string node, TimeProvider time, ILogger logger) : IDisposable
{
    public const string ServerAuth = "1.3.6.1.5.5.7.3.1";
    public const string ClientAuth = "1.3.6.1.5.5.7.3.2";

    private const int Years = 10;

    // A machine without a battery begins in 1970, and an authority of that year would have ended when its clock is set.
    private static readonly DateTimeOffset Earliest = new(2026, 1, 1, 0, 0, 0, TimeSpan.Zero);

    private readonly string _certificatePath = Path.Combine(folder, "ca.crt");
    private readonly string _keyPath = Path.Combine(folder, "ca.key");
    private readonly Lock _signing = new();
    private X509Certificate2? _certificate;
    private ECDsa? _key;

    /// <summary>Its certificate, without the key.</summary>
    public X509Certificate2 Certificate => _certificate ?? throw new InvalidOperationException("the authority is not open");

    /// <summary>Its end.</summary>
    public DateTimeOffset NotAfter => Certificate.NotAfter.ToUniversalTime();

    /// <summary>Reads it, or makes it when there is none.</summary>
    /// <exception cref="AccessFileException">It is damaged, has ended, or cannot be read or kept.</exception>
    public void Open()
    {
        MakeFolder();
        var key = TextFile.ReadIfThere(_keyPath, PemText.Largest);
        var certificate = TextFile.ReadIfThere(_certificatePath, PemText.Largest);
        if (PemText.HasText(certificate))
        {
            Take(certificate, PemText.HasText(key) ? key : throw Missing());
        }
        else
        {
            Make(key);
        }

        KeyMode.Close(_keyPath, logger);
        if (NotAfter <= time.GetUtcNow())
        {
            throw new AccessFileException(
                _certificatePath, 0, $"the node's authority has ended on {NotAfter:u}; remove it and {_keyPath}, and the node makes a new one, which every client then needs");
        }
    }

    /// <summary>Certifies a key.</summary>
    /// <param name="request">Whose key, and under which names.</param>
    /// <param name="usage">What it is for: <see cref="ServerAuth"/> or <see cref="ClientAuth"/>.</param>
    /// <param name="lifetime">How long it is good; never longer than the authority itself.</param>
    /// <param name="skew">By how much clocks may be slow that look at it.</param>
    public X509Certificate2 Certify(CertificateRequest request, string usage, TimeSpan lifetime, TimeSpan skew)
    {
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(certificateAuthority: false, hasPathLengthConstraint: false, pathLengthConstraint: 0, critical: true));
        request.CertificateExtensions.Add(new X509KeyUsageExtension(X509KeyUsageFlags.DigitalSignature, critical: true));
        request.CertificateExtensions.Add(new X509EnhancedKeyUsageExtension([new Oid(usage)], critical: false));
        request.CertificateExtensions.Add(new X509SubjectKeyIdentifierExtension(request.PublicKey, critical: false));
        request.CertificateExtensions.Add(X509AuthorityKeyIdentifierExtension.CreateFromCertificate(Certificate, includeKeyIdentifier: true, includeIssuerAndSerial: false));
        var now = time.GetUtcNow();
        var end = now + lifetime < NotAfter ? now + lifetime : NotAfter;
        lock (_signing)
        {
            return request.Create(Certificate.SubjectName, X509SignatureGenerator.CreateForECDsa(_key!), now - skew, end, NewSerial());
        }
    }

    /// <summary>Whether it has signed a certificate, whenever that was.</summary>
    public bool HasSigned(X509Certificate2 certificate)
    {
        using var chain = new X509Chain();
        chain.ChainPolicy.TrustMode = X509ChainTrustMode.CustomRootTrust;
        chain.ChainPolicy.RevocationMode = X509RevocationMode.NoCheck;
        chain.ChainPolicy.DisableCertificateDownloads = true;
        chain.ChainPolicy.VerificationFlags = X509VerificationFlags.IgnoreNotTimeValid;
        chain.ChainPolicy.CustomTrustStore.Add(Certificate);
        return chain.Build(certificate) && chain.ChainElements.Count == 2;
    }

    /// <summary>The certificate stays for those who are in a handshake with it.</summary>
    public void Dispose() => _key?.Dispose();

    /// <summary>A distinguished name of a common name alone, whatever characters are in it.</summary>
    public static X500DistinguishedName NameOf(string commonName)
    {
        var name = new X500DistinguishedNameBuilder();
        name.AddCommonName(commonName);
        return name.Build();
    }

    private void MakeFolder()
    {
        try
        {
            Directory.CreateDirectory(folder);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new AccessFileException(folder, 0, $"the folder of the node's authority cannot be made: {e.Message.TrimEnd('.')}");
        }
    }

    private AccessFileException Missing() => new(
        _keyPath, 0, $"the key of {_certificatePath} is missing; put a copy of it there, or remove that certificate, and the node makes a new authority, which every client then needs");

    private void Take(byte[] certificate, byte[] key)
    {
        using var pair = PemText.Pair(_certificatePath, certificate, _keyPath, key);
        _key = pair.GetECDsaPrivateKey() ?? throw new AccessFileException(_keyPath, 0, "the key of the node's authority is no ECDSA key; remove it and the certificate, and the node makes both");
        _certificate = X509CertificateLoader.LoadCertificate(pair.RawDataMemory.Span);
    }

    private void Make(byte[]? key)
    {
        _key = KeyOf(key) ?? NewKey();
        using var signed = SelfSigned(_key);
        _certificate = X509CertificateLoader.LoadCertificate(signed.RawDataMemory.Span);
        TextFile.Replace(_certificatePath, _certificate.ExportCertificatePem() + "\n", static () => true, KeyMode.Open);
        LogMade(_certificatePath, NotAfter);
    }

    private ECDsa NewKey()
    {
        var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        TextFile.Replace(_keyPath, key.ExportPkcs8PrivateKeyPem() + "\n", static () => true);
        return key;
    }

    // A key without a certificate is one of a start that was killed, or its certificate was removed: the same key lets clients' certificates count on.
    private static ECDsa? KeyOf(byte[]? bytes)
    {
        if (!PemText.HasText(bytes))
        {
            return null;
        }

        var key = ECDsa.Create();
        try
        {
            key.ImportFromPem(PemText.Text(bytes));
            return key;
        }
        catch (Exception e) when (e is CryptographicException or ArgumentException)
        {
            // Half a file of a machine that lost power: nobody has a certificate for it.
            key.Dispose();
            return null;
        }
    }

    private X509Certificate2 SelfSigned(ECDsa key)
    {
        var request = new CertificateRequest(NameOf($"EdgeOrleans MQTT of {node}"), key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(certificateAuthority: true, hasPathLengthConstraint: true, pathLengthConstraint: 0, critical: true));
        request.CertificateExtensions.Add(new X509KeyUsageExtension(X509KeyUsageFlags.KeyCertSign | X509KeyUsageFlags.CrlSign, critical: true));
        request.CertificateExtensions.Add(new X509SubjectKeyIdentifierExtension(request.PublicKey, critical: false));
        var now = time.GetUtcNow();
        return request.CreateSelfSigned(now.AddDays(-1), (now > Earliest ? now : Earliest).AddYears(Years));
    }

    // Positive, and not beginning with a zero byte, so that it is written the same everywhere.
    private static byte[] NewSerial()
    {
        var serial = RandomNumberGenerator.GetBytes(16);
        serial[0] = (byte)((serial[0] & 0x3f) | 0x40);
        return serial;
    }

    [LoggerMessage(LogLevel.Information, "Made a certificate authority for MQTT clients of this node in {Path}, good until {Until:u}; clients verify the node with it")]
    private partial void LogMade(string path, DateTimeOffset until);
}
