using System.Net;
using System.Net.Sockets;

namespace EdgeOrleans.Client.Connection;

/// <summary>Finds out whether somebody listens at an address, and says in words why not.</summary>
internal static class Reach
{
    /// <summary>How long an unreachable address may keep a person waiting.</summary>
    public static readonly TimeSpan Patience = TimeSpan.FromSeconds(2);

    /// <summary>How long somebody who listens may take to answer: a busy machine needs its time. With <see cref="Patience"/> ten seconds.</summary>
    public static readonly TimeSpan Handshake = TimeSpan.FromSeconds(8);

    public static async Task<IPAddress[]> ResolveAsync(ServerAddress address, CancellationToken cancellation)
    {
        try
        {
            using var limit = Limit(cancellation);
            return IPAddress.TryParse(address.Host, out var ip) ? [ip] : await Dns.GetHostAddressesAsync(address.Host, limit.Token);
        }
        catch (Exception e) when (Failed(e, cancellation))
        {
            throw new UnreachableException("the name is not known");
        }
    }

    /// <summary>Opens and closes a connection: the first address that accepts one.</summary>
    public static async Task<IPEndPoint> ProbeAsync(ServerAddress address, CancellationToken cancellation)
    {
        using var limit = Limit(cancellation);
        var why = "the name has no address";
        foreach (var ip in await ResolveAsync(address, cancellation))
        {
            try
            {
                using var socket = new Socket(ip.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
                await socket.ConnectAsync(ip, address.Port, limit.Token);
                return new IPEndPoint(ip, address.Port);
            }
            catch (Exception e) when (Failed(e, cancellation))
            {
                why = Why(e);
            }
        }

        throw new UnreachableException(why);
    }

    public static CancellationTokenSource Limit(CancellationToken cancellation, TimeSpan? patience = null)
    {
        var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        limit.CancelAfter(patience ?? Patience);
        return limit;
    }

    private static bool Failed(Exception e, CancellationToken cancellation) =>
        e is SocketException || (e is OperationCanceledException && !cancellation.IsCancellationRequested);

    private static string Why(Exception e) => e switch
    {
        SocketException { SocketErrorCode: SocketError.ConnectionRefused } => "nobody listens there",
        SocketException socket => socket.SocketErrorCode.ToString(),
        _ => $"no answer within {Patience.TotalSeconds:0} s",
    };
}

/// <summary>Nobody can be reached at an address; the message is the reason.</summary>
internal sealed class UnreachableException(string why) : Exception(why);
