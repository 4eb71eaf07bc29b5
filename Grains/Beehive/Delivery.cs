using Orleans.Providers.Streams.Common;
using Orleans.Streams;

namespace EdgeOrleans.Beehive;

/// <summary>One message on its way through the queue of a silo.</summary>
[GenerateSerializer, Immutable, Alias("beehive.delivery")]
internal sealed class Delivery : IBatchContainer
{
    [Id(0)]
    public required StreamId StreamId { get; init; }

    [Id(1)]
    public required Message Message { get; init; }

    /// <summary>Given by the one reader of the queue, so that it rises in queue order.</summary>
    [Id(2)]
    public EventSequenceTokenV2 Token { get; set; } = null!;

    public StreamSequenceToken SequenceToken => Token;

    public IEnumerable<Tuple<T, StreamSequenceToken>> GetEvents<T>() => Message is T message ? [Tuple.Create<T, StreamSequenceToken>(message, Token)] : [];

    // The trace is in the message: the call carries many messages and could have one context only.
    public bool ImportRequestContext() => false;
}
