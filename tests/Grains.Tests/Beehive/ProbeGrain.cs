using System.Collections.Concurrent;
using System.Threading.Channels;
using Microsoft.Extensions.Logging;

namespace EdgeOrleans.Beehive;

/// <summary>An entity that tells what it gets. Key: one of <see cref="EntityProbes"/>.</summary>
[GrainType("edge.test-probe"), ImplicitStreamSubscription(Kind)]
public sealed class ProbeGrain(EntityProbes probes, ILogger<ProbeGrain> logger) : EntityGrain(logger)
{
    public const string Kind = "user/probe";

    protected override async Task HandleAsync(IReadOnlyList<Message> messages)
    {
        var probe = probes.Of(this.GetPrimaryKeyString());
        probe.Enter();
        try
        {
            await probe.Handle(messages);
        }
        finally
        {
            probe.Leave();
        }
    }

    protected override Task OnFailedAsync(IReadOnlyList<Message> messages, Exception error) => Task.CompletedTask;
}

/// <summary>What the test wants of each entity.</summary>
public sealed class EntityProbes
{
    private readonly ConcurrentDictionary<string, EntityProbe> _probes = new();

    public EntityProbe Of(string key) => _probes.GetOrAdd(key, static _ => new EntityProbe());
}

/// <summary>One entity as its test sees it: every batch is reported, then handled as the test says.</summary>
public sealed class EntityProbe
{
    private readonly Channel<IReadOnlyList<Message>> _batches = Channel.CreateUnbounded<IReadOnlyList<Message>>();
    private int _inside;

    public Func<IReadOnlyList<Message>, Task> Then { get; set; } = static _ => Task.CompletedTask;

    public int MostInside { get; private set; }

    public ChannelReader<IReadOnlyList<Message>> Batches => _batches.Reader;

    public void Enter() => MostInside = Math.Max(MostInside, Interlocked.Increment(ref _inside));

    public void Leave() => Interlocked.Decrement(ref _inside);

    public Task Handle(IReadOnlyList<Message> messages)
    {
        _batches.Writer.TryWrite(messages);
        return Then(messages);
    }

    public async Task<List<Message>> TakeAsync(int count)
    {
        var messages = new List<Message>(count);
        while (messages.Count < count)
        {
            messages.AddRange(await _batches.Reader.ReadAsync(TestContext.Current.CancellationToken).AsTask().WaitAsync(Limit.Time));
        }

        return messages;
    }
}

/// <summary>How long a test waits for what must come.</summary>
public static class Limit
{
    public static TimeSpan Time { get; } = TimeSpan.FromSeconds(30);
}
