using System.Diagnostics.CodeAnalysis;
using System.Net;
using System.Net.Sockets;

namespace EdgeOrleans.Edge.EventBus;

/// <summary>Reads <c>tcp://host:port</c> and <c>ssl://host:port</c>: where the broker inside listens.</summary>
internal static class MqttAddress
{
    /// <exception cref="StartRefusedException">It is none.</exception>
    public static IReadOnlyList<IPEndPoint> Parse(string key, string text, string scheme) => TryParse(text, scheme, out var addresses, out var reason)
        ? addresses
        : throw new StartRefusedException($"modules.eventBus.{key}: {reason}");

    public static bool TryParse(string text, string scheme, [NotNullWhen(true)] out IReadOnlyList<IPEndPoint>? addresses, out string reason)
    {
        (addresses, reason) = (null, "");
        if (!Uri.TryCreate(text, UriKind.Absolute, out var uri) || uri.Scheme != scheme || uri.Port < 0)
        {
            reason = $"'{text}' is no address; it is {scheme}://host:port, such as {scheme}://127.0.0.1:{(scheme == "ssl" ? 8883 : 1883)}";
            return false;
        }

        if (string.Equals(uri.Host, "localhost", StringComparison.OrdinalIgnoreCase))
        {
            addresses = Socket.OSSupportsIPv6 && uri.Port != 0
                ? [new IPEndPoint(IPAddress.Loopback, uri.Port), new IPEndPoint(IPAddress.IPv6Loopback, uri.Port)]
                : [new IPEndPoint(IPAddress.Loopback, uri.Port)];
            return true;
        }

        if (IPAddress.TryParse(uri.Host.Trim('[', ']'), out var ip))
        {
            addresses = [new IPEndPoint(ip, uri.Port)];
            return true;
        }

        reason = $"'{uri.Host}' is no IP address; give the address of an interface, such as 127.0.0.1";
        return false;
    }

    /// <summary>Why an address cannot be listened on, and what to do.</summary>
    public static string Explain(IPEndPoint address, SocketException cause) => cause.SocketErrorCode switch
    {
        SocketError.AddressAlreadyInUse =>
            $"MQTT cannot listen on {address}: the port is taken; is mosquitto or another node running? Choose another with --modules.eventBus.mqttServerInternal=tcp://{address.Address}:PORT (mqttServerTls for TLS), or use that broker with mqttMode 2",
        SocketError.AccessDenied => $"MQTT cannot listen on {address}: ports below 1024 need a privilege; choose a higher one",
        SocketError.AddressNotAvailable => $"MQTT cannot listen on {address}: this machine has no such address",
        _ => $"MQTT cannot listen on {address}: {cause.Message}",
    };
}
