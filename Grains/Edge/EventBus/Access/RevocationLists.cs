using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace EdgeOrleans.Edge.EventBus.Access;

/// <summary>The revocation lists of those who vouch for clients, as a file of an operator holds them: one in DER, or any number in PEM.</summary>
internal sealed class RevocationLists
{
    /// <summary>The most bytes of the file: some 100,000 certificates.</summary>
    public const int Largest = 4 * 1_024 * 1_024;

    private const string Label = "X509 CRL";
    private readonly Dictionary<string, RevocationList> _byIssuer;

    private RevocationLists(Dictionary<string, RevocationList> byIssuer) => _byIssuer = byIssuer;

    public static RevocationLists None { get; } = new([]);

    /// <summary>How many certificates are revoked.</summary>
    public int Count => _byIssuer.Values.Sum(static list => list.Revoked.Count);

    /// <summary>When the first of them should have been replaced; null when none says.</summary>
    public DateTimeOffset? Next => _byIssuer.Values.Min(static list => list.Next);

    /// <summary>Whether an authority has revoked a certificate of its own.</summary>
    public bool Has(CertificateId certificate) => _byIssuer.TryGetValue(certificate.Issuer, out var list) && list.Revoked.Contains(certificate);

    /// <summary>Reads a file.</summary>
    /// <param name="path">The file.</param>
    /// <param name="bytes">What it holds.</param>
    /// <param name="authorities">Who may revoke.</param>
    /// <param name="before">What is in force, which no older list takes the place of; null at the start, when an older one is better than none.</param>
    /// <param name="now">The time.</param>
    /// <exception cref="AccessFileException">There is none in it, or one of nobody who vouches for clients, or one that is over.</exception>
    public static RevocationLists Parse(string path, byte[] bytes, X509Certificate2Collection authorities, RevocationLists? before, DateTimeOffset now)
    {
        var all = new Dictionary<string, RevocationList>(StringComparer.Ordinal);
        foreach (var list in Split(path, bytes).Select(der => RevocationList.Read(path, der)))
        {
            var issuer = Convert.ToHexString(list.Issuer);
            MustBeOf(path, list, authorities);
            MustBeNew(path, list, before?._byIssuer.GetValueOrDefault(issuer), isStart: before is null, now);
            if (!all.TryGetValue(issuer, out var other) || other.Made < list.Made)
            {
                all[issuer] = list;
            }
        }

        return all.Count > 0 ? new RevocationLists(all)
            : throw new AccessFileException(path, 0, $"there is no certificate revocation list in it; one in PEM begins with -----BEGIN {Label}-----");
    }

    private static List<byte[]> Split(string path, byte[] bytes)
    {
        var text = PemText.Text(bytes);
        return PemEncoding.TryFind(text, out _) ? Blocks(path, text) : bytes.Length > 0 ? [bytes] : [];
    }

    private static List<byte[]> Blocks(string path, ReadOnlySpan<char> text)
    {
        var blocks = new List<byte[]>();
        while (PemEncoding.TryFind(text, out var block))
        {
            if (text[block.Label] is Label)
            {
                var der = new byte[block.DecodedDataLength];
                blocks.Add(Convert.TryFromBase64Chars(text[block.Base64Data], der, out _) ? der : throw new AccessFileException(path, 0, "a list in it is damaged"));
            }

            text = text[block.Location.End..];
        }

        return blocks;
    }

    private static void MustBeOf(string path, RevocationList list, X509Certificate2Collection authorities)
    {
        var named = authorities.Where(authority => authority.SubjectName.RawData.AsSpan().SequenceEqual(list.Issuer)).ToArray();
        if (named.Length == 0)
        {
            throw new AccessFileException(path, 0, $"the list of '{list.IssuerName}' is of nobody in tlsClientCaFile; put that authority there, or the list of one that is there here");
        }

        if (!Array.Exists(named, list.Signature.IsOf))
        {
            throw new AccessFileException(
                path, 0, $"the list is not signed by '{list.IssuerName}' of tlsClientCaFile, or with something else than RSA or ECDSA with SHA-256, 384 or 512");
        }
    }

    private static void MustBeNew(string path, RevocationList list, RevocationList? inForce, bool isStart, DateTimeOffset now)
    {
        if (inForce is not null && list.Made < inForce.Made)
        {
            throw new AccessFileException(path, 0, $"the list of '{list.IssuerName}' is of {list.Made:u}, and the one in force of {inForce.Made:u}; put the newest there");
        }

        if (!isStart && list.Next < now && list.Made != inForce?.Made)
        {
            throw new AccessFileException(path, 0, $"the list of '{list.IssuerName}' has ended on {list.Next:u}; put one there that is still good");
        }
    }
}
