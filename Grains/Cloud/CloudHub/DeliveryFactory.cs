using EdgeOrleans.Beehive;
using EdgeOrleans.Link;
using Microsoft.Extensions.Logging;

namespace EdgeOrleans.Cloud.CloudHub;

/// <inheritdoc/>
internal sealed class DeliveryFactory(IGrainFactory grains, Outbox outbox, INodeIndex index, DeliveryPace pace, TimeProvider time, ILogger<Delivery> logger) : ILinkDeliveries
{
    public ILinkDelivery Create(NodeConnection connection, Func<Message, CancellationToken, ValueTask> send) =>
        new Delivery(connection, send, grains, outbox, index, pace, time, logger);
}
