using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using EdgeOrleans.Settings;

namespace EdgeOrleans.Edge.EdgeHub;

/// <summary>The node's certificates on disk: the cloud's CA, the node's own certificate and its private key, PEM, readable by nobody else.</summary>
/// <remarks>
/// A key is on disk before anything is asked for with it: when the answer is lost, the same key asks again and a token that can be used once
/// gives the same certificate. A new pair takes two renames; what a crash leaves between them is finished at the next read.
/// </remarks>
internal sealed class CertificateFiles(EdgeHubOptions options, DataOptions data)
{
    private const string Aside = ".new";
    private const int MaxSize = 1024 * 1024;
    private const UnixFileMode Ours = UnixFileMode.UserRead | UnixFileMode.UserWrite;

    public string AuthorityFile { get; } = Or(options.TlsCaFile, data, "ca.crt");

    public string CertificateFile { get; } = Or(options.TlsCertFile, data, "node.crt");

    public string KeyFile { get; } = Or(options.TlsPrivateKeyFile, data, "node.key");

    /// <summary>The cloud's CA, if the node knows it; a file may have several certificates.</summary>
    /// <exception cref="JoinException">The file is there and cannot be used.</exception>
    public X509Certificate2Collection? ReadAuthority() => Reading(AuthorityFile, () =>
    {
        if (!File.Exists(AuthorityFile))
        {
            return null;
        }

        var authority = new X509Certificate2Collection();
        authority.ImportFromPem(ReadText(AuthorityFile));
        return authority.Count > 0 ? authority : throw new CryptographicException("it has no certificate");
    });

    /// <summary>The node's certificate with its key; null when there is none.</summary>
    /// <exception cref="JoinException">The files are there and cannot be used.</exception>
    public X509Certificate2? ReadNode() => Reading(CertificateFile, () =>
    {
        Finish();
        return File.Exists(CertificateFile) ? Usable(X509Certificate2.CreateFromPem(ReadText(CertificateFile), ReadText(KeyFile))) : null;
    });

    /// <summary>The key that the next certificate is asked for with: the one that is waiting for an answer, or a new one.</summary>
    public ECDsa NextKey() => Reading(KeyFile, () =>
    {
        var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        if (File.Exists(KeyFile + Aside))
        {
            try
            {
                key.ImportFromPem(ReadText(KeyFile + Aside));
                return key;
            }
            catch (Exception e) when (e is CryptographicException or ArgumentException)
            {
                // Half a file of a machine that lost power: nobody has a certificate for it.
                key.Dispose();
                key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
            }
        }

        Write(KeyFile + Aside, key.ExportPkcs8PrivateKeyPem());
        return key;
    });

    public void WriteAuthority(byte[] authority) => Reading(AuthorityFile, () =>
    {
        Write(AuthorityFile, PemEncoding.WriteString("CERTIFICATE", authority));
        return true;
    });

    /// <summary>The certificate for <see cref="NextKey"/> has come: from here on it is the node's.</summary>
    public X509Certificate2 Adopt(byte[] certificate) => Reading(CertificateFile, () =>
    {
        Write(CertificateFile + Aside, PemEncoding.WriteString("CERTIFICATE", certificate));
        Finish();
        return Usable(X509Certificate2.CreateFromPem(ReadText(CertificateFile), ReadText(KeyFile)));
    });

    private void Finish()
    {
        if (!File.Exists(CertificateFile + Aside))
        {
            return;
        }

        var certificate = ReadText(CertificateFile + Aside);
        if (Fits(certificate, KeyFile + Aside))
        {
            File.Move(KeyFile + Aside, KeyFile, overwrite: true);
        }

        if (Fits(certificate, KeyFile))
        {
            File.Move(CertificateFile + Aside, CertificateFile, overwrite: true);
        }
        else
        {
            File.Delete(CertificateFile + Aside);
        }
    }

    private static bool Fits(string certificate, string keyFile)
    {
        try
        {
            using var pair = File.Exists(keyFile) ? X509Certificate2.CreateFromPem(certificate, ReadText(keyFile)) : null;
            return pair is not null;
        }
        catch (Exception e) when (e is CryptographicException or ArgumentException)
        {
            return false;
        }
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

    private static T Reading<T>(string file, Func<T> work)
    {
        try
        {
            return work();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or CryptographicException or ArgumentException)
        {
            throw new JoinException($"{Path.GetFullPath(file)} cannot be used: {e.Message.TrimEnd('.')}", e);
        }
    }

    private static string ReadText(string file) =>
        new FileInfo(file).Length <= MaxSize ? File.ReadAllText(file) : throw new IOException("it is too large for a certificate or a key");

    // Written aside, on the disk, then renamed: there is the whole file or the one before.
    private static void Write(string path, string pem)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(Path.GetFullPath(path))!);
        var aside = path + ".part";
        File.Delete(aside);
        var how = new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write };
        if (!OperatingSystem.IsWindows())
        {
            how.UnixCreateMode = Ours;
        }

        using (var file = new FileStream(aside, how))
        {
            file.Write(Encoding.ASCII.GetBytes(pem + "\n"));
            file.Flush(flushToDisk: true);
        }

        File.Move(aside, path, overwrite: true);
    }

    private static string Or(string given, DataOptions data, string name) => given.Length > 0 ? given : Path.Combine(data.Data, "certs", name);
}

/// <summary>The node has no certificate to link with, and why; a person may have to do something. The sentence never has a token in it.</summary>
internal class JoinException(string sentence, Exception? inner = null) : Exception(sentence, inner);
