using System.Collections.Immutable;
using EdgeOrleans.Beehive;
using EdgeOrleans.Link;
using EdgeOrleans.Modules;
using Microsoft.Extensions.Logging;

namespace EdgeOrleans.Conformance.Running;

/// <summary>A module in the place of the hub: it takes what it is sent, and when it is nudged what waits in the outbox, in order.</summary>
public sealed class HubProbe(Outbox outbox, IMessageContext beehive, TimeProvider time, ILogger<HubProbe> logger) : ReceivingModule(beehive, time, logger)
{
    public const string ModuleName = "hubProbe";

    private const string Nudge = "outbox";
    private const string Question = "what is here";

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);
    private readonly TimeProvider _time = time;
    private readonly CancellationTokenSource _stopping = new();
    private Task _watching = Task.CompletedTask;
    private ImmutableList<Message> _taken = [];
    private TaskCompletionSource _more = NewSignal();

    public override string Name => ModuleName;

    public override string Group => Groups.Hub;

    /// <summary>What went up since the last time. It waits until as many as are expected came by themselves, then asks whether there is more.</summary>
    internal async Task<IReadOnlyList<Message>> TakeAsync(int expected)
    {
        using var patience = new CancellationTokenSource(Patience);
        for (var more = Volatile.Read(ref _more).Task; Volatile.Read(ref _taken).Count < expected && !patience.IsCancellationRequested; more = Volatile.Read(ref _more).Task)
        {
            await Task.WhenAny(more, Task.Delay(Timeout.Infinite, patience.Token));
        }

        var question = Message.Create("test", Groups.Hub, Operations.Get, Question, default, _time.GetUtcNow().ToUnixTimeMilliseconds());
        await Beehive.SendSyncAsync(Address.Module(Name), question, cancellation: patience.Token);
        return Interlocked.Exchange(ref _taken, []);
    }

    public override async Task StartAsync(CancellationToken cancellation)
    {
        await base.StartAsync(cancellation);
        _watching = Task.Run(WatchAsync, CancellationToken.None);
    }

    public override async Task StopAsync(CancellationToken cancellation)
    {
        await _stopping.CancelAsync();
        await _watching;
    }

    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            _stopping.Dispose();
        }

        base.Dispose(disposing);
    }

    protected override async Task HandleAsync(Message message, CancellationToken cancellation)
    {
        if (message.Route.Resource is Nudge or Question)
        {
            await DrainAsync();
        }
        else
        {
            ImmutableInterlocked.Update(ref _taken, static (taken, message) => taken.Add(message), message);
        }

        Interlocked.Exchange(ref _more, NewSignal()).SetResult();
        if (message.Header.Sync)
        {
            await Beehive.SendRespAsync(message.Respond(Name, default, message.Header.Timestamp), cancellation);
        }
    }

    // As the hub itself: what is on disk is seen by itself.
    private async Task WatchAsync()
    {
        try
        {
            while (true)
            {
                await outbox.WaitAsync(_stopping.Token);
                var nudge = Message.Create("test", Groups.Hub, Operations.Update, Nudge, default, _time.GetUtcNow().ToUnixTimeMilliseconds());
                await Beehive.SendAsync(Address.Module(Name), nudge, _stopping.Token);
            }
        }
        catch (OperationCanceledException)
        {
            // The node stops.
        }
    }

    private async Task DrainAsync()
    {
        while (await outbox.ReadAsync(0) is { Count: > 0 } rows)
        {
            foreach (var (message, numbers) in outbox.ToMessages(rows))
            {
                ImmutableInterlocked.Update(ref _taken, static (taken, message) => taken.Add(message), message);
                await outbox.DeliveredAsync(numbers);
            }
        }
    }

    private static TaskCompletionSource NewSignal() => new(TaskCreationOptions.RunContinuationsAsynchronously);
}
