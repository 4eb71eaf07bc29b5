using System.Formats.Asn1;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace EdgeOrleans.Edge.EventBus.Access;

/// <summary>The signature of a revocation list: RSA, RSA-PSS or ECDSA with SHA-256, 384 or 512.</summary>
/// <param name="algorithm">How it was made, as it is encoded.</param>
/// <param name="signed">What was signed.</param>
/// <param name="signature">The signature.</param>
internal sealed class CrlSignature(ReadOnlyMemory<byte> algorithm, ReadOnlyMemory<byte> signed, byte[] signature)
{
    private const string Pss = "1.2.840.113549.1.1.10";
    private const int Bits = 8;

    /// <summary>Whether this authority has made it, and may.</summary>
    public bool IsOf(X509Certificate2 authority)
    {
        var usage = authority.Extensions.OfType<X509KeyUsageExtension>().FirstOrDefault();
        try
        {
            return (usage is null || usage.KeyUsages.HasFlag(X509KeyUsageFlags.CrlSign)) && Verify(authority);
        }
        catch (Exception e) when (e is AsnContentException or CryptographicException)
        {
            return false;
        }
    }

    private bool Verify(X509Certificate2 authority)
    {
        var parts = new AsnReader(algorithm, AsnEncodingRules.DER).ReadSequence();
        var kind = parts.ReadObjectIdentifier();
        return kind switch
        {
            "1.2.840.113549.1.1.11" => Rsa(authority, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1),
            "1.2.840.113549.1.1.12" => Rsa(authority, HashAlgorithmName.SHA384, RSASignaturePadding.Pkcs1),
            "1.2.840.113549.1.1.13" => Rsa(authority, HashAlgorithmName.SHA512, RSASignaturePadding.Pkcs1),
            "1.2.840.10045.4.3.2" => Curve(authority, HashAlgorithmName.SHA256),
            "1.2.840.10045.4.3.3" => Curve(authority, HashAlgorithmName.SHA384),
            "1.2.840.10045.4.3.4" => Curve(authority, HashAlgorithmName.SHA512),
            Pss when HashOf(parts) is { } hash => Rsa(authority, hash, RSASignaturePadding.Pss),
            _ => false,
        };
    }

    // The hash of the message; it is that of the mask too, and the salt is as long, wherever anybody signs so.
    private static HashAlgorithmName? HashOf(AsnReader parts)
    {
        var first = new Asn1Tag(TagClass.ContextSpecific, 0);
        var parameters = parts.ReadSequence();
        return parameters.HasData && parameters.PeekTag().HasSameClassAndValue(first)
            ? parameters.ReadSequence(first).ReadSequence().ReadObjectIdentifier() switch
            {
                "2.16.840.1.101.3.4.2.1" => HashAlgorithmName.SHA256,
                "2.16.840.1.101.3.4.2.2" => HashAlgorithmName.SHA384,
                "2.16.840.1.101.3.4.2.3" => HashAlgorithmName.SHA512,
                _ => null,
            }
            : null;
    }

    private bool Rsa(X509Certificate2 authority, HashAlgorithmName hash, RSASignaturePadding padding)
    {
        using var key = authority.GetRSAPublicKey();
        return key is not null && signature.Length == (key.KeySize + Bits - 1) / Bits && key.VerifyData(signed.Span, signature, hash, padding);
    }

    private bool Curve(X509Certificate2 authority, HashAlgorithmName hash)
    {
        using var key = authority.GetECDsaPublicKey();
        return key is not null && key.VerifyData(signed.Span, signature, hash, DSASignatureFormat.Rfc3279DerSequence);
    }
}
