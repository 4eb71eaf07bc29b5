using System.Net.Sockets;

namespace EdgeOrleans.Edge.EventBus;

/// <summary>A client's socket. A client that breaks off reads as one that has closed: a crowd that vanishes at once costs no exceptions on their way through many hands.</summary>
internal sealed class ClientStream(Socket socket) : NetworkStream(socket, ownsSocket: true)
{
    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        try
        {
            return await Socket.ReceiveAsync(buffer, SocketFlags.None, cancellationToken);
        }
        catch (SocketException)
        {
            return 0;
        }
    }
}
