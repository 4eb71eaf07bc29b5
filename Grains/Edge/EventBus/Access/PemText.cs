using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;

namespace EdgeOrleans.Edge.EventBus.Access;

/// <summary>Certificates and keys as PEM files hold them. What cannot be used is refused with the file and the reason.</summary>
internal static class PemText
{
    /// <summary>The most bytes of a file.</summary>
    public const int Largest = 1_024 * 1_024;

    /// <summary>All certificates of a file, one at least.</summary>
    /// <exception cref="AccessFileException">There is none, or one is damaged.</exception>
    public static X509Certificate2Collection Certificates(string path, byte[] bytes)
    {
        var all = new X509Certificate2Collection();
        try
        {
            all.ImportFromPem(Text(bytes));
        }
        catch (CryptographicException)
        {
            throw new AccessFileException(path, 0, "a certificate in it is damaged; put a whole copy of it there");
        }

        return all.Count > 0 ? all : throw new AccessFileException(path, 0, "there is no certificate in PEM in it; one begins with -----BEGIN CERTIFICATE-----");
    }

    /// <summary>The first certificate of a file with its private key.</summary>
    /// <exception cref="AccessFileException">There is none, or its key is not the one in the other file.</exception>
    public static X509Certificate2 Pair(string certificatePath, byte[] certificate, string keyPath, byte[] key)
    {
        Certificates(certificatePath, certificate);
        RefuseKey(keyPath, Text(key));
        try
        {
            return Usable(X509Certificate2.CreateFromPem(Text(certificate), Text(key)));
        }
        catch (Exception e) when (e is CryptographicException or ArgumentException or NotSupportedException)
        {
            throw new AccessFileException(keyPath, 0, $"the key does not fit the certificate in {certificatePath}, or is damaged; give the key that the certificate was made with");
        }
    }

    /// <summary>Whether there is anything in what was read. A file that was made and never written is as good as none.</summary>
    public static bool HasText([System.Diagnostics.CodeAnalysis.NotNullWhen(true)] byte[]? bytes) => bytes is not null && !string.IsNullOrWhiteSpace(Text(bytes));

    /// <summary>Every byte is a character: remarks between the blocks may be in any encoding.</summary>
    public static string Text(byte[] bytes) => Encoding.Latin1.GetString(bytes);

    private static void RefuseKey(string path, string text)
    {
        if (LabelOfKey(text) is not { } label)
        {
            throw new AccessFileException(
                path, 0, "there is no private key in PEM without a password in it; one begins with -----BEGIN PRIVATE KEY-----");
        }

        if (label.StartsWith("ENCRYPTED", StringComparison.Ordinal))
        {
            throw new AccessFileException(path, 0, "the private key has a password; give it without one, as 'openssl pkey -in FILE -out NEW' writes it");
        }
    }

    private static string? LabelOfKey(ReadOnlySpan<char> text)
    {
        while (PemEncoding.TryFind(text, out var block))
        {
            if (text[block.Label].EndsWith("PRIVATE KEY", StringComparison.Ordinal))
            {
                return text[block.Label].ToString();
            }

            text = text[block.Location.End..];
        }

        return null;
    }

    // Windows' TLS does not take a key that was never in a store or a file.
    private static X509Certificate2 Usable(X509Certificate2 certificate)
    {
        if (!OperatingSystem.IsWindows())
        {
            return certificate;
        }

        using (certificate)
        {
            return X509CertificateLoader.LoadPkcs12(certificate.Export(X509ContentType.Pkcs12), null, X509KeyStorageFlags.Exportable);
        }
    }
}
