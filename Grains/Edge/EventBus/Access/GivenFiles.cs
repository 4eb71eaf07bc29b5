namespace EdgeOrleans.Edge.EventBus.Access;

/// <summary>Something that is made of files of an operator, and made again when one of them changes. Used by one thread at a time.</summary>
/// <param name="paths">The files.</param>
/// <param name="make">Makes it of what the files hold, in their order; refuses with an <see cref="AccessFileException"/>.</param>
/// <param name="most">The most bytes of each.</param>
internal sealed class GivenFiles<T>(string[] paths, Func<byte[][], T> make, int most = PemText.Largest)
    where T : class
{
    private readonly WatchedFile[] _files = [.. paths.Select(p => new WatchedFile(p, most))];
    private readonly byte[][] _read = [.. paths.Select(static _ => Array.Empty<byte>())];
    private string? _trouble;

    /// <summary>Reads them for the first time.</summary>
    /// <exception cref="AccessFileException">They cannot be used.</exception>
    public T Open()
    {
        HasNews();
        return make(_read);
    }

    /// <summary>Looks at them again.</summary>
    /// <param name="trouble">Why they cannot be used as they are now; said once for each change.</param>
    /// <returns>What is made of a change; null when there is none that can be used.</returns>
    public T? TakeChange(out string? trouble)
    {
        trouble = null;
        try
        {
            if (HasNews())
            {
                var made = make(_read);
                _trouble = null;
                return made;
            }
        }
        catch (AccessFileException e)
        {
            // A certificate and its key are replaced one after the other: nothing is said before the next look finds them as they are.
            _trouble = e.Message;
            return null;
        }

        (trouble, _trouble) = (_trouble, null);
        return null;
    }

    private bool HasNews()
    {
        var news = false;
        for (var i = 0; i < _files.Length; i++)
        {
            if (_files[i].TakeChange() is { } bytes)
            {
                _read[i] = bytes;
                news = true;
            }
        }

        return news;
    }
}
