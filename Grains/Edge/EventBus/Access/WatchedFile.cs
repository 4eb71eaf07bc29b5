using System.Security.Cryptography;

namespace EdgeOrleans.Edge.EventBus.Access;

/// <summary>One file that others may change at any moment: says whether there is something new in it. Used by one thread at a time.</summary>
internal sealed class WatchedFile(string path, int most)
{
    private Stamp? _stamp;
    private bool _isSure;
    private string? _seen;

    /// <summary>What is new; null when nothing is.</summary>
    /// <exception cref="AccessFileException">There is something new, and it cannot be read. It is said once.</exception>
    public byte[]? TakeChange()
    {
        var stamp = StampOf(path);
        if (_isSure && stamp == _stamp)
        {
            return null;
        }

        // The clock of files is coarse: what is read right after a change may be followed by another with the same time. So it is read twice.
        _isSure = stamp == _stamp;
        _stamp = stamp;
        try
        {
            var bytes = TextFile.Read(path, most);
            return IsNews(Convert.ToHexString(SHA256.HashData(bytes))) ? bytes : null;
        }
        catch (AccessFileException e)
        {
            if (IsNews(e.Message))
            {
                throw;
            }

            return null;
        }
    }

    private bool IsNews(string seen)
    {
        var before = _seen;
        _seen = seen;
        return seen != before;
    }

    private static Stamp? StampOf(string path)
    {
        try
        {
            var file = File.ResolveLinkTarget(path, returnFinalTarget: true) as FileInfo ?? new FileInfo(path);
            return file.Exists ? new Stamp(file.FullName, file.LastWriteTimeUtc, file.Length) : null;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    private sealed record Stamp(string Target, DateTime Written, long Length);
}
