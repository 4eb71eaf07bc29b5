using EdgeOrleans.Client.Connection;

namespace EdgeOrleans.Client.Simulation;

/// <summary>Virtual devices over real MQTT.</summary>
internal sealed class Fleet(SimulationOptions options, TimeProvider time) : IDisposable
{
    private static readonly TimeSpan LastAnswers = TimeSpan.FromSeconds(2);
    private readonly Measurements _measurements = new();
    private readonly List<FleetConnection> _connections = [];
    private long _begin;
    private TimeSpan? _elapsed;

    public SimulationSummary Summary => _measurements.Summary(_elapsed ?? (_begin == 0 ? TimeSpan.Zero : time.GetElapsedTime(_begin)));

    /// <summary>Connects everything, or says within three seconds why not.</summary>
    public async Task ConnectAsync(CancellationToken cancellation)
    {
        var devices = Enumerable.Range(0, options.Devices)
            .Select(i => new VirtualDevice($"{options.Namespace}/{options.Prefix}{i}", options.Properties, _measurements, time));
        var shared = devices.Select((device, i) => (device, i)).GroupBy(pair => pair.i % options.Connections, pair => pair.device);
        _connections.AddRange(shared.Select(group => new FleetConnection(options, [.. group], time)));
        try
        {
            await Reach.ProbeAsync(options.Broker, cancellation);

            // The first one alone shows whether a broker is there at all, and within the patience of a person.
            await _connections[0].ConnectAsync(cancellation).WaitAsync(Reach.Patience, time, cancellation);
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
                $"the broker at {options.Broker} takes no connection: {e.Message}; --mqtt takes the address of the node's MQTT door (1883 by default)");
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
        await Task.WhenAll(_connections.Select(connection => connection.CloseAsync()));
    }

    public void Dispose() => _connections.ForEach(connection => connection.Dispose());

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
