using EdgeOrleans.Beehive;
using EdgeOrleans.Link;
using EdgeOrleans.Modules;
using Microsoft.Extensions.Logging;

namespace EdgeOrleans.Conformance.Running;

/// <summary>A module in the place of the hub: when it is nudged it takes what waits in the outbox, in order.</summary>
public sealed class HubProbe(Outbox outbox, IMessageContext beehive, TimeProvider time, ILogger<HubProbe> logger) : ReceivingModule(beehive, time, logger)
{
    public const string ModuleName = "hubProbe";

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);
    private readonly SemaphoreSlim _draining = new(1);
    private readonly List<Message> _taken = [];
    private TaskCompletionSource _more = NewSignal();

    public override string Name => ModuleName;

    public override string Group => Groups.Hub;

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

    protected override Task HandleAsync(Message message, CancellationToken cancellation) => DrainAsync();

    protected override void Dispose(bool disposing)
    {
        base.Dispose(disposing);
        _draining.Dispose();
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
