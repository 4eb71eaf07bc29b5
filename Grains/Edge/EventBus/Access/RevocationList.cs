using System.Formats.Asn1;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace EdgeOrleans.Edge.EventBus.Access;

/// <summary>One certificate revocation list (RFC 5280) of one authority, not yet verified.</summary>
internal sealed class RevocationList
{
    private const string DeltaIndicator = "2.5.29.27";
    private const string DistributionPoint = "2.5.29.28";

    private RevocationList(byte[] issuer, DateTimeOffset made, DateTimeOffset? next, HashSet<CertificateId> revoked, CrlSignature signature) =>
        (Issuer, IssuerName, Made, Next, Revoked, Signature) = (issuer, new X500DistinguishedName(issuer).Name, made, next, revoked, signature);

    /// <summary>The authority's name, as it is encoded.</summary>
    public byte[] Issuer { get; }

    /// <summary>When the authority made it.</summary>
    public DateTimeOffset Made { get; }

    /// <summary>When there is a newer one at the latest; null when the authority does not say.</summary>
    public DateTimeOffset? Next { get; }

    /// <summary>The certificates that it names.</summary>
    public IReadOnlySet<CertificateId> Revoked { get; }

    public CrlSignature Signature { get; }

    public string IssuerName { get; }

    /// <summary>Reads a list.</summary>
    /// <param name="path">The file that it is of.</param>
    /// <param name="der">The list.</param>
    /// <exception cref="AccessFileException">It is none, or one that does not say for itself who is revoked.</exception>
    public static RevocationList Read(string path, byte[] der)
    {
        try
        {
            return Read(path, new AsnReader(der, AsnEncodingRules.DER));
        }
        catch (Exception e) when (e is AsnContentException or CryptographicException)
        {
            throw new AccessFileException(path, 0, "it is no certificate revocation list, or a damaged one; put a whole copy there, PEM or DER");
        }
    }

    private static RevocationList Read(string path, AsnReader file)
    {
        var outer = file.ReadSequence();
        file.ThrowIfNotEmpty();
        var signed = outer.PeekEncodedValue();
        var body = outer.ReadSequence();
        var algorithm = outer.ReadEncodedValue();
        var signature = outer.ReadBitString(out var unused);
        outer.ThrowIfNotEmpty();
        if (Is(body, Asn1Tag.Integer))
        {
            body.ReadInteger();
        }

        if (unused != 0 || !body.ReadEncodedValue().Span.SequenceEqual(algorithm.Span))
        {
            throw new AsnContentException();
        }

        var issuer = body.ReadEncodedValue().ToArray();
        var made = Time(body);
        DateTimeOffset? next = Is(body, Asn1Tag.UtcTime) || Is(body, Asn1Tag.GeneralizedTime) ? Time(body) : null;
        var revoked = Is(body, Asn1Tag.Sequence) ? Entries(body.ReadSequence(), Convert.ToHexString(issuer)) : [];
        if (body.HasData)
        {
            CheckWhole(path, body.ReadSequence(new Asn1Tag(TagClass.ContextSpecific, 0)).ReadSequence());
        }

        return new RevocationList(issuer, made, next, revoked, new CrlSignature(algorithm, signed, signature));
    }

    // Whatever is said beside the number: it is revoked.
    private static HashSet<CertificateId> Entries(AsnReader entries, string issuer)
    {
        var revoked = new HashSet<CertificateId>();
        while (entries.HasData)
        {
            revoked.Add(new CertificateId(issuer, SerialNumber.Of(entries.ReadSequence().ReadIntegerBytes().Span)));
        }

        return revoked;
    }

    // What a list says in a critical extension has to be understood: it may be about some certificates alone.
    private static void CheckWhole(string path, AsnReader extensions)
    {
        while (extensions.HasData)
        {
            var extension = extensions.ReadSequence();
            var kind = extension.ReadObjectIdentifier();
            var isCritical = Is(extension, Asn1Tag.Boolean) && extension.ReadBoolean();
            var value = extension.ReadOctetString();
            if (kind == DeltaIndicator || (kind == DistributionPoint && !IsAboutClients(value)))
            {
                throw new AccessFileException(path, 0, "it is a list of changes or of a part of the certificates; put the authority's whole list there");
            }

            if (isCritical && kind != DistributionPoint)
            {
                throw new AccessFileException(path, 0, $"it has an extension that has to be understood and is not ({kind}); put a list without it there");
            }
        }
    }

    // A name of the list [0] says nothing against it, nor that it is about the certificates of users alone [1].
    private static bool IsAboutClients(byte[] value)
    {
        var parts = new AsnReader(value, AsnEncodingRules.DER).ReadSequence();
        while (parts.HasData)
        {
            if (parts.PeekTag().TagValue > 1)
            {
                return false;
            }

            parts.ReadEncodedValue();
        }

        return true;
    }

    private static bool Is(AsnReader reader, Asn1Tag tag) => reader.HasData && reader.PeekTag().HasSameClassAndValue(tag);

    private static DateTimeOffset Time(AsnReader reader) => Is(reader, Asn1Tag.UtcTime) ? reader.ReadUtcTime() : reader.ReadGeneralizedTime();
}
