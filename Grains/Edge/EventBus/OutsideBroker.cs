using System.Globalization;
using System.Net;
using System.Text;
using EdgeOrleans.Link.Wire;
using EdgeOrleans.Modules;
using EdgeOrleans.Settings;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using MQTTnet.Packets;

namespace EdgeOrleans.Edge.EventBus;

/// <summary>
/// Keeps the node connected to a broker outside (modes 1 and 2): dials, listens to the topics of devices, and publishes there what the
/// node publishes. What the broker has not acknowledged waits in a session of the node's own, in order and on disk.
/// </summary>
/// <remarks>
/// edgecore has two connections without a session: what is published while either is away is lost. This is one connection with a session,
/// so the broker keeps what comes meanwhile, and does not send back what the node has published.
/// </remarks>
internal sealed partial class OutsideBroker(
    Sessions sessions,
    SubscriptionIndex subscriptions,
    OutsideDialer dialer,
    OutsideInbox inbox,
    HubTopics hubTopics,
    OutsideStatus status,
    Refusals refusals,
    IOptions<EventBusOptions> options,
    IOptions<NodeOptions> node,
    TimeProvider time,
    ILogger<OutsideBroker> logger) : IAsyncDisposable
{
    private static readonly TimeSpan DialTimeout = TimeSpan.FromSeconds(10);

    private readonly CancellationTokenSource _stopping = new();
    private readonly ILogger _logger = logger;
    private readonly OutsideDialect _dialect = new(options.Value.MqttExternalVersion);
    private OutsideAddress? _address;
    private Session? _session;
    private volatile OutsideConnection? _current;
    private readonly HashSet<string> _subscribed = new(StringComparer.Ordinal);
    private Task _running = Task.CompletedTask;
    private string _said = "";

    /// <summary>The connection, if there is one.</summary>
    public OutsideConnection? Current => _current;

    /// <summary>Begins to dial. The node is ready without it.</summary>
    public async Task StartAsync(IReadOnlyList<IPEndPoint> ours)
    {
        _ = OutsideAddress.TryParse(options.Value.MqttServerExternal, out _address, out _);
        if (_address!.IsOurs(ours))
        {
            throw new StartRefusedException($"modules.eventBus.mqttServerExternal: {_address} is the broker inside itself; give the address of another broker, or use mqttMode 0");
        }

        _session = await sessions.OpenAsync(new SessionWish(Session.Outside, IsClean: false, Session.Never)) is { } opened
            ? opened.Session
            : throw new StartRefusedException("what is to be published to the broker outside cannot be kept: the database takes nothing");
        subscriptions.AddOwn(new Subscription(_session, "#", options: 1));
        status.Begin(_session);
        hubTopics.Changed += OnTopicsChanged;
        _running = Task.Run(RunAsync, CancellationToken.None);
    }

    /// <summary>Ends the connection in order; what was not published waits for the next start.</summary>
    public async Task StopAsync(TimeSpan drain)
    {
        if (_current is { } connection)
        {
            await connection.DrainAsync(drain);
        }

        await _stopping.CancelAsync();
        await _running;
    }

    public async ValueTask DisposeAsync()
    {
        await _stopping.CancelAsync();
        _current?.Abort();
        await _running;
        _stopping.Dispose();
    }

    private async Task RunAsync()
    {
        var stop = _stopping.Token;
        var backoff = new Backoff();
        while (!stop.IsCancellationRequested)
        {
            var (lived, why) = await TryOnceAsync(stop);
            backoff = backoff.After(lived);
            var wait = backoff.Wait(Random.Shared.NextDouble());
            if (!stop.IsCancellationRequested)
            {
                Say(why, lived, wait);
                status.Down(_address!, why);
                await Task.Delay(wait, time, stop).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }
        }
    }

    /// <returns>How long the connection lived, zero when there was none, and why it is over.</returns>
    private async Task<(TimeSpan Lived, string Why)> TryOnceAsync(CancellationToken stop)
    {
        try
        {
            using var connection = await ConnectAsync(stop);
            var begin = time.GetTimestamp();
            await using var ends = stop.UnsafeRegister(static self => ((OutsideConnection)self!).Abort(), connection);
            await ServeAsync(connection);
            return (time.GetElapsedTime(begin), connection.Why.Length > 0 ? connection.Why : "the connection broke");
        }
        catch (OutsideException e)
        {
            if (e.IsDialect)
            {
                _dialect.NotUnderstood();
            }

            return (TimeSpan.Zero, e.Message);
        }
        catch (OperationCanceledException)
        {
            return (TimeSpan.Zero, stop.IsCancellationRequested ? "the node stops" : $"no answer within {DialTimeout.TotalSeconds:0} s");
        }
        catch (Exception e)
        {
            LogFailed(e);
            return (TimeSpan.Zero, e.Message);
        }
        finally
        {
            _current = null;
        }
    }

    private async Task ServeAsync(OutsideConnection connection)
    {
        try
        {
            await connection.RunAsync();
        }
        finally
        {
            _current = null;
            connection.Abort();
            sessions.Lost(_session!, connection);
        }
    }

    private async Task<OutsideConnection> ConnectAsync(CancellationToken stop)
    {
        using var deadline = new CancellationTokenSource(DialTimeout, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(deadline.Token, stop);
        var stream = await dialer.DialAsync(_address!, either.Token);
        var connection = new OutsideConnection(stream, new DnsEndPoint(_address!.Host, _address.Port), _dialect, inbox, options.Value, refusals, time, _logger);
        try
        {
            var welcome = await connection.ConnectAsync(Connect(), either.Token);
            _dialect.Understood();
            Up(connection, welcome);
            return connection;
        }
        catch
        {
            connection.Dispose();
            throw;
        }
    }

    private void Up(OutsideConnection connection, MqttConnAckPacket welcome)
    {
        if (!welcome.IsSessionPresent)
        {
            _subscribed.Clear();
        }

        _current = connection;
        Listen(connection);
        connection.Attach(_session!);
        _said = "";
        LogUp(_address!, _dialect.ToString(), welcome.IsSessionPresent);
        status.Up(_address!, _dialect, connection);
    }

    // A broker that has kept the session has its subscriptions too: only what is new is asked for, since that brings retained messages again.
    private void Listen(OutsideConnection connection)
    {
        lock (_subscribed)
        {
            var wished = inbox.Filters.ToHashSet(StringComparer.Ordinal);
            connection.Unsubscribe([.. _subscribed.Except(wished)]);
            connection.Subscribe([.. wished.Except(_subscribed)]);
            _subscribed.Clear();
            _subscribed.UnionWith(wished);
        }
    }

    private void OnTopicsChanged()
    {
        if (_current is { } connection)
        {
            Listen(connection);
        }
    }

    private MqttConnectPacket Connect()
    {
        var settings = options.Value;
        return new MqttConnectPacket
        {
            ClientId = settings.MqttSubClientId.Length > 0 ? settings.MqttSubClientId : $"edgeorleans-{node.Value.Name}",
            CleanSession = false,
            SessionExpiryInterval = _dialect.IsVersion5 ? SessionExpiry(settings) : 0,
            KeepAlivePeriod = (ushort)OutsideConnection.KeepAlive.TotalSeconds,
            Username = settings.MqttUsername.Length > 0 ? settings.MqttUsername : null,
            Password = settings.MqttUsername.Length > 0 ? Encoding.UTF8.GetBytes(settings.MqttPassword) : null,
            ReceiveMaximum = _dialect.IsVersion5 ? (ushort)1_024 : (ushort)0,
            MaximumPacketSize = _dialect.IsVersion5 ? (uint)settings.MaxPacketSize : 0,
            TryPrivate = _dialect.IsBridge,
        };
    }

    private static uint SessionExpiry(EventBusOptions settings) =>
        settings.SessionQueueAge > TimeSpan.Zero ? (uint)Math.Min(settings.SessionQueueAge.TotalSeconds, Session.Never - 1) : Session.Never;

    // The same reason again and again is said once.
    private void Say(string why, TimeSpan lived, TimeSpan wait)
    {
        if (lived > TimeSpan.Zero)
        {
            LogLost(_address!, why, wait.TotalSeconds.ToString("0.0", CultureInfo.InvariantCulture));
        }
        else if (why != _said)
        {
            LogNoConnection(_address!, why);
        }

        _said = why;
    }

    [LoggerMessage(LogLevel.Information, "Connected to the MQTT broker at {Address} with MQTT {Version}; it has kept the session: {Kept}")]
    private partial void LogUp(OutsideAddress address, string version, bool kept);

    [LoggerMessage(LogLevel.Warning, "The connection to the MQTT broker at {Address} is over: {Reason}. The next try comes in {Wait} s")]
    private partial void LogLost(OutsideAddress address, string reason, string wait);

    [LoggerMessage(LogLevel.Warning, "No connection to the MQTT broker at {Address}: {Reason}. It is tried again, from now on in silence")]
    private partial void LogNoConnection(OutsideAddress address, string reason);

    [LoggerMessage(LogLevel.Error, "The connection to the MQTT broker outside failed")]
    private partial void LogFailed(Exception exception);
}
