using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Microsoft.Extensions.Logging;

namespace EdgeOrleans.Cloud.CloudHub;

/// <summary>The CA's certificate and private key in one file of the data folder, which nobody else may read.</summary>
/// <remarks>One file, written aside and then renamed: after a crash there is a whole authority or none. It is never replaced: every node trusts it.</remarks>
internal sealed partial class AuthorityFile(string folder, TimeProvider time, ILogger logger)
{
    /// <summary>The name of the file inside the data folder.</summary>
    public const string FileName = "cloud-ca.pem";

    private const int MaxSize = 64 * 1024;
    private const UnixFileMode Ours = UnixFileMode.UserRead | UnixFileMode.UserWrite;

    private readonly string _path = Path.Combine(folder, FileName);

    /// <summary>The authority, made when there is none.</summary>
    /// <exception cref="StartRefusedException">The file cannot be read, written or kept from others.</exception>
    public X509Certificate2 Open()
    {
        try
        {
            if (!File.Exists(_path))
            {
                Create();
            }

            KeepFromOthers();
            return Read();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new StartRefusedException($"the cloud's CA {Path.GetFullPath(_path)} cannot be used: {e.Message}");
        }
    }

    private void Create()
    {
        Directory.CreateDirectory(folder);
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        using var certificate = SelfSigned(key);
        var aside = _path + ".new";
        File.Delete(aside);
        var options = new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write };
        if (!OperatingSystem.IsWindows())
        {
            options.UnixCreateMode = Ours;
        }

        using (var file = new FileStream(aside, options))
        {
            using var text = new StreamWriter(file);
            text.WriteLine(certificate.ExportCertificatePem());
            text.WriteLine(key.ExportPkcs8PrivateKeyPem());
            text.Flush();
            file.Flush(flushToDisk: true);
        }

        File.Move(aside, _path, overwrite: false);
        LogCreated(_path, certificate.NotAfter.ToUniversalTime());
    }

    private X509Certificate2 SelfSigned(ECDsa key)
    {
        var request = new CertificateRequest("CN=EdgeOrleans", key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(certificateAuthority: true, hasPathLengthConstraint: true, pathLengthConstraint: 0, critical: true));
        request.CertificateExtensions.Add(new X509KeyUsageExtension(X509KeyUsageFlags.KeyCertSign | X509KeyUsageFlags.CrlSign, critical: true));
        request.CertificateExtensions.Add(new X509SubjectKeyIdentifierExtension(request.PublicKey, critical: false));

        // A node's clock may be slow, and no node can be told of another authority yet: KubeEdge's own lasts as long.
        var now = time.GetUtcNow();
        return request.CreateSelfSigned(now.AddDays(-1), now.AddYears(100));
    }

    private void KeepFromOthers()
    {
        if (OperatingSystem.IsWindows() || File.GetUnixFileMode(_path) is var mode && (mode & ~Ours) == 0)
        {
            return;
        }

        File.SetUnixFileMode(_path, Ours);
        LogWasOpen(_path, mode);
    }

    private X509Certificate2 Read()
    {
        try
        {
            var text = new FileInfo(_path).Length <= MaxSize ? File.ReadAllText(_path) : "";
            var certificate = X509Certificate2.CreateFromPem(text, text);
            using var key = certificate.GetECDsaPrivateKey();
            return key is not null ? certificate : throw new CryptographicException("its key is no ECDSA key");
        }
        catch (Exception e) when (e is CryptographicException or ArgumentException)
        {
            throw new StartRefusedException(
                $"the cloud's CA {Path.GetFullPath(_path)} is damaged: {e.Message.TrimEnd('.')}; put a copy of it there, or remove it, and every node has to join again");
        }
    }

    [LoggerMessage(LogLevel.Information, "Made a certificate authority for this cloud in {Path}, good until {Until:u}; keep a copy of it")]
    private partial void LogCreated(string path, DateTime until);

    [LoggerMessage(LogLevel.Warning, "The private key of the cloud in {Path} was open to others ({Mode}); it is closed now, and whoever could read it can still act as this cloud")]
    private partial void LogWasOpen(string path, UnixFileMode mode);
}
