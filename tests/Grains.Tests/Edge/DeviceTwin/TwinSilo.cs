using System.Collections.Concurrent;
using System.Text;
using System.Text.Json.Nodes;
using EdgeOrleans.Beehive;
using EdgeOrleans.DbManager;
using EdgeOrleans.Devices;
using EdgeOrleans.Hosting;
using EdgeOrleans.Link;
using EdgeOrleans.Modules;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Orleans.TestingHost;

namespace EdgeOrleans.Edge.DeviceTwin;

/// <summary>A silo with twins on a database in a folder of its own, and a bus that keeps what it is given.</summary>
internal sealed class TwinSilo : IAsyncDisposable
{
    private readonly InProcessTestCluster _cluster;
    private readonly bool _ownsFolder;

    private TwinSilo(string? folder, Dictionary<string, string?> settings)
    {
        _ownsFolder = folder is null;
        Folder = folder ?? Directory.CreateTempSubdirectory("edgeorleans-").FullName;
        settings["node:name"] = "edge-node";
        var builder = new InProcessTestClusterBuilder(1);
        builder.ConfigureSiloHost((_, host) => host.Configuration.AddInMemoryCollection(settings));
        builder.ConfigureSilo((_, silo) =>
        {
            silo.WithoutWing(Wings.Cloud).AddDbManager().AddOutbox().AddBeehive().AddDeviceTwin();
            silo.Services.PostConfigure<DbManagerOptions>(o => o.DataFolder = Folder);
            silo.Services.AddSingleton<BusProbe>();
            silo.Services.AddSingleton<HubProbe>();
            silo.AddModule<BusProbe>(ModuleNames.EventBus, Groups.Bus).AddModule<HubProbe>(ModuleNames.EdgeHub, Groups.Hub);
        });
        _cluster = builder.Build();
    }

    public string Folder { get; }

    public BusProbe Bus => Get<BusProbe>();

    public HubProbe Hub => Get<HubProbe>();

    public IMembershipGrain Membership => _cluster.Client.GetGrain<IMembershipGrain>(IMembershipGrain.Key);

    public static async Task<TwinSilo> StartAsync(string? folder = null, params (string Key, string Value)[] settings)
    {
        var silo = new TwinSilo(folder, settings.ToDictionary(s => s.Key, s => (string?)s.Value));
        await silo._cluster.DeployAsync();
        return silo;
    }

    public T Get<T>()
        where T : notnull => _cluster.Silos[0].ServiceProvider.GetRequiredService<T>();

    public IDeviceTwinGrain Device(string id) => _cluster.Client.GetGrain<IDeviceTwinGrain>(id);

    public IClusterClient Client => _cluster.Client;

    /// <summary>A request of a client, as the bus sends it.</summary>
    public Task<Message> AskAsync(string device, string operation, string resource, string payload) =>
        Get<IMessageContext>().SendSyncAsync(
            Address.Entity(Entities.Device, device),
            Message.Create("bus", "twin", operation, resource, Encoding.UTF8.GetBytes(payload), 0),
            cancellation: TestContext.Current.CancellationToken);

    public Task<Message> UpdateAsync(string device, string payload) => AskAsync(device, Operations.Update, $"device/{device}/twin", payload);

    public Task<Message> GetAsync(string device) => AskAsync(device, Operations.Get, $"device/{device}/twin", "{}");

    /// <summary>Something the hub delivers to the module.</summary>
    public Task<Message> CloudAsync(string source, string operation, string resource, string content) =>
        Get<IMessageContext>().SendSyncAsync(
            Address.Module(ModuleNames.DeviceTwin),
            Message.Create(source, "twin", operation, resource, Encoding.UTF8.GetBytes(content), 0),
            cancellation: TestContext.Current.CancellationToken);

    public Task SqlAsync(string sql) => Get<Database>().RunAsync(db => { db.Execute(sql); });

    public async ValueTask DisposeAsync()
    {
        await _cluster.DisposeAsync();
        if (_ownsFolder)
        {
            Directory.Delete(Folder, recursive: true);
        }
    }
}

internal static class Answers
{
    /// <summary>The JSON of the part whose resource ends so.</summary>
    public static JsonNode Part(this Message answer, string end) =>
        JsonNode.Parse(answer.Parts.Single(p => p.Route.Resource.EndsWith(end, StringComparison.Ordinal)).Content.Span)!;
}

/// <summary>The bus: it keeps what it is told to publish.</summary>
internal sealed class BusProbe(IMessageContext beehive, TimeProvider time, Microsoft.Extensions.Logging.ILogger<BusProbe> logger)
    : ReceivingModule(beehive, time, logger)
{
    public ConcurrentQueue<Message> Published { get; } = new();

    public override string Name => ModuleNames.EventBus;

    public override string Group => Groups.Bus;

    public IEnumerable<string> Resources => Published.SelectMany(m => m.Parts).Select(p => p.Route.Resource);

    protected override async Task HandleAsync(Message message, CancellationToken cancellation)
    {
        Published.Enqueue(message);
        await Beehive.SendRespAsync(message.Respond("bus", default, 0), cancellation);
    }
}

/// <summary>The hub: it keeps what it is told.</summary>
internal sealed class HubProbe(IMessageContext beehive, TimeProvider time, Microsoft.Extensions.Logging.ILogger<HubProbe> logger)
    : ReceivingModule(beehive, time, logger)
{
    private readonly System.Threading.Channels.Channel<Message> _told = System.Threading.Channels.Channel.CreateUnbounded<Message>();

    public override string Name => ModuleNames.EdgeHub;

    public override string Group => Groups.Hub;

    public async Task<Message> NextAsync(string resource)
    {
        while (true)
        {
            var message = await _told.Reader.ReadAsync(TestContext.Current.CancellationToken);
            if (message.Route.Resource == resource)
            {
                return message;
            }
        }
    }

    protected override async Task HandleAsync(Message message, CancellationToken cancellation) => await _told.Writer.WriteAsync(message, cancellation);
}
