using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using EdgeOrleans.Modules;
using Microsoft.Extensions.Logging;
using MQTTnet.Protocol;

namespace EdgeOrleans.Edge.EventBus;

/// <summary>The sockets of the broker: exactly the addresses that were asked for, and no more connections than allowed.</summary>
internal sealed partial class MqttEndpoint(
    EventBusOptions options,
    Func<Socket, bool, MqttConnection> connect,
    Refusals refusals,
    TimeProvider time,
    ILogger logger) : IDisposable
{
    // So many may be connected and have said nothing yet; one more ends the one that has been silent for longest.
    private const int MostSilent = 1_000;

    private readonly ConcurrentDictionary<MqttConnection, Task> _connections = [];
    private readonly Dictionary<IPAddress, int> _addresses = [];
    private readonly LinkedList<MqttConnection> _silent = [];
    private readonly List<(Socket Socket, bool IsTls)> _listeners = [];
    private readonly CancellationTokenSource _stopping = new();
    private readonly ILogger _logger = logger;
    private ITimer? _keepAlive;

    /// <summary>Where it listens, with the real port.</summary>
    public IReadOnlyList<IPEndPoint> Addresses => Of(isTls: false);

    /// <summary>Where it listens with TLS.</summary>
    public IReadOnlyList<IPEndPoint> TlsAddresses => Of(isTls: true);

    public int Connections => _connections.Count;

    public void Start()
    {
        Listen("mqttServerInternal", options.MqttServerInternal, "tcp");
        if (options.MqttServerTls.Length > 0)
        {
            Listen("mqttServerTls", options.MqttServerTls, "ssl");
        }

        foreach (var (socket, isTls) in _listeners)
        {
            _ = AcceptAsync(socket, isTls);
        }
    }

    /// <summary>Ends all connections, and returns when they are over.</summary>
    public async Task StopAsync(MqttDisconnectReasonCode reason)
    {
        StopAccepting();
        var serving = _connections.ToArray();
        await Task.WhenAll(serving.Select(served => served.Key.IsIn ? served.Key.DisconnectAsync(reason) : served.Key.DisconnectAsync(CancellationToken.None)));
        await Task.WhenAll(serving.Select(static served => served.Value));
    }

    /// <summary>Takes no new connections; those that are there go on.</summary>
    public void StopAccepting()
    {
        _stopping.Cancel();
        _listeners.ForEach(static listener => listener.Socket.Dispose());
    }

    public void Dispose()
    {
        StopAccepting();
        _keepAlive?.Dispose();
        foreach (var connection in _connections.Keys)
        {
            connection.Abort();
        }
    }

    private IReadOnlyList<IPEndPoint> Of(bool isTls) =>
        [.. _listeners.Where(listener => listener.IsTls == isTls).Select(static listener => (IPEndPoint)listener.Socket.LocalEndPoint!)];

    private void Listen(string key, string address, string scheme)
    {
        foreach (var endpoint in MqttAddress.Parse(key, address, scheme))
        {
            _listeners.Add((Listen(endpoint), scheme == "ssl"));
        }
    }

    private static Socket Listen(IPEndPoint address)
    {
        var listener = new Socket(address.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
        try
        {
            if (address.AddressFamily == AddressFamily.InterNetworkV6)
            {
                listener.DualMode = false;
            }

            listener.Bind(address);
            listener.Listen(1_024);
            return listener;
        }
        catch (SocketException e)
        {
            listener.Dispose();
            throw new StartRefusedException(MqttAddress.Explain(address, e));
        }
    }

    private async Task AcceptAsync(Socket listener, bool isTls)
    {
        var pace = new AcceptPace(options.MaxConnectRate, time);
        while (!_stopping.IsCancellationRequested)
        {
            try
            {
                // A crowd waits at the door, in the kernel's queue, while those who are in are served.
                await pace.NextAsync(_stopping.Token);
                var socket = await listener.AcceptAsync(_stopping.Token);
                socket.NoDelay = true;
                Take(socket, isTls, ((IPEndPoint)socket.RemoteEndPoint!).Address);
            }
            catch (Exception e) when (e is OperationCanceledException or ObjectDisposedException)
            {
                return;
            }
            catch (Exception e)
            {
                // Out of file descriptors, or a connection that was gone before it was taken: the next may work.
                LogAcceptFailed(e);
                await Task.Delay(TimeSpan.FromMilliseconds(100), time);
            }
        }
    }

    private void Take(Socket socket, bool isTls, IPAddress address)
    {
        var refused = _connections.Count >= options.MaxConnections ? "mqtt.too-many-connections"
            : TryCount(address) ? null
            : "mqtt.too-many-of-an-address";
        if (refused is not null)
        {
            refusals.Count(refused);
            socket.Dispose();
            return;
        }

        var connection = connect(socket, isTls);
        var silent = AddSilent(connection);
        WatchKeepAlive();
        _connections[connection] = Task.CompletedTask;
        var serving = ServeAsync(connection, address, silent);
        _connections.TryUpdate(connection, serving, Task.CompletedTask);
    }

    private LinkedListNode<MqttConnection> AddSilent(MqttConnection connection)
    {
        MqttConnection? longest = null;
        LinkedListNode<MqttConnection> added;
        lock (_silent)
        {
            while (_silent.First?.Value.HasSpoken == true)
            {
                _silent.RemoveFirst();
            }

            if (_silent.Count >= MostSilent)
            {
                longest = _silent.First!.Value;
                _silent.RemoveFirst();
            }

            added = _silent.AddLast(connection);
        }

        if (longest is not null)
        {
            refusals.Count("mqtt.no-connect");
            longest.Abort();
        }

        return added;
    }

    // Who is over is not kept: its buffers may be large.
    private void Forget(LinkedListNode<MqttConnection> silent)
    {
        lock (_silent)
        {
            silent.List?.Remove(silent);
        }
    }

    private bool TryCount(IPAddress address)
    {
        lock (_addresses)
        {
            var count = _addresses.GetValueOrDefault(address);
            if (count >= options.MaxConnectionsPerAddress)
            {
                return false;
            }

            _addresses[address] = count + 1;
            return true;
        }
    }

    private void Discount(IPAddress address)
    {
        lock (_addresses)
        {
            if (--_addresses[address] == 0)
            {
                _addresses.Remove(address);
            }
        }
    }

    private async Task ServeAsync(MqttConnection connection, IPAddress address, LinkedListNode<MqttConnection> silent)
    {
        try
        {
            // Off the accepting loop.
            await Task.Yield();
            await connection.RunAsync();
        }
        catch (Exception e)
        {
            LogConnectionFailed(e, connection.ClientId);
        }
        finally
        {
            connection.End();
            _connections.TryRemove(connection, out _);
            Forget(silent);
            Discount(address);
        }
    }

    // One timer for all, and none on a node that nobody has ever connected to.
    private void WatchKeepAlive()
    {
        lock (_listeners)
        {
            _keepAlive ??= time.CreateTimer(_ => EndSilentOnes(), null, TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(1));
        }
    }

    private void EndSilentOnes()
    {
        foreach (var connection in _connections.Keys)
        {
            if (connection.IsSilent)
            {
                refusals.Count("mqtt.keep-alive");
                LogSilent(connection.ClientId);
                connection.Abort();
            }
        }
    }

    [LoggerMessage(LogLevel.Warning, "Could not accept an MQTT connection")]
    private partial void LogAcceptFailed(Exception exception);

    [LoggerMessage(LogLevel.Error, "The connection of MQTT client '{Client}' failed")]
    private partial void LogConnectionFailed(Exception exception, string client);

    [LoggerMessage(LogLevel.Information, "MQTT client '{Client}' was silent for longer than its keep-alive allows; its connection is closed")]
    private partial void LogSilent(string client);
}
