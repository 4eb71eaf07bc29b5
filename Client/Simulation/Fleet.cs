using EdgeOrleans.Client.Connection;
using MQTTnet.Exceptions;

namespace EdgeOrleans.Client.Simulation;

/// <summary>Virtual devices over real MQTT.</summary>
internal sealed class Fleet(SimulationOptions options, TimeProvider time) : IDisposable
{
    private static readonly TimeSpan LastAnswers = TimeSpan.FromSeconds(2);
    private readonly Measurements _measurements = new();
    private readonly List<FleetConnection> _connections = [];
    private long _begin;
    private TimeSpan? _elapsed;
    private bool? _wasAway;

    public SimulationSummary Summary => _measurements.Summary(_elapsed ?? (_begin == 0 ? TimeSpan.Zero : time.GetElapsedTime(_begin)));

    /// <summary>Whether a connection is without its broker; after the end, whether one was at the end.</summary>
    public bool IsBrokerAway => _wasAway ?? _connections.Exists(connection => connection.IsAway);

    /// <summary>Connects everything, or says why not: within three seconds, unless somebody listens there and is silent.</summary>
    public async Task ConnectAsync(CancellationToken cancellation)
    {
        var devices = Enumerable.Range(0, options.Devices)
            .Select(i => new VirtualDevice($"{options.Namespace}/{options.Prefix}{i}", options.Properties, _measurements, time));
        var shared = devices.Select((device, i) => (device, i)).GroupBy(pair => pair.i % options.Connections, pair => pair.device);
        _connections.AddRange(shared.Select(group => new FleetConnection(options, [.. group], _measurements, time)));
        try
        {
            await Reach.ProbeAsync(options.Broker, cancellation);

            // The first one alone shows whether a broker is there at all.
            await _connections[0].ConnectAsync(cancellation);
            await Parallel.ForEachAsync(_connections.Skip(1), cancellation, async (connection, token) => await connection.ConnectAsync(token));
        }
        catch (UnreachableException e)
        {
            throw new CommandException(
                ExitCodes.Unreachable,
                $"cannot reach an MQTT broker at {options.Broker}: {e.Message}; start a node with 'edgeorleans', or name another broker with --mqtt HOST:PORT");
        }
        catch (Exception e) when (!cancellation.IsCancellationRequested)
        {
            throw new CommandException(
                ExitCodes.Unreachable,
                $"the broker at {options.Broker} takes no connection: {Why(e)}; --mqtt takes the address of the node's MQTT door (1883 by default)");
        }
    }

    /// <summary>Says that every device is online. The duration begins afterwards.</summary>
    public async Task SayOnlineAsync(CancellationToken cancellation)
    {
        try
        {
            await Task.WhenAll(_connections.Select(connection => connection.SayOnlineAsync(cancellation)));
        }
        catch (Exception e) when (!cancellation.IsCancellationRequested)
        {
            throw new CommandException(
                ExitCodes.Unreachable,
                $"the broker at {options.Broker} knows {Summary.Online} of {options.Devices} devices to be online, and then: {Why(e)}; if it is only busy, fewer --devices help");
        }
    }

    /// <summary>Reports until the duration is over or the token ends it; then waits a moment for the last answers.</summary>
    public async Task RunAsync(CancellationToken cancellation)
    {
        using var end = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        end.CancelAfter(options.Duration ?? Timeout.InfiniteTimeSpan);
        _begin = time.GetTimestamp();
        await Task.WhenAll(_connections.Select(connection => UntilAsync(connection, end.Token)));
        _elapsed = time.GetElapsedTime(_begin);
        await LastAnswersAsync();
        _wasAway = IsBrokerAway;
        await Task.WhenAll(_connections.Select(connection => connection.CloseAsync()));
    }

    public void Dispose() => _connections.ForEach(connection => connection.Dispose());

    private static string Why(Exception e) => e is OperationCanceledException or TimeoutException or MqttCommunicationTimedOutException
        ? "no answer in time"
        : e.Message.TrimEnd('.');

    private static async Task UntilAsync(FleetConnection connection, CancellationToken end)
    {
        try
        {
            await connection.RunAsync(end);
        }
        catch (OperationCanceledException) when (end.IsCancellationRequested)
        {
            // The time is over.
        }
    }

    private async Task LastAnswersAsync()
    {
        var begin = time.GetTimestamp();
        while (_measurements.Waiting > 0 && time.GetElapsedTime(begin) < LastAnswers)
        {
            await Task.Delay(TimeSpan.FromMilliseconds(10), time);
        }
    }
}
