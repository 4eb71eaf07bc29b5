using Orleans.Streams;

namespace EdgeOrleans.Beehive;

/// <summary>Two queues of a silo: messages to modules never wait for an entity that is being woken, because a pump reads nothing meanwhile.</summary>
internal sealed class BeehiveLanes(string provider) : IStreamQueueMapper
{
    private readonly QueueId _entities = QueueId.GetQueueId(provider, 0, 0);

    public QueueId Modules { get; } = QueueId.GetQueueId(provider, 1, 1);

    /// <summary>Kinds of entities have a slash in their names, groups of modules have none.</summary>
    public static bool IsOfEntity(StreamId stream) => stream.Namespace.Span.Contains((byte)'/');

    public IEnumerable<QueueId> GetAllQueues() => [_entities, Modules];

    public QueueId GetQueueForStream(StreamId streamId) => IsOfEntity(streamId) ? _entities : Modules;
}
