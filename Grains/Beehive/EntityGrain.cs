using Microsoft.Extensions.Logging;
using Orleans.Concurrency;
using Orleans.Serialization.Invocation;
using Orleans.Providers.Streams.Common;
using Orleans.Streams;
using Orleans.Streams.Core;

namespace EdgeOrleans.Beehive;

/// <summary>A grain that is an entity of the beehive: what is sent to its address arrives here, in order, up to a batch at a time.</summary>
/// <remarks>No exception leaves a batch: Orleans would block the key and repeat it. The grain is deactivated instead, and the next message meets the stored state.</remarks>
[MayInterleave(nameof(MayInterleave))]
public abstract partial class EntityGrain(ILogger logger) : Grain, IGrainWithStringKey, IStreamSubscriptionObserver, IAsyncBatchObserver<Message>
{
    private long _last;

    /// <summary>The pump reads nothing for anybody while it waits for this one answer, and the entity may be waiting for something that the pump carries.</summary>
    public static bool MayInterleave(IInvokable request) => request.GetMethodName() == "GetSequenceToken";

    /// <inheritdoc/>
    public Task OnSubscribed(IStreamSubscriptionHandleFactory handleFactory) =>
        handleFactory.Create<Message>().ResumeAsync((IAsyncBatchObserver<Message>)this);

    /// <inheritdoc/>
    public async Task OnNextAsync(IList<SequentialItem<Message>> items)
    {
        var first = FirstNew(items);
        if (first == items.Count)
        {
            return;
        }

        _last = NumberOf(items[^1]);
        var messages = new Message[items.Count - first];
        for (var i = 0; i < messages.Length; i++)
        {
            messages[i] = items[first + i].Item;
        }

        try
        {
            await HandleAsync(messages);
        }
        catch (Exception e)
        {
            LogBatchFailed(e, this.GetPrimaryKeyString(), messages.Length);
            DeactivateOnIdle();
            await OnFailedAsync(messages, e);
        }
    }

    /// <inheritdoc/>
    public Task OnErrorAsync(Exception ex) => Task.CompletedTask;

    /// <summary>Handles what was waiting, in its order: applied, committed once, answered.</summary>
    protected abstract Task HandleAsync(IReadOnlyList<Message> messages);

    /// <summary>Answers messages whose handling threw. It must not throw.</summary>
    protected abstract Task OnFailedAsync(IReadOnlyList<Message> messages, Exception error);

    // Orleans repeats a batch whose call took too long: what was taken once is not taken again.
    private int FirstNew(IList<SequentialItem<Message>> items)
    {
        var first = 0;
        while (first < items.Count && NumberOf(items[first]) <= _last)
        {
            first++;
        }

        return first;
    }

    private static long NumberOf(SequentialItem<Message> item) => ((EventSequenceTokenV2)item.Token).SequenceNumber;

    [LoggerMessage(LogLevel.Error, "Entity {Key} failed on a batch of {Count} messages; it starts again from its stored state")]
    private partial void LogBatchFailed(Exception exception, string key, int count);
}
