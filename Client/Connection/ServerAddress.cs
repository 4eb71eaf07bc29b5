using System.Diagnostics.CodeAnalysis;
using System.Globalization;

namespace EdgeOrleans.Client.Connection;

/// <summary>A host and a port, as in <c>127.0.0.1:30000</c>, <c>node-1</c> or <c>[::1]:30000</c>.</summary>
internal sealed record ServerAddress(string Host, int Port)
{
    public static bool TryParse(string? text, int defaultPort, [NotNullWhen(true)] out ServerAddress? address)
    {
        address = null;
        var (host, port) = Split(text?.Trim() ?? "");
        var number = defaultPort;
        if (host.Length == 0 || Uri.CheckHostName(host) == UriHostNameType.Unknown
            || (port is not null && !int.TryParse(port, NumberStyles.None, CultureInfo.InvariantCulture, out number))
            || number is < 1 or > 65535)
        {
            return false;
        }

        address = new ServerAddress(host, number);
        return true;
    }

    public override string ToString() => Host.Contains(':', StringComparison.Ordinal) ? $"[{Host}]:{Port}" : $"{Host}:{Port}";

    private static (string Host, string? Port) Split(string text)
    {
        if (text.StartsWith('['))
        {
            var end = text.IndexOf(']', StringComparison.Ordinal);
            return end < 0 ? ("", null)
                : end == text.Length - 1 ? (text[1..end], null)
                : text[end + 1] == ':' ? (text[1..end], text[(end + 2)..])
                : ("", null);
        }

        var colon = text.LastIndexOf(':');
        return colon < 0 || text.IndexOf(':', StringComparison.Ordinal) != colon ? (text, null) : (text[..colon], text[(colon + 1)..]);
    }
}
