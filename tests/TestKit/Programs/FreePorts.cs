using System.Net;
using System.Net.Sockets;

namespace EdgeOrleans.TestKit;

/// <summary>Finds TCP ports on loopback that nobody listens at.</summary>
/// <remarks>They lie below the range from which the system serves outgoing connections, so that none of those takes one meanwhile.</remarks>
public static class FreePorts
{
    private const int First = 15_000;
    private const int Last = 29_000;

    /// <summary>That many different ports.</summary>
    public static int[] Take(int count)
    {
        var ports = new HashSet<int>();
        while (ports.Count < count)
        {
            var port = Random.Shared.Next(First, Last);
            if (IsFree(port))
            {
                ports.Add(port);
            }
        }

        return [.. ports];
    }

    /// <summary>One port.</summary>
    public static int Take() => Take(1)[0];

    private static bool IsFree(int port)
    {
        using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        try
        {
            socket.Bind(new IPEndPoint(IPAddress.Loopback, port));
            return true;
        }
        catch (SocketException)
        {
            return false;
        }
    }
}
