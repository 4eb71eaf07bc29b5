using System.Diagnostics.CodeAnalysis;
using System.Net;

namespace EdgeOrleans.Edge.EventBus;

/// <summary>Where a broker outside is: <c>tcp://host:port</c>, or <c>ssl://host:port</c> for TLS.</summary>
internal sealed record OutsideAddress(string Host, int Port, bool IsTls)
{
    private const int Plain = 1883;
    private const int Tls = 8883;

    public static bool TryParse(string text, [NotNullWhen(true)] out OutsideAddress? address, out string reason)
    {
        address = null;
        reason = $"is \"{text}\", but it must be tcp://host:port, or ssl://host:port for TLS";
        if (!Uri.TryCreate(text, UriKind.Absolute, out var uri) || uri.Host.Length == 0 || uri.PathAndQuery.Trim('/').Length > 0 || uri.UserInfo.Length > 0)
        {
            return false;
        }

        bool? isTls = uri.Scheme switch { "tcp" or "mqtt" => false, "ssl" or "tls" or "mqtts" or "tcps" => true, _ => null };
        if (isTls is not { } tls)
        {
            return false;
        }

        address = new OutsideAddress(uri.Host.Trim('[', ']'), uri.Port > 0 ? uri.Port : tls ? Tls : Plain, tls);
        return true;
    }

    /// <summary>Whether the broker inside would be there: the node would be a client of itself.</summary>
    public bool IsOurs(IReadOnlyList<IPEndPoint> listens) => listens.Any(ours =>
        ours.Port == Port
        && (string.Equals(Host, "localhost", StringComparison.OrdinalIgnoreCase)
            ? IPAddress.IsLoopback(ours.Address) || IsAny(ours.Address)
            : IPAddress.TryParse(Host, out var theirs) && (theirs.Equals(ours.Address) || (IsAny(ours.Address) && IPAddress.IsLoopback(theirs)))));

    public override string ToString() => $"{(IsTls ? "ssl" : "tcp")}://{(Host.Contains(':', StringComparison.Ordinal) ? $"[{Host}]" : Host)}:{Port}";

    private static bool IsAny(IPAddress address) => address.Equals(IPAddress.Any) || address.Equals(IPAddress.IPv6Any);
}
