using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace EdgeOrleans.Cloud.CloudHub;

/// <summary>Looks at a node's certificate signing request. Only the key is taken from it: name, usages and everything else are ours.</summary>
internal static class SigningRequest
{
    /// <summary>edgecore's has 298 bytes.</summary>
    public const int MaxSize = 4096;

    private static readonly HashSet<string> Curves = ["1.2.840.10045.3.1.7", "1.3.132.0.34"];

    /// <summary>The public key as SubjectPublicKeyInfo, or why there will be no certificate for it.</summary>
    public static (byte[]? Key, Refusal? Refusal) Read(byte[] der, string node)
    {
        if (der.Length is 0 or > MaxSize)
        {
            return (null, new Refusal(400, "csr-size", $"the signing request has {der.Length} bytes; it must have 1 to {MaxSize}"));
        }

        CertificateRequest request;
        try
        {
            // Throws unless the request is signed with the key that is in it: nobody gets a certificate for a key of somebody else.
            request = CertificateRequest.LoadSigningRequest(der, HashAlgorithmName.SHA256);
        }
        catch (Exception e) when (e is CryptographicException or NotSupportedException or ArgumentException)
        {
            return (null, new Refusal(400, "csr-invalid", "the signing request is no PKCS#10 in DER, or its signature is not that of its key"));
        }

        if (!IsGoodKey(request.PublicKey))
        {
            return (null, new Refusal(400, "csr-key", "the key of the signing request must be ECDSA on P-256 or P-384"));
        }

        return NodeIdentity.Allows(request.SubjectName, node)
            ? (request.PublicKey.ExportSubjectPublicKeyInfo(), null)
            : (null, new Refusal(400, "csr-other-name", $"the signing request names somebody else than {NodeIdentity.Organization}, {NodeIdentity.CommonNamePrefix}{node}"));
    }

    private static bool IsGoodKey(PublicKey key)
    {
        try
        {
            using var ecdsa = key.GetECDsaPublicKey();
            return ecdsa?.ExportParameters(false).Curve.Oid?.Value is { } curve && Curves.Contains(curve);
        }
        catch (CryptographicException)
        {
            return false;
        }
    }
}

/// <summary>Why somebody does not get what he asked for.</summary>
/// <param name="Status">As in HTTP.</param>
/// <param name="Reason">A word for the count.</param>
/// <param name="Sentence">For the one who asked and for the log.</param>
internal sealed record Refusal(int Status, string Reason, string Sentence);
