using System.Text;

namespace EdgeOrleans.Edge.EventBus.Access;

/// <summary>A small file of lines of UTF-8, read as a whole and replaced as a whole.</summary>
internal static class TextFile
{
    private static readonly UTF8Encoding Strict = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    /// <summary>Reads a file that is there.</summary>
    /// <param name="path">The file.</param>
    /// <param name="most">How many bytes it may have.</param>
    /// <exception cref="AccessFileException">It is missing, too large or cannot be read.</exception>
    public static byte[] Read(string path, int most) =>
        ReadIfThere(path, most) ?? throw new AccessFileException(path, 0, "there is no such file");

    /// <summary>Reads a file; null when there is none.</summary>
    /// <inheritdoc cref="Read"/>
    public static byte[]? ReadIfThere(string path, int most)
    {
        try
        {
            using var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete, bufferSize: 0);
            return ReadUpTo(file, most) ?? throw new AccessFileException(path, 0, $"it is larger than {most:N0} bytes");
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            return null;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or NotSupportedException)
        {
            throw new AccessFileException(path, 0, $"it cannot be read: {e.Message.TrimEnd('.')}");
        }
    }

    /// <summary>The lines of a file's bytes, without their ends.</summary>
    /// <exception cref="AccessFileException">They are no UTF-8.</exception>
    public static string[] Lines(string path, byte[] bytes)
    {
        try
        {
            var text = Strict.GetString(bytes);
            return (text.StartsWith('\uFEFF') ? text[1..] : text).Split('\n');
        }
        catch (DecoderFallbackException)
        {
            throw new AccessFileException(path, LineOfBadText(bytes), "it is no UTF-8 text; save it as UTF-8");
        }
    }

    /// <summary>
    /// Puts a file in the place of another: whoever reads sees the whole old one or the whole new one, and after a loss of power so does
    /// the next start. Nobody else may read it, unless it is said.
    /// </summary>
    /// <param name="path">The file; a symbolic link is refused, so that nobody makes us write elsewhere.</param>
    /// <param name="text">What it holds from now on.</param>
    /// <param name="isStillRight">Asked as the last thing before it takes the old one's place; when not, nothing is changed.</param>
    /// <param name="mode">Who may read and write it.</param>
    /// <returns>Whether it was replaced.</returns>
    public static bool Replace(string path, string text, Func<bool> isStillRight, UnixFileMode mode = KeyMode.Ours)
    {
        RefuseLink(path);
        var aside = path + ".part";
        try
        {
            File.Delete(aside);
            Write(aside, Strict.GetBytes(text), mode);
            if (!isStillRight())
            {
                return false;
            }

            File.Move(aside, path, overwrite: true);
            return true;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new AccessFileException(path, 0, $"it cannot be written: {e.Message.TrimEnd('.')}");
        }
        finally
        {
            Discard(aside);
        }
    }

    private static void RefuseLink(string path)
    {
        if (new FileInfo(path).LinkTarget is { } target)
        {
            throw new AccessFileException(path, 0, $"it is a link to {target}, which is not written through; change that file itself");
        }
    }

    // CreateNew does not follow a link that somebody has put there.
    private static void Write(string path, byte[] bytes, UnixFileMode mode)
    {
        var how = new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write };
        if (!OperatingSystem.IsWindows())
        {
            how.UnixCreateMode = mode;
        }

        using var file = new FileStream(path, how);
        file.Write(bytes);
        file.Flush(flushToDisk: true);
    }

    private static void Discard(string path)
    {
        try
        {
            File.Delete(path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // It is in nobody's way: the next change deletes it first.
        }
    }

    // The length that a file says it has is not asked: devices and files that grow have another.
    private static byte[]? ReadUpTo(FileStream file, int most)
    {
        using var all = new MemoryStream();
        var buffer = new byte[64 * 1_024];
        for (var read = file.Read(buffer); read > 0; read = file.Read(buffer))
        {
            if (all.Length + read > most)
            {
                return null;
            }

            all.Write(buffer, 0, read);
        }

        return all.ToArray();
    }

    private static int LineOfBadText(byte[] bytes)
    {
        var line = 1;
        for (var start = 0; start < bytes.Length; line++)
        {
            var length = bytes.AsSpan(start).IndexOf((byte)'\n') + 1;
            var end = length == 0 ? bytes.Length : start + length;
            if (!System.Text.Unicode.Utf8.IsValid(bytes.AsSpan(start..end)))
            {
                return line;
            }

            start = end;
        }

        return 0;
    }
}
