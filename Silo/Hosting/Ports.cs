using System.Net;
using System.Net.Sockets;
using EdgeOrleans.Settings;

namespace EdgeOrleans.Hosting;

/// <summary>Looks whether Orleans' ports are free, while a sentence can still say which is not and what to do.</summary>
internal static class Ports
{
    public static void Check(SiloOptions silo)
    {
        Check(silo.Port, "silo.port", "the port between silos");
        Check(silo.GatewayPort, "silo.gatewayPort", "the console's port");
    }

    private static void Check(int port, string key, string what)
    {
        using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        try
        {
            socket.Bind(new IPEndPoint(IPAddress.Loopback, port));
            socket.Listen(1);
        }
        catch (SocketException e)
        {
            throw new SettingsException(
                $"port {port} on 127.0.0.1 ({key}, {what}) cannot be used: {e.Message}; is another node running? --{key}=PORT takes another");
        }
    }
}
