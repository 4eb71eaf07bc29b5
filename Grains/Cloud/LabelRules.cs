using System.Globalization;

namespace EdgeOrleans.Cloud;

/// <summary>What labels and annotations may be called and hold: Kubernetes' rules, and one label of KubeEdge that is a free text.</summary>
internal static class LabelRules
{
    /// <summary>KubeEdge's label that describes a device to people; selectors do not see it.</summary>
    public const string Description = "description";

    public const int MaxLabels = 64;
    public const int MaxAnnotationBytes = 64 * 1_024;
    public const int MaxDescription = 512;
    private const int MaxName = 63;
    private const int MaxPrefix = 253;

    public static string? WhyNoName(string name)
    {
        var slash = name.IndexOf('/', StringComparison.Ordinal);
        var (prefix, rest) = slash < 0 ? ("", name) : (name[..slash], name[(slash + 1)..]);
        if ((slash >= 0 && !IsPrefix(prefix)) || !IsWord(rest))
        {
            return $"a label's name has 1 to {MaxName} letters, digits, '-', '_' and '.', a letter or digit at both ends, and may have a DNS name and / before it";
        }

        return null;
    }

    public static string? WhyNoValue(string value) =>
        value.Length == 0 || IsWord(value) ? null : $"a label's value has up to {MaxName} letters, digits, '-', '_' and '.', a letter or digit at both ends";

    /// <summary>Why a label may not be; null when it may.</summary>
    public static string? WhyNot(string name, string value) => name == Description
        ? value.Length <= MaxDescription ? null : string.Create(CultureInfo.InvariantCulture, $"the description has at most {MaxDescription} characters")
        : WhyNoName(name) ?? WhyNoValue(value);

    private static bool IsWord(ReadOnlySpan<char> text)
    {
        if (text.Length is 0 or > MaxName || !char.IsAsciiLetterOrDigit(text[0]) || !char.IsAsciiLetterOrDigit(text[^1]))
        {
            return false;
        }

        foreach (var c in text)
        {
            if (!char.IsAsciiLetterOrDigit(c) && c is not ('-' or '_' or '.'))
            {
                return false;
            }
        }

        return true;
    }

    private static bool IsPrefix(string prefix) => prefix.Length is > 0 and <= MaxPrefix
        && prefix.Split('.').All(static part => part.Length > 0 && part.All(static c => char.IsAsciiLetterLower(c) || char.IsAsciiDigit(c) || c == '-')
            && part[0] != '-' && part[^1] != '-');
}
