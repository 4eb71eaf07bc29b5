using System.Globalization;
using System.Text.Json;

namespace EdgeOrleans.Conformance.Golden;

/// <summary>Compares JSON by meaning, with the placeholders of the golden files.</summary>
/// <param name="since">Times are not older than this.</param>
/// <param name="until">Times are not newer than this.</param>
internal sealed class JsonMeaning(DateTimeOffset since, DateTimeOffset until)
{
    private const string AnyTime = "$T";
    private const string AnyUuid = "$U";
    private const string AnyTimeText = "$Z";
    private const char AnyRest = '…';

    /// <summary>Where and how a value differs from what was wanted; null when it means the same.</summary>
    public string? Difference(JsonElement wanted, JsonElement got, string path = "$") => wanted.ValueKind switch
    {
        JsonValueKind.Object => Objects(wanted, got, path),
        JsonValueKind.Array => Arrays(wanted, got, path),
        JsonValueKind.String => Texts(wanted.GetString()!, got, path),
        JsonValueKind.Number when got.ValueKind == JsonValueKind.Number => wanted.GetDecimal() == got.GetDecimal() ? null : Differs(wanted, got, path),
        _ => wanted.ValueKind == got.ValueKind ? null : Differs(wanted, got, path),
    };

    /// <summary>Whether a text may stand for <see cref="AnyTimeText"/>.</summary>
    public bool IsTimeText(string? text) =>
        DateTimeOffset.TryParseExact(text, "yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var time)
        && time > since.AddSeconds(-1) && time <= until;

    private string? Objects(JsonElement wanted, JsonElement got, string path)
    {
        if (got.ValueKind != JsonValueKind.Object)
        {
            return Differs(wanted, got, path);
        }

        foreach (var member in got.EnumerateObject())
        {
            if (!wanted.TryGetProperty(member.Name, out _))
            {
                return $"{path}.{member.Name} is {member.Value.GetRawText()} and should not be there";
            }
        }

        foreach (var member in wanted.EnumerateObject())
        {
            var inside = $"{path}.{member.Name}";
            var difference = got.TryGetProperty(member.Name, out var value) ? Difference(member.Value, value, inside) : $"{inside} is missing";
            if (difference is not null)
            {
                return difference;
            }
        }

        return null;
    }

    private string? Arrays(JsonElement wanted, JsonElement got, string path)
    {
        if (got.ValueKind != JsonValueKind.Array || got.GetArrayLength() != wanted.GetArrayLength())
        {
            return Differs(wanted, got, path);
        }

        return wanted.EnumerateArray().Zip(got.EnumerateArray())
            .Select((pair, i) => Difference(pair.First, pair.Second, $"{path}[{i}]"))
            .FirstOrDefault(d => d is not null);
    }

    private string? Texts(string wanted, JsonElement got, string path)
    {
        if (wanted == AnyTime)
        {
            return got.ValueKind == JsonValueKind.Number && got.TryGetInt64(out var ms) && ms >= since.ToUnixTimeMilliseconds() && ms <= until.ToUnixTimeMilliseconds()
                ? null
                : $"{path} is {got.GetRawText()} and should be a current time in milliseconds";
        }

        var text = got.ValueKind == JsonValueKind.String ? got.GetString() : null;
        return wanted switch
        {
            AnyUuid => Guid.TryParseExact(text, "D", out _) ? null : $"{path} is {got.GetRawText()} and should be a UUID",
            AnyTimeText => IsTimeText(text) ? null : $"{path} is {got.GetRawText()} and should be a current UTC time",
            [.. var start, AnyRest] => text?.StartsWith(start, StringComparison.Ordinal) == true ? null : $"{path} is {got.GetRawText()} and should begin with \"{start}\"",
            _ => text == wanted ? null : $"{path} is {got.GetRawText()} and should be \"{wanted}\"",
        };
    }

    private static string Differs(JsonElement wanted, JsonElement got, string path) => $"{path} is {got.GetRawText()} and should be {wanted.GetRawText()}";
}
