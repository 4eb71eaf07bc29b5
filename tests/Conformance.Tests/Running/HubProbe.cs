using EdgeOrleans.Beehive;
using EdgeOrleans.Link;
using EdgeOrleans.Modules;

namespace EdgeOrleans.Conformance.Running;

/// <summary>A module in the place of the hub: when it is nudged it takes what waits in the outbox, in order.</summary>
public sealed class HubProbe(Outbox outbox, IMessageContext beehive) : IModule, IDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);
    private readonly SemaphoreSlim _draining = new(1);
    private readonly List<Message> _taken = [];
    private TaskCompletionSource _more = NewSignal();
    private Task _listening = Task.CompletedTask;

    public string Name => "hubProbe";

    public string Group => Groups.Hub;

    public Task StartAsync(CancellationToken cancellation)
    {
        _listening = ListenAsync();
        return Task.CompletedTask;
    }

    public Task StopAsync(CancellationToken cancellation) => Task.CompletedTask;

    public void Dispose() => _draining.Dispose();

    /// <summary>What went up since the last time. It waits until at least <paramref name="count"/> came by nudges, then looks for more by itself.</summary>
    internal async Task<IReadOnlyList<Message>> TakeAsync(int count)
    {
        using var patience = new CancellationTokenSource(Patience);
        for (var more = _more.Task; await TakenAsync() < count && !patience.IsCancellationRequested; more = _more.Task)
        {
            await Task.WhenAny(more, Task.Delay(Timeout.Infinite, patience.Token));
        }

        await DrainAsync();
        await _draining.WaitAsync();
        Message[] taken = [.. _taken];
        _taken.Clear();
        _draining.Release();
        return taken;
    }

    private async Task ListenAsync()
    {
        try
        {
            while (true)
            {
                await beehive.ReceiveAsync(Name);
                await DrainAsync();
            }
        }
        catch (ModuleUnavailableException)
        {
            // Cleaned up: the node stops.
        }
    }

    private async Task DrainAsync()
    {
        await _draining.WaitAsync();
        try
        {
            while (await outbox.ReadAsync(0) is { Count: > 0 } rows)
            {
                foreach (var (message, numbers) in outbox.ToMessages(rows))
                {
                    _taken.Add(message);
                    await outbox.DeliveredAsync(numbers);
                }
            }
        }
        finally
        {
            _draining.Release();
        }

        Interlocked.Exchange(ref _more, NewSignal()).SetResult();
    }

    private async Task<int> TakenAsync()
    {
        await _draining.WaitAsync();
        var count = _taken.Count;
        _draining.Release();
        return count;
    }

    private static TaskCompletionSource NewSignal() => new(TaskCreationOptions.RunContinuationsAsynchronously);
}
