using EdgeOrleans.Modules;
using EdgeOrleans.Settings;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Options;
using Orleans.Streams;

namespace EdgeOrleans.Beehive;

public static class BeehiveRegistration
{
    /// <summary>Puts the beehive into a silo: the streams, <see cref="IMessageContext"/> and <see cref="IModuleContext"/>.</summary>
    public static ISiloBuilder AddBeehive(this ISiloBuilder silo)
    {
        var services = silo.Services;
        services.AddSettings<BeehiveOptions>("beehive");
        services.AddMetrics();
        services.TryAddSingleton(TimeProvider.System);
        services.TryAddSingleton<Responses>();
        services.TryAddSingleton<ModuleCatalog>();
        services.TryAddSingleton<Refusals>();
        services.TryAddSingleton<Telemetry>();
        services.TryAddSingleton<EntityKinds>();
        services.TryAddSingleton<ModuleQueues>();
        services.TryAddSingleton<BeehiveAdapter>();
        services.TryAddSingleton<IMessageContext, MessageContext>();
        services.TryAddSingleton<IModuleContext, ModuleContext>();
        return silo.AddPersistentStreams(
            BeehiveAdapter.Provider, static (services, _) => services.GetRequiredService<BeehiveAdapter>(), static streams =>
            {
                // No PubSubStore, no state of subscriptions: a stream's reader is the grain of its key.
                streams.ConfigureStreamPubSub(StreamPubSubType.ImplicitOnly);
                streams.ConfigurePartitionBalancing(static (_, _) => new OwnQueues());
                streams.ConfigurePullingAgent(static pump => pump.Configure<IOptions<BeehiveOptions>>(static (agent, beehive) =>
                {
                    agent.GetQueueMsgsTimerPeriod = TimeSpan.FromMilliseconds(1); // only the gap between two long polls
                    agent.BatchContainerBatchSize = beehive.Value.Batch;          // the cursors know it, too
                    agent.MaxEventDeliveryTime = TimeSpan.FromSeconds(3);         // the pump reads for nobody while it retries to reach one entity
                    agent.StreamInactivityPeriod = TimeSpan.FromMinutes(5);
                }));
            });
    }
}
