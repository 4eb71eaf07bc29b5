using EdgeOrleans.Beehive;

namespace EdgeOrleans.Cloud.CloudHub;

/// <summary>What goes down one link.</summary>
internal interface ILinkDelivery
{
    /// <summary>Runs until the cancellation: the link's life.</summary>
    Task RunAsync(CancellationToken cancellation);

    /// <summary>Something waits in the outbox.</summary>
    void Nudge();

    /// <summary>The node asks for all its devices.</summary>
    void Asked(Message question);

    /// <summary>The node answered a message of ours: response.</summary>
    void Acknowledged(string parentId);

    /// <summary>The node answered a message of ours: error, with its text.</summary>
    void NotAcknowledged(string parentId, string reason);

    /// <summary>A report of a device was taken by its grain.</summary>
    void Reported(string device);
}

/// <summary>Makes the delivery of a link.</summary>
internal interface ILinkDeliveries
{
    /// <summary>For one link.</summary>
    /// <param name="connection">Whose it is.</param>
    /// <param name="send">Queues a message for the socket; it waits while the queue is full.</param>
    ILinkDelivery Create(NodeConnection connection, Func<Message, CancellationToken, ValueTask> send);
}
