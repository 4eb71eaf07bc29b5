using System.Net;
using System.Net.Sockets;

namespace EdgeOrleans.TestKit;

/// <summary>A bare connection to an MQTT port: it sends any bytes, and reads packets as they come. For load, and for bad manners.</summary>
public sealed class MqttSocket : IDisposable
{
    private readonly Socket _socket;
    private byte[] _buffer = new byte[64 * 1024];
    private int _begin;
    private int _end;

    private MqttSocket(Socket socket) => _socket = socket;

    /// <summary>Opens the connection and says nothing.</summary>
    /// <param name="port">The port.</param>
    /// <param name="address">The IPv4 address. Default: loopback.</param>
    public static async Task<MqttSocket> OpenAsync(int port, IPAddress? address = null)
    {
        var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        await socket.ConnectAsync(address ?? IPAddress.Loopback, port);
        return new MqttSocket(socket);
    }

    /// <summary>Opens the connection as a client of MQTT 3.1.1 with a clean session, and subscribes.</summary>
    public static async Task<MqttSocket> ConnectAsync(int port, string clientId, int qos = 0, params string[] topics)
    {
        var mqtt = await OpenAsync(port);
        await mqtt.SendAsync(MqttPacket.Connect(clientId));
        await mqtt.ReadAsync(MqttPacket.ConnAck);
        foreach (var topic in topics)
        {
            await mqtt.SendAsync(MqttPacket.Subscribe(1, topic, qos));
            await mqtt.ReadAsync(MqttPacket.SubAck);
        }

        return mqtt;
    }

    /// <summary>Sends bytes.</summary>
    public async ValueTask SendAsync(ReadOnlyMemory<byte> bytes)
    {
        while (bytes.Length > 0)
        {
            bytes = bytes[await _socket.SendAsync(bytes)..];
        }
    }

    /// <summary>Whether the next packet is already here.</summary>
    public bool TryRead(out MqttPacket packet)
    {
        packet = default;
        var length = 0;
        for (var i = 1; i <= 4 && _begin + i < _end; i++)
        {
            var next = _buffer[_begin + i];
            length |= (next & 0x7f) << (7 * (i - 1));
            if (next < 0x80)
            {
                return TryTake(1 + i, length, out packet);
            }
        }

        return false;
    }

    /// <summary>Reads the next packet; null when the other side has ended the connection.</summary>
    public async ValueTask<MqttPacket?> ReadAsync()
    {
        MqttPacket packet;
        while (!TryRead(out packet))
        {
            if (!await ReceiveAsync())
            {
                return null;
            }
        }

        return packet;
    }

    /// <summary>Reads on until a packet of a type comes.</summary>
    /// <exception cref="EndOfStreamException">The connection ended first.</exception>
    public async Task<MqttPacket> ReadAsync(int type)
    {
        using var patience = new CancellationTokenSource(Patience.Default);
        await using var end = patience.Token.Register(Dispose);
        while (await ReadAsync() is { } packet)
        {
            if (packet.Type == type)
            {
                return packet;
            }
        }

        throw new EndOfStreamException($"the connection ended before a packet of type {type}");
    }

    /// <summary>Reads on until the other side ends the connection.</summary>
    public async Task EndAsync()
    {
        using var patience = new CancellationTokenSource(Patience.Default);
        while (await ReceiveAsync(patience.Token))
        {
            _begin = _end;
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _socket.Dispose();

    private bool TryTake(int head, int length, out MqttPacket packet)
    {
        packet = default;
        if (_end - _begin < head + length)
        {
            Room(head + length);
            return false;
        }

        packet = new MqttPacket(_buffer[_begin], _buffer.AsMemory(_begin + head, length));
        _begin += head + length;
        return true;
    }

    private async ValueTask<bool> ReceiveAsync(CancellationToken cancellation = default)
    {
        Room(_end - _begin + 1);
        try
        {
            var received = await _socket.ReceiveAsync(_buffer.AsMemory(_end), cancellation);
            _end += received;
            return received > 0;
        }
        catch (SocketException)
        {
            return false;
        }
    }

    // What was not read yet moves to the front; the buffer grows only for a packet that is larger than it.
    private void Room(int needed)
    {
        if (_begin > 0)
        {
            _buffer.AsSpan(_begin, _end - _begin).CopyTo(_buffer);
            (_begin, _end) = (0, _end - _begin);
        }

        if (needed > _buffer.Length)
        {
            Array.Resize(ref _buffer, Math.Max(needed, 2 * _buffer.Length));
        }
    }
}
