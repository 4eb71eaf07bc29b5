namespace EdgeOrleans.Edge.EventBus.Access;

/// <summary>What a user may be called. A device's client is called like its device: <c>default/pump-1</c>, or <c>pump-1</c>.</summary>
internal static class UserName
{
    /// <summary>The most characters of a name.</summary>
    public const int Longest = 256;

    /// <summary>Why a name is none, as the end of a sentence that begins with "the name"; null when it is good.</summary>
    /// <param name="name">The name.</param>
    /// <param name="reserved">The node's own user, whose name nobody gets in any case of its letters; empty for none.</param>
    public static string? Refuses(string name, string reserved)
    {
        if (name.Length is 0 or > Longest)
        {
            return $"has {name.Length} characters; it has 1 to {Longest}";
        }

        if (reserved.Length > 0 && string.Equals(name, reserved, StringComparison.OrdinalIgnoreCase))
        {
            return "is the node's own; choose another";
        }

        return RefusesCharacters(name) ?? RefusesSlash(name);
    }

    private static string? RefusesCharacters(string name)
    {
        if (name.AsSpan().IndexOfAny(':', '+', '#') >= 0)
        {
            return "has one of ':', '+' and '#'; the first ends a name in the file, the others would stand for any topic in a rule";
        }

        if (name.Any(char.IsControl) || char.IsWhiteSpace(name[0]) || char.IsWhiteSpace(name[^1]))
        {
            return "has a control character, or begins or ends with a space";
        }

        return IsText(name) ? null : "is no text: half of a surrogate pair is in it";
    }

    private static string? RefusesSlash(string name) =>
        name.Count(c => c == '/') > 1 || name[0] == '/' || name[^1] == '/' ? "has a '/' that is not between a namespace and a name; it is 'namespace/name' or 'name'" : null;

    private static bool IsText(string name)
    {
        for (var i = 0; i < name.Length; i++)
        {
            if (char.IsSurrogate(name[i]) && !(i + 1 < name.Length && char.IsSurrogatePair(name[i], name[++i])))
            {
                return false;
            }
        }

        return true;
    }
}
