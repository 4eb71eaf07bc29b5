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

    /// <summary>A duration with its unit: <c>500ms</c>, <c>10s</c>, <c>5m</c>, <c>1h</c>, <c>7d</c>; a bare number is seconds. It is 365 days at the most.</summary>
    public static bool TryParseDuration(string text, out TimeSpan duration) => TryParseDuration(text, TimeSpan.FromDays(365), out duration);

    private static bool TryParseDuration(string text, TimeSpan most, out TimeSpan duration)
    {
        var digits = text.TrimEnd([.. "abcdefghijklmnopqrstuvwxyz"]);
        double? unit = text[digits.Length..] switch
        {
            "ms" => 0.001,
            "" or "s" => 1,
            "m" => 60,
            "h" => 3600,
            "d" => 86_400,
            _ => null,
        };
        duration = default;
        if (unit is null || !double.TryParse(digits, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var number)
            || number * unit.Value > most.TotalSeconds)
        {
            return false;
        }

        duration = TimeSpan.FromSeconds(number * unit.Value);
        return true;
    }

    public static TimeSpan? Duration(ArgumentResult result) =>
        TryParseDuration(result.Tokens[0].Value, out var duration) && duration > TimeSpan.Zero
            ? duration
            : Wrong<TimeSpan?>(result, $"'{result.Tokens[0].Value}' is no duration; take a number with ms, s, m, h or d, such as 500ms or 10s");

    /// <summary>How long something is to be good: up to 100 years, so that whoever grants it can say what is possible.</summary>
    public static TimeSpan? Lifetime(ArgumentResult result) =>
        TryParseDuration(result.Tokens[0].Value, TimeSpan.FromDays(36_500), out var duration) && duration > TimeSpan.Zero
            ? duration
            : Wrong<TimeSpan?>(result, $"'{result.Tokens[0].Value}' is no lifetime; take a number with s, m, h or d, such as 365d");
}
