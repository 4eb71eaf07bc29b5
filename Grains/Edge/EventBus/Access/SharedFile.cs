using System.Text;

namespace EdgeOrleans.Edge.EventBus.Access;

/// <summary>A small file of text that the node changes, and others may change at the same moment: nothing that they write is lost.</summary>
/// <param name="path">The file.</param>
/// <param name="most">The most bytes of it.</param>
internal sealed class SharedFile(string path, int most)
{
    // Somebody else writes at the same moment: once or twice it happens, always it does not.
    private const int Tries = 10;

    private readonly Lock _changing = new();

    public string Path => path;

    /// <summary>Reads it, and puts what is made of that in its place; again from the start when others have changed it meanwhile.</summary>
    /// <param name="change">Makes the new text of what is there now, null for no file; null leaves it as it is.</param>
    /// <param name="refusal">Why not, when the text is larger than the file may be.</param>
    /// <exception cref="RefusedException">507 the text is too large.</exception>
    /// <exception cref="AccessFileException">The file cannot be used.</exception>
    public void Change(Func<byte[]?, string?> change, string refusal)
    {
        lock (_changing)
        {
            for (var i = 0; i < Tries; i++)
            {
                if (TryChange(change, refusal))
                {
                    return;
                }
            }
        }

        throw new AccessFileException(path, 0, "others change it all the time; try again");
    }

    private bool TryChange(Func<byte[]?, string?> change, string refusal)
    {
        var before = TextFile.ReadIfThere(path, most);
        var text = change(before);
        if (text is not null && Encoding.UTF8.GetByteCount(text) > most)
        {
            throw new RefusedException(507, refusal);
        }

        return text is null || TextFile.Replace(path, text, () => IsSame(before, TextFile.ReadIfThere(path, most)));
    }

    private static bool IsSame(byte[]? a, byte[]? b) => a is null || b is null ? a == b : a.AsSpan().SequenceEqual(b);
}
