using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using EdgeOrleans.Modules;
using Microsoft.Extensions.Logging;
using MQTTnet.Adapter;
using MQTTnet.Diagnostics.Logger;
using MQTTnet.Server;

namespace EdgeOrleans.Edge.EventBus;

/// <summary>The sockets of the broker: exactly the addresses that were asked for, and no more connections than allowed.</summary>
internal sealed partial class MqttEndpoint(
    EventBusOptions options,
    Func<Socket, MqttConnection> connect,
    Refusals refusals,
    TimeProvider time,
    ILogger logger) : IMqttServerAdapter
{
    private readonly ConcurrentDictionary<MqttConnection, byte> _connections = [];
    private readonly List<Socket> _listeners = [];
    private readonly CancellationTokenSource _stopping = new();
    private readonly ILogger _logger = logger;
    private ITimer? _keepAlive;

    public Func<IMqttChannelAdapter, Task>? ClientHandler { get; set; }

    /// <summary>Where it listens, with the real port.</summary>
    public IReadOnlyList<IPEndPoint> Addresses => [.. _listeners.Select(l => (IPEndPoint)l.LocalEndPoint!)];

    public int Connections => _connections.Count;

    public Task StartAsync(MqttServerOptions serverOptions, IMqttNetLogger serverLog)
    {
        foreach (var address in MqttAddress.Parse(options.MqttServerInternal))
        {
            _listeners.Add(Listen(address));
        }

        foreach (var listener in _listeners)
        {
            _ = AcceptAsync(listener);
        }

        return Task.CompletedTask;
    }

    public Task StopAsync()
    {
        Dispose();
        return Task.CompletedTask;
    }

    /// <summary>Takes no new connections; those that are there go on.</summary>
    public void StopAccepting()
    {
        _stopping.Cancel();
        _listeners.ForEach(l => l.Dispose());
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

    private async Task AcceptAsync(Socket listener)
    {
        while (!_stopping.IsCancellationRequested)
        {
            try
            {
                var socket = await listener.AcceptAsync(_stopping.Token);
                if (_connections.Count >= options.MaxConnections)
                {
                    refusals.Count("mqtt.too-many-connections");
                    socket.Dispose();
                    continue;
                }

                socket.NoDelay = true;
                _ = ServeAsync(connect(socket));
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

    private async Task ServeAsync(MqttConnection connection)
    {
        _connections[connection] = 0;
        WatchKeepAlive();
        try
        {
            // Off the accepting loop: the broker's part runs until its first wait.
            await Task.Yield();
            if (ClientHandler is { } handler)
            {
                await handler(connection);
            }
        }
        catch (Exception e)
        {
            LogConnectionFailed(e, connection.ClientId);
        }
        finally
        {
            _connections.TryRemove(connection, out _);
            connection.End();
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
