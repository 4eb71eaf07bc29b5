using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using EdgeOrleans.Edge.EventBus.Access;
using EdgeOrleans.TestKit;

namespace EdgeOrleans.Edge.EventBus;

/// <summary>A client of MQTT 5 over TLS that shows a certificate.</summary>
internal sealed class TlsTalk : IDisposable
{
    private readonly TcpClient _socket;
    private readonly SslStream _stream;

    private TlsTalk(TcpClient socket, SslStream stream) => (_socket, _stream) = (socket, stream);

    /// <summary>Connects, and says what became of it: the code of the CONNACK, null when there was none.</summary>
    public static async Task<(TlsTalk Talk, int? Code)> ConnectAsync(int port, string trust, (string Certificate, string Key) shows, string client)
    {
        var socket = new TcpClient("127.0.0.1", port);
        var talk = new TlsTalk(socket, new SslStream(socket.GetStream()));
        try
        {
            await talk._stream.AuthenticateAsClientAsync(Handshake.Client(trust, DateTimeOffset.UtcNow, "localhost", shows, SslProtocols.None), TestContext.Current.CancellationToken);
            await talk._stream.WriteAsync(MqttTalk.ConnectPacket(client), TestContext.Current.CancellationToken);
            var welcome = await talk.ReadAsync();
            return (talk, welcome is null ? null : (int?)welcome[3]);
        }
        catch (Exception e) when (e is IOException or AuthenticationException)
        {
            return (talk, null);
        }
    }

    /// <summary>The broker ends the connection; the reason that it said last.</summary>
    public async Task<int?> EndedAsync()
    {
        int? reason = null;
        try
        {
            while (await ReadAsync() is { } packet)
            {
                reason = packet[0] == 0xE0 && packet.Length > 2 ? packet[2] : reason;
            }
        }
        catch (IOException)
        {
            // It ended without a farewell of TLS.
        }

        return reason;
    }

    /// <summary>Asks whether it is still there.</summary>
    public async Task PingAsync()
    {
        await _stream.WriteAsync(new byte[] { 0xC0, 0 }, TestContext.Current.CancellationToken);
        Assert.Equal([0xD0, 0], await ReadAsync());
    }

    public void Dispose()
    {
        _stream.Dispose();
        _socket.Dispose();
    }

    // No packet of these tests is longer than 127 bytes.
    private async Task<byte[]?> ReadAsync()
    {
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        patience.CancelAfter(Patience.Default);
        var head = new byte[2];
        if (await _stream.ReadAtLeastAsync(head, 2, throwOnEndOfStream: false, patience.Token) < 2)
        {
            return null;
        }

        var packet = new byte[2 + head[1]];
        head.CopyTo(packet, 0);
        await _stream.ReadExactlyAsync(packet.AsMemory(2), patience.Token);
        return packet;
    }
}
