namespace EdgeOrleans.Edge.EventBus.Access;

/// <summary>A client's certificate that the node's own authority has made. The key is nowhere else.</summary>
/// <param name="CertificatePem">The certificate.</param>
/// <param name="KeyPem">Its private key, PKCS#8 without a password.</param>
/// <param name="CaPem">The certificate of the node's own authority.</param>
/// <param name="NotAfter">Until when the certificate is good.</param>
internal sealed record IssuedCertificate(string CertificatePem, string KeyPem, string CaPem, DateTimeOffset NotAfter)
{
    /// <summary>Without the key, so that it gets into no log.</summary>
    public override string ToString() => $"a certificate until {NotAfter:u}";
}
