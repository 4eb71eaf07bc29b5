using EdgeOrleans.Beehive;
using EdgeOrleans.Edge.EventBus.Access;
using EdgeOrleans.Modules;
using EdgeOrleans.Settings;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace EdgeOrleans.Edge.EventBus;

/// <summary>The MQTT door: an MQTT 3.1.1 and 5 broker inside the node, through which devices reach their twins.</summary>
internal sealed class EventBusModule(
    MqttBroker broker,
    OutsideBroker outside,
    CloudOrders orders,
    Publisher publisher,
    Doors doors,
    IMessageContext beehive,
    IOptions<EventBusOptions> options,
    TimeProvider time,
    ILogger<EventBusModule> logger) : ReceivingModule(beehive, time, logger)
{
    private static readonly TimeSpan Drain = TimeSpan.FromSeconds(2);

    public override string Name => ModuleNames.EventBus;

    public override string Group => Groups.Bus;

    public override async Task StartAsync(CancellationToken cancellation)
    {
        await broker.StartAsync();
        if (options.Value.HasInside)
        {
            doors.Open("mqtt", string.Join(", ", broker.Addresses.Select(a => $"tcp://{a}")));
            if (broker.TlsAddresses.Count > 0)
            {
                doors.Open("mqtts", string.Join(", ", broker.TlsAddresses.Select(a => $"ssl://{a}")));
            }
        }

        if (options.Value.HasOutside)
        {
            await outside.StartAsync(broker.Addresses);
        }

        await base.StartAsync(cancellation);
    }

    public override async Task StopAsync(CancellationToken cancellation)
    {
        doors.Close("mqtt");
        doors.Close("mqtts");
        await outside.StopAsync(Drain);
        await broker.StopAsync(Drain);
    }

    protected override async Task HandleAsync(Message message, CancellationToken cancellation)
    {
        string? refused = null;
        if (message.Route is { Source: "twin", Group: Groups.Bus })
        {
            await PublishAsync(message);
        }
        else
        {
            refused = await orders.DoAsync(message);
        }

        // The cloud does not wait: its dialect has no answer to this. A module of the node may.
        if (message.Header.Sync)
        {
            var now = message.Header.Timestamp;
            await Beehive.SendRespAsync(refused is null ? message.Respond(Name, default, now) : message.Refuse(Name, 400, refused, now), cancellation);
        }
    }

    // What the twin says by itself: a change of the cloud or the console. The parts are one device's, in order.
    private async Task PublishAsync(Message message)
    {
        Task<bool>? storing = null;
        foreach (var part in message.Parts)
        {
            storing = Publisher.Both(storing, publisher.Publish(part.Route.Resource, oneLevel: false, part.Content));
        }

        if (storing is not null)
        {
            await storing;
        }
    }
}

public static class EventBusRegistration
{
    /// <summary>Puts the MQTT door into a silo.</summary>
    public static ISiloBuilder AddEventBus(this ISiloBuilder silo)
    {
        silo.Services.AddSettings<EventBusOptions>("modules:eventBus");
        silo.Services.AddSingleton<SubscriptionIndex>();
        silo.Services.AddSingleton<Outlets>();
        silo.Services.AddSingleton<RetainedMessages>();
        silo.Services.AddSingleton<MqttStore>();
        silo.Services.AddSingleton<Sessions>();
        silo.Services.AddSingleton(static services => FilesOf(services));
        silo.Services.AddSingleton<LoginThrottle>();
        silo.Services.AddSingleton(static services => new Credentials(
            () => services.GetRequiredService<AccessFiles>().Current.Users, services.GetRequiredService<LoginThrottle>()));
        silo.Services.AddSingleton(static services => CertificatesOf(services));
        silo.Services.AddSingleton<Admission>();
        silo.Services.AddSingleton<HubTopics>();
        silo.Services.AddSingleton<Uploads>();
        silo.Services.AddSingleton<CloudOrders>();
        silo.Services.AddSingleton<Leftovers>();
        silo.Services.AddSingleton<Publisher>();
        silo.Services.AddSingleton<TwinRequests>();
        silo.Services.AddSingleton<MqttBroker>();
        silo.Services.AddSettings<NodeOptions>("node");
        silo.Services.AddSingleton<OutsideDialer>();
        silo.Services.AddSingleton<OutsideInbox>();
        silo.Services.AddSingleton<OutsideStatus>();
        silo.Services.AddSingleton<OutsideBroker>();
        return silo.AddModule<EventBusModule>(ModuleNames.EventBus, Groups.Bus);
    }

    private static AccessFiles FilesOf(IServiceProvider services)
    {
        var options = services.GetRequiredService<IOptions<EventBusOptions>>().Value;
        var folder = services.GetRequiredService<IOptions<DataOptions>>().Value.Data;
        return new AccessFiles(
            PathOf(options.MqttUserFile, folder),
            PathOf(options.MqttAclFile, folder),
            reserved: "",
            services.GetRequiredService<TimeProvider>(),
            services.GetRequiredService<ILogger<AccessFiles>>());
    }

    private static BrokerCertificates CertificatesOf(IServiceProvider services)
    {
        var options = services.GetRequiredService<IOptions<EventBusOptions>>().Value;
        var folder = services.GetRequiredService<IOptions<DataOptions>>().Value.Data;
        return new BrokerCertificates(
            new BrokerTls(
                PathOf(options.TlsCertFile, folder), PathOf(options.TlsKeyFile, folder), PathOf(options.TlsClientCaFile, folder), options.TlsRequireClientCertificate,
                PathOf(options.TlsCrlFile, folder)),
            Path.Combine(folder, "mqtt"),
            services.GetRequiredService<IOptions<NodeOptions>>().Value.Name,
            services.GetRequiredService<TimeProvider>(),
            services.GetRequiredService<ILogger<BrokerCertificates>>());
    }

    // Below the data folder, unless it is a whole path.
    private static string PathOf(string file, string folder) => file.Length == 0 ? "" : Path.GetFullPath(file, Path.GetFullPath(folder));
}
