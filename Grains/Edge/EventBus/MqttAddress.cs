using System.Net;
using System.Net.Sockets;

namespace EdgeOrleans.Edge.EventBus;

/// <summary>Reads <c>tcp://host:port</c>.</summary>
internal static class MqttAddress
{
    public static IReadOnlyList<IPEndPoint> Parse(string text)
    {
        if (!Uri.TryCreate(text, UriKind.Absolute, out var uri) || uri.Scheme != "tcp" || uri.Port < 0)
        {
            throw new StartRefusedException($"modules.eventBus.mqttServerInternal: '{text}' is no address; it is tcp://host:port, such as tcp://127.0.0.1:1883");
        }

        if (string.Equals(uri.Host, "localhost", StringComparison.OrdinalIgnoreCase))
        {
            return Socket.OSSupportsIPv6 && uri.Port != 0
                ? [new IPEndPoint(IPAddress.Loopback, uri.Port), new IPEndPoint(IPAddress.IPv6Loopback, uri.Port)]
                : [new IPEndPoint(IPAddress.Loopback, uri.Port)];
        }

        return IPAddress.TryParse(uri.Host.Trim('[', ']'), out var ip)
            ? [new IPEndPoint(ip, uri.Port)]
            : throw new StartRefusedException($"modules.eventBus.mqttServerInternal: '{uri.Host}' is no IP address; give the address of an interface, such as 127.0.0.1");
    }

    /// <summary>Why an address cannot be listened on, and what to do.</summary>
    public static string Explain(IPEndPoint address, SocketException cause) => cause.SocketErrorCode switch
    {
        SocketError.AddressAlreadyInUse =>
            $"MQTT cannot listen on {address}: the port is taken; is mosquitto or another node running? Choose another with --modules.eventBus.mqttServerInternal=tcp://{address.Address}:PORT",
        SocketError.AccessDenied => $"MQTT cannot listen on {address}: ports below 1024 need a privilege; choose a higher one",
        SocketError.AddressNotAvailable => $"MQTT cannot listen on {address}: this machine has no such address",
        _ => $"MQTT cannot listen on {address}: {cause.Message}",
    };
}
