using System.Diagnostics.CodeAnalysis;

namespace EdgeOrleans.Devices;

/// <summary>A device's id: <c>namespace/name</c>, or <c>name</c> alone for the default namespace.</summary>
/// <remarks>
/// Each part has 1 to 253 characters of <c>a-z A-Z 0-9 - _ .</c> and begins and ends with a letter or digit: Kubernetes' DNS-like
/// names, with the capital letters and underscores that KubeEdge's device ids have always carried over MQTT.
/// </remarks>
public static class DeviceId
{
    /// <summary>The namespace of an id that names none.</summary>
    public const string DefaultNamespace = "default";

    /// <summary>The most characters of a part.</summary>
    public const int MaxPart = 253;

    /// <summary>What a valid part looks like, for errors.</summary>
    public const string PartRule = "1 to 253 characters of a-z, A-Z, 0-9, '-', '_' and '.', beginning and ending with a letter or digit";

    /// <summary>Makes the full id <c>namespace/name</c> of either form.</summary>
    /// <param name="text">What a person or a topic said.</param>
    /// <param name="id">The full id.</param>
    /// <param name="reason">Why not.</param>
    public static bool TryParse(string? text, [NotNullWhen(true)] out string? id, [NotNullWhen(false)] out string? reason)
    {
        id = null;
        reason = null;
        var slash = text is null ? -1 : text.IndexOf('/', StringComparison.Ordinal);
        var (ns, name) = slash < 0 ? (DefaultNamespace, text ?? "") : (text![..slash], text[(slash + 1)..]);
        if (!IsPart(ns) || !IsPart(name))
        {
            reason = $"'{Shorten(text)}' is no device id; it is 'namespace/name', or 'name' for namespace '{DefaultNamespace}', and a part is {PartRule}";
            return false;
        }

        id = slash < 0 ? $"{DefaultNamespace}/{name}" : text!;
        return true;
    }

    /// <summary>Whether a text may be the namespace or the name of a device.</summary>
    public static bool IsPart(ReadOnlySpan<char> part)
    {
        if (part.Length is 0 or > MaxPart || !char.IsAsciiLetterOrDigit(part[0]) || !char.IsAsciiLetterOrDigit(part[^1]))
        {
            return false;
        }

        foreach (var c in part)
        {
            if (!char.IsAsciiLetterOrDigit(c) && c is not ('-' or '_' or '.'))
            {
                return false;
            }
        }

        return true;
    }

    private static string Shorten(string? text) => text is null ? "" : text.Length <= 80 ? text : text[..80] + "…";
}
