using Microsoft.Extensions.Logging;

namespace EdgeOrleans.Edge.DeviceTwin;

/// <summary>Lets every twin tell its whole state, one after the other, into the outbox; beside everything else.</summary>
internal sealed partial class WholeReport(IGrainFactory grains, TwinRoom room, ILogger<WholeReport> logger) : IDisposable
{
    private const int Page = 1_000;

    private readonly Lock _gate = new();
    private CancellationTokenSource _stop = new();
    private Task _running = Task.CompletedTask;
    private bool _isDone;
    private bool _hasStopped;

    /// <summary>A link is up. The first one since the start is told everything, and so is a cloud that is not ours, each time.</summary>
    public void Begin(bool isOurs)
    {
        lock (_gate)
        {
            if (!room.GoesUp || _hasStopped || (isOurs && _isDone))
            {
                return;
            }

            if (!_running.IsCompleted && isOurs)
            {
                return;
            }

            // What was told half-way to a cloud that may have forgotten it begins anew.
            _stop.Cancel();
            _stop = new CancellationTokenSource();
            var (before, token) = (_running, _stop.Token);
            _running = Task.Run(() => RunAsync(before, token), CancellationToken.None);
        }
    }

    /// <summary>Ends it where it is; the next start begins anew.</summary>
    public Task StopAsync(CancellationToken cancellation)
    {
        lock (_gate)
        {
            _hasStopped = true;
            _stop.Cancel();
            return _running.WaitAsync(cancellation);
        }
    }

    public void Dispose() => _stop.Dispose();

    private async Task RunAsync(Task before, CancellationToken cancellation)
    {
        await before;
        try
        {
            var count = await TellAllAsync(cancellation);
            _isDone = !cancellation.IsCancellationRequested;
            LogTold(count);
        }
        catch (Exception e)
        {
            LogFailed(e);
        }
    }

    private async Task<int> TellAllAsync(CancellationToken cancellation)
    {
        var (after, count) = ("", 0);
        while (await room.Devices.IdsAsync(after, Page) is { Count: > 0 } ids)
        {
            foreach (var id in ids)
            {
                if (cancellation.IsCancellationRequested)
                {
                    return count;
                }

                count += await TryTellAsync(id) ? 1 : 0;
            }

            after = ids[^1];
        }

        return count;
    }

    private async Task<bool> TryTellAsync(string id)
    {
        try
        {
            await grains.GetGrain<IDeviceMember>(id).TellAsync();
            return true;
        }
        catch (Exception e)
        {
            LogDeviceFailed(e, id);
            return false;
        }
    }

    [LoggerMessage(LogLevel.Information, "{Count} devices told the cloud their whole state")]
    private partial void LogTold(int count);

    [LoggerMessage(LogLevel.Warning, "Device {Device} could not tell its whole state; the others go on")]
    private partial void LogDeviceFailed(Exception exception, string device);

    [LoggerMessage(LogLevel.Error, "The devices could not tell the cloud their whole state; they will at the next link")]
    private partial void LogFailed(Exception exception);
}
