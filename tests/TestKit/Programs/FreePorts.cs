using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;

namespace EdgeOrleans.TestKit;

/// <summary>Finds TCP ports on loopback that nobody listens at, and that nobody else is given while this process lives.</summary>
/// <remarks>
/// They lie below the range from which the system serves outgoing connections, so that none of those takes one meanwhile. The UDP port of
/// the same number is held as the sign that one is taken: a program that is killed and started again finds its port free.
/// </remarks>
public static class FreePorts
{
    private const int First = 15_000;
    private const int Last = 29_000;

    private static readonly ConcurrentBag<Socket> Signs = [];

    /// <summary>That many different ports.</summary>
    public static int[] Take(int count) => [.. Enumerable.Range(0, count).Select(static _ => Take())];

    /// <summary>One port.</summary>
    public static int Take()
    {
        while (true)
        {
            var port = Random.Shared.Next(First, Last);
            if (TryTake(port))
            {
                return port;
            }
        }
    }

    private static bool TryTake(int port)
    {
        var sign = new Socket(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);
        using var probe = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        try
        {
            sign.Bind(new IPEndPoint(IPAddress.Loopback, port));
            probe.Bind(new IPEndPoint(IPAddress.Loopback, port));
            Signs.Add(sign);
            return true;
        }
        catch (SocketException)
        {
            sign.Dispose();
            return false;
        }
    }
}
