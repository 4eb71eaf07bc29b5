using System.CommandLine.Parsing;
using System.Globalization;
using EdgeOrleans.Devices;
using EdgeOrleans.Nodes;
using EdgeOrleans.Resources;

namespace EdgeOrleans.Client.Commands;

/// <summary>Reads what a person typed, or says what would be right.</summary>
internal static class Typed
{
    public static T? Wrong<T>(ArgumentResult result, string sentence)
    {
        result.AddError(sentence);
        return default;
    }

    /// <summary>The full id of a device or model.</summary>
    public static string Id(string text) =>
        DeviceId.TryParse(text, out var id, out var reason) ? id : throw new CommandException(ExitCodes.Usage, reason);

    /// <summary>The id of a resource: a node's is its name.</summary>
    public static string ResourceId(string kind, string text) => kind != ResourceKinds.Node ? Id(text)
        : NodeName.IsValid(text) ? text
        : throw new CommandException(ExitCodes.Usage, $"'{text}' is no node's name; it has lower case letters, digits, '-' and '.', a letter or digit at both ends");

    /// <summary>A duration with its unit: <c>500ms</c>, <c>10s</c>, <c>5m</c>, <c>1h</c>; a bare number is seconds.</summary>
    public static bool TryParseDuration(string text, out TimeSpan duration)
    {
        var digits = text.TrimEnd([.. "abcdefghijklmnopqrstuvwxyz"]);
        double? unit = text[digits.Length..] switch
        {
            "ms" => 0.001,
            "" or "s" => 1,
            "m" => 60,
            "h" => 3600,
            _ => null,
        };
        duration = default;
        if (unit is null || !double.TryParse(digits, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var number)
            || number * unit.Value > TimeSpan.FromDays(365).TotalSeconds)
        {
            return false;
        }

        duration = TimeSpan.FromSeconds(number * unit.Value);
        return true;
    }

    public static TimeSpan? Duration(ArgumentResult result) =>
        TryParseDuration(result.Tokens[0].Value, out var duration) && duration > TimeSpan.Zero
            ? duration
            : Wrong<TimeSpan?>(result, $"'{result.Tokens[0].Value}' is no duration; take a number with ms, s, m or h, such as 500ms or 10s");
}
