namespace EdgeOrleans.Nodes;

/// <summary>The names that nodes may have: lower case letters, digits, <c>-</c> and <c>.</c>, a letter or digit at both ends, at most 253.</summary>
public static class NodeName
{
    /// <summary>The longest name.</summary>
    public const int MaxLength = 253;

    /// <summary>Whether a node may be called so.</summary>
    public static bool IsValid(string? name) =>
        name is { Length: > 0 and <= MaxLength } && IsEnd(name[0]) && IsEnd(name[^1]) && name.All(static c => IsEnd(c) || c is '-' or '.');

    private static bool IsEnd(char c) => char.IsAsciiLetterLower(c) || char.IsAsciiDigit(c);
}
