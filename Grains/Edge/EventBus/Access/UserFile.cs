namespace EdgeOrleans.Edge.EventBus.Access;

/// <summary>
/// A file of users and their passwords' hashes, <c>user:hash</c> a line, with comments behind a <c>#</c> at the beginning of a line; the
/// format of mosquitto. What others write into it meanwhile stays.
/// </summary>
/// <param name="path">The file.</param>
/// <param name="reserved">The node's own user, whose name nobody gets.</param>
internal sealed class UserFile(string path, string reserved)
{
    /// <summary>The most bytes of the file.</summary>
    public const int Largest = 10 * 1_024 * 1_024;

    /// <summary>More users than a file of that size can hold: a line has 109 bytes or more.</summary>
    public const int Most = 100_000;

    private readonly SharedFile _file = new(path, Largest);

    public string Path => path;

    /// <summary>Reads the file.</summary>
    /// <exception cref="AccessFileException">It is missing, or a line of it is wrong.</exception>
    public Users Load() => Parse(TextFile.Read(path, Largest));

    /// <summary>Reads what the file holds.</summary>
    /// <inheritdoc cref="Load"/>
    public Users Parse(byte[] bytes) => Parse(TextFile.Lines(path, bytes));

    /// <summary>Gives a user a password, a new one if there is one already. The file is made if there is none.</summary>
    /// <returns>Whether the user is new.</returns>
    /// <exception cref="RefusedException">The name or the password is not good.</exception>
    /// <exception cref="AccessFileException">The file cannot be used.</exception>
    public bool Set(string user, ReadOnlySpan<byte> password)
    {
        if (UserName.Refuses(user, reserved) is { } reason)
        {
            throw new RefusedException(400, $"the name {reason}");
        }

        if (password.Length is 0 or > PasswordHash.LongestPassword)
        {
            throw new RefusedException(400, $"a password has 1 to {PasswordHash.LongestPassword:N0} bytes");
        }

        var line = $"{user}:{PasswordHash.Of(password).ToLine()}";
        return !Change(user, line);
    }

    /// <summary>Takes a user out.</summary>
    /// <returns>Whether there was one.</returns>
    /// <exception cref="AccessFileException">The file cannot be used.</exception>
    public bool Remove(string user) => Change(user, line: null);

    /// <returns>Whether the user was there.</returns>
    private bool Change(string user, string? line)
    {
        var wasThere = false;
        _file.Change(
            before =>
            {
                var lines = before is null ? [] : TextFile.Lines(path, before).ToList();
                wasThere = Parse(lines).Find(user) is not null;
                return line is null && !wasThere ? null : Replace(lines, user, line);
            },
            $"the file of users would be larger than {Largest:N0} bytes; remove a user or a comment first");
        return wasThere;
    }

    private Users Parse(IReadOnlyList<string> lines)
    {
        var users = new Dictionary<string, PasswordHash>(StringComparer.Ordinal);
        for (var i = 0; i < lines.Count; i++)
        {
            if (!IsUser(lines[i]))
            {
                continue;
            }

            var (name, hash) = ParseLine(lines[i], i + 1);
            if (!users.TryAdd(name, hash))
            {
                throw new AccessFileException(path, i + 1, $"user '{name}' is there already; remove one of the two lines");
            }
        }

        return new Users(users);
    }

    // What is wrong is not shown: somebody may have put the password where the name or the hash belongs.
    private (string Name, PasswordHash Hash) ParseLine(string line, int number)
    {
        var colon = line.IndexOf(':', StringComparison.Ordinal);
        if (colon < 0)
        {
            throw new AccessFileException(path, number, "there is no ':'; a line is user:hash, and a comment begins with '#'");
        }

        var name = NameOf(line, colon);
        if (UserName.Refuses(name, reserved) is { } bad)
        {
            throw new AccessFileException(path, number, $"the name {bad}");
        }

        return PasswordHash.TryParse(line[(colon + 1)..].Trim(), out var hash, out var reason)
            ? (name, hash)
            : throw new AccessFileException(path, number, reason);
    }

    private static string Replace(List<string> lines, string user, string? line)
    {
        // What follows the last line's end is no line.
        if (lines.Count > 0 && lines[^1].Length == 0)
        {
            lines.RemoveAt(lines.Count - 1);
        }

        var at = lines.FindIndex(l => IsUser(l) && NameOf(l, l.IndexOf(':', StringComparison.Ordinal)) == user);
        if (at >= 0)
        {
            lines.RemoveAt(at);
        }

        if (line is not null)
        {
            lines.Insert(at >= 0 ? at : lines.Count, line);
        }

        return string.Concat(lines.Select(l => l + "\n"));
    }

    private static string NameOf(string line, int colon) => line[..colon].Trim();

    private static bool IsUser(string line) => !line.StartsWith('#') && !string.IsNullOrWhiteSpace(line);
}
