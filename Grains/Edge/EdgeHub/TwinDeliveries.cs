using System.Threading.Channels;
using EdgeOrleans.Beehive;
using EdgeOrleans.Link.Wire;
using EdgeOrleans.Modules;
using Microsoft.Extensions.Logging;

namespace EdgeOrleans.Edge.EdgeHub;

/// <summary>What the cloud says to the twins, one after the other in the order in which it came, and the answers.</summary>
/// <remarks>
/// It is bounded: who adds waits for room, and with him the link, so that TCP holds the cloud back and nothing is dropped (W17). It outlives
/// a link: what was taken is handled, and the answer goes nowhere if its link is gone; the cloud says it again.
/// </remarks>
internal sealed partial class TwinDeliveries(IMessageContext beehive, Refusals refusals, TimeProvider time, ILogger<TwinDeliveries> logger)
{
    private const int Length = 128;
    private const long MaxBytes = 32L * 1024 * 1024;

    // A list of ten thousand devices takes its time: each is on disk before the answer.
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(10);
    private static readonly TimeSpan WhenFull = TimeSpan.FromMilliseconds(50);

    private readonly Channel<Delivery> _waiting = Channel.CreateBounded<Delivery>(new BoundedChannelOptions(Length) { SingleReader = true });
    private readonly Lock _gate = new();
    private TaskCompletionSource _room = NewSignal();
    private long _bytes;

    /// <summary>Takes a message, and waits while there is no room.</summary>
    public async ValueTask AddAsync(HubSession session, Message message, CancellationToken cancellation)
    {
        while (!TryTakeRoom(message.Content.Length, out var room))
        {
            await room.WaitAsync(cancellation);
        }

        await _waiting.Writer.WriteAsync(new Delivery(session, message), cancellation);
    }

    /// <summary>Gives on what was taken, until it is cancelled.</summary>
    public async Task RunAsync(CancellationToken cancellation)
    {
        try
        {
            await foreach (var delivery in _waiting.Reader.ReadAllAsync(cancellation))
            {
                await DeliverAsync(delivery, cancellation);
                GiveRoomBack(delivery.Message.Content.Length);
            }
        }
        catch (OperationCanceledException) when (cancellation.IsCancellationRequested)
        {
        }
    }

    private async Task DeliverAsync(Delivery delivery, CancellationToken cancellation)
    {
        var (session, message) = delivery;
        var fault = await AskAsync(message, cancellation);
        if (fault is not null)
        {
            refusals.Count("edgeHub.twin-refused");
            LogRefused(message.Route.Operation, message.Route.Resource, fault);
        }

        if (message.Header.Id.Length > 0 && Acknowledgements.Of(message, session.IsOurs, fault, time.GetUtcNow().ToUnixTimeMilliseconds()) is { } answer)
        {
            await AnswerAsync(session, answer, cancellation);
        }
    }

    /// <returns>Why it was not taken; null when it was.</returns>
    private async Task<string?> AskAsync(Message message, CancellationToken cancellation)
    {
        while (true)
        {
            try
            {
                // The cloud's ids are its own: inside the node a question has one that nobody else waits for.
                var question = message with { Header = message.Header with { Id = Guid.NewGuid().ToString() } };
                var answer = await beehive.SendSyncAsync(Address.Module(ModuleNames.DeviceTwin), question, Patience, cancellation);
                return answer.IsError ? answer.ContentAsText() : null;
            }
            catch (BeehiveFullException)
            {
                await Task.Delay(WhenFull, time, cancellation);
            }
            catch (Exception e) when (!cancellation.IsCancellationRequested)
            {
                return e.Message;
            }
        }
    }

    private static async Task AnswerAsync(HubSession session, Message answer, CancellationToken cancellation)
    {
        try
        {
            await session.SendAsync(answer, cancellation);
        }
        catch (LinkEndedException)
        {
        }
    }

    private bool TryTakeRoom(long bytes, out Task room)
    {
        lock (_gate)
        {
            room = _room.Task;
            if (_bytes > 0 && _bytes + bytes > MaxBytes)
            {
                return false;
            }

            _bytes += bytes;
            return true;
        }
    }

    private void GiveRoomBack(long bytes)
    {
        TaskCompletionSource room;
        lock (_gate)
        {
            _bytes -= bytes;
            (room, _room) = (_room, NewSignal());
        }

        room.TrySetResult();
    }

    private static TaskCompletionSource NewSignal() => new(TaskCreationOptions.RunContinuationsAsynchronously);

    [LoggerMessage(LogLevel.Warning, "The cloud's {Operation} of {Resource} was not taken: {Reason}")]
    private partial void LogRefused(string operation, string resource, string reason);

    private sealed record Delivery(HubSession Session, Message Message);
}

/// <summary>How a node answers what the cloud said to it (kubeedge-cloudlink 3.3).</summary>
internal static class Acknowledgements
{
    /// <summary>The answer; null when none is expected.</summary>
    /// <param name="message">What was said.</param>
    /// <param name="isOurs">Whether the cloud is ours: it hears what became of a membership, a stock one has no ear for it.</param>
    /// <param name="fault">Why it was not taken; null when it was.</param>
    /// <param name="now">Milliseconds since 1970 (UTC).</param>
    public static Message? Of(Message message, bool isOurs, string? fault, long now)
    {
        var (source, group) = (message.Route.Source, message.Route.Group);
        var isObject = group is "resource" or "func";
        return fault is not null ? isObject || isOurs ? Error(message, fault, now) : null
            : isObject && source == "devicecontroller" && message.Route.Operation is Operations.Insert or Operations.Delete ? Answer(message, "meta", "twin", Operations.Response, "OK", now)
            : isObject ? Answer(message, source, "resource", Operations.Response, "OK", now)
            : isOurs ? Answer(message, "twin", "resource", Operations.Response, "OK", now)
            : null;
    }

    /// <summary>The answer that says that a message was not taken.</summary>
    public static Message Error(Message message, string fault, long now) => Answer(message, "metamanager", "resource", Operations.Error, fault, now);

    private static Message Answer(Message message, string source, string group, string operation, string text, long now)
    {
        var answer = Message.Create(source, group, operation, message.Route.Resource, Message.Text(text), now);
        return answer with { Header = answer.Header with { ParentId = message.Header.Id } };
    }
}
