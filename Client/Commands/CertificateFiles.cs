using EdgeOrleans.Mqtt;

namespace EdgeOrleans.Client.Commands;

/// <summary>The three files that a client connects with. Its key is readable by their owner alone, from its first byte.</summary>
internal sealed class CertificateFiles
{
    private const UnixFileMode Secret = UnixFileMode.UserRead | UnixFileMode.UserWrite;
    private const UnixFileMode Public = Secret | UnixFileMode.GroupRead | UnixFileMode.OtherRead;
    private readonly string _folder;
    private readonly bool _overwrites;

    /// <param name="folder">Where they go; made when it is not there.</param>
    /// <param name="user">Whose they are.</param>
    /// <param name="overwrites">Whether files that are there are replaced.</param>
    public CertificateFiles(string folder, string user, bool overwrites)
    {
        (_folder, _overwrites) = (folder, overwrites);
        var name = NameOf(user);
        Certificate = Path.Combine(folder, name + ".crt");
        Key = Path.Combine(folder, name + ".key");
        Authority = Path.Combine(folder, "ca.crt");
    }

    public string Certificate { get; }

    public string Key { get; }

    /// <summary>The node's own authority; the same for all clients of a node, so one that is there may stay.</summary>
    public string Authority { get; }

    /// <summary>Looks before a certificate is made for nothing.</summary>
    /// <exception cref="CommandException">A file is there and must not be replaced.</exception>
    public void MustBeFree()
    {
        if (Certificate == Authority)
        {
            throw new CommandException(ExitCodes.Usage, $"the certificate of a user '{Path.GetFileNameWithoutExtension(Authority)}' would have the name of the authority's file; choose another user");
        }

        if (new[] { Certificate, Key, Authority }.FirstOrDefault(Directory.Exists) is { } folder)
        {
            throw new CommandException(ExitCodes.Failed, $"{folder} is a folder, and a file of that name is to be written; take another folder with --out");
        }

        if (!_overwrites && new[] { Certificate, Key }.FirstOrDefault(Path.Exists) is { } there)
        {
            throw IsThere(there);
        }
    }

    /// <summary>Writes them. None bears its name before all are on the disk.</summary>
    /// <exception cref="CommandException">A file is there and must not be replaced, or cannot be written.</exception>
    public void Write(MqttCertificate certificate)
    {
        var aside = new List<(string From, string To)>();
        try
        {
            Directory.CreateDirectory(_folder);
            if (!HasAuthority(certificate.CaPem))
            {
                WriteAside(Authority, certificate.CaPem, Public);
            }

            WriteAside(Key, certificate.KeyPem, Secret);
            WriteAside(Certificate, certificate.CertificatePem, Public);
            aside.ForEach(file => File.Move(file.From, file.To, _overwrites));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or ArgumentException or NotSupportedException)
        {
            throw new CommandException(ExitCodes.Failed, $"the certificate cannot be written to {_folder}: {e.Message}");
        }
        finally
        {
            aside.ForEach(static file => Discard(file.From));
        }

        void WriteAside(string path, string text, UnixFileMode mode)
        {
            var file = $"{path}.{Guid.NewGuid():N}";
            aside.Add((file, path));
            Write(file, text, mode);
        }
    }

    private bool HasAuthority(string pem)
    {
        if (!Path.Exists(Authority))
        {
            return false;
        }

        // PEM has a byte a character.
        if (new FileInfo(Authority).Length == pem.Length && File.ReadAllText(Authority) == pem)
        {
            return true;
        }

        return _overwrites ? false : throw IsThere(Authority, " and is of another authority");
    }

    private static void Write(string path, string text, UnixFileMode mode)
    {
        var how = new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write };
        if (!OperatingSystem.IsWindows())
        {
            how.UnixCreateMode = mode;
        }

        using var writer = new StreamWriter(path, how);
        writer.Write(text);
    }

    private static void Discard(string path)
    {
        try
        {
            File.Delete(path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // Why the writing failed is told; what is left beside the files is in nobody's way.
        }
    }

    // What parts folders on one system parts them on all, so that the names are the same everywhere.
    private static string NameOf(string user) => string.Concat(user.Select(c => c is '/' or '\\' || Path.GetInvalidFileNameChars().Contains(c) ? '-' : c));

    private static CommandException IsThere(string path, string more = "") =>
        new(ExitCodes.Failed, $"{path} is there already{more}; remove it, take another folder with --out, or overwrite it with --force");
}
