using System.Text;

namespace EdgeOrleans.Client;

/// <summary>Texts of others, made fit for a terminal.</summary>
internal static class Text
{
    /// <summary>The same text without control characters: a device's words must not steer a person's terminal.</summary>
    public static string Plain(string? text)
    {
        if (text is null || !text.Any(char.IsControl))
        {
            return text ?? "";
        }

        return string.Concat(text.Select(c => char.IsControl(c) ? "�" : c.ToString()));
    }

    /// <summary>The same text as one line.</summary>
    public static string OneLine(string text)
    {
        var line = new StringBuilder(text.Length);
        foreach (var word in text.Split(['\r', '\n', '\t'], StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries))
        {
            line.Append(line.Length == 0 ? "" : " ").Append(word);
        }

        return Plain(line.ToString());
    }
}
