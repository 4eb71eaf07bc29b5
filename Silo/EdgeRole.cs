using EdgeOrleans.Beehive;
using EdgeOrleans.DbManager;
using EdgeOrleans.Edge.DeviceTwin;
using EdgeOrleans.Edge.EdgeHub;
using EdgeOrleans.Edge.EventBus;
using EdgeOrleans.Hosting;
using EdgeOrleans.Link;
using EdgeOrleans.Modules;
using EdgeOrleans.Nodes;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;

namespace EdgeOrleans;

/// <summary>The table of contents of a node: its modules in start order; reversed, it is the stop order.</summary>
public static class EdgeRole
{
    /// <summary>Puts the edge's rooms into a silo.</summary>
    public static ISiloBuilder AddEdgeRole(this ISiloBuilder silo) => silo
        .WithoutWing(Wings.Cloud)
        .AddNode()
        .AddBeehive()
        .AddOutbox()
        .KeepsOnlyForACloud()
        .AddDbManager()
        .AddEdgeHub() // first door in, last out: what the others say while stopping still goes up
        .AddAbsentModule(ModuleNames.MetaManager, Groups.Meta)
        .AddDeviceTwin()
        .AddAbsentModule(ModuleNames.Edged, Groups.Edged)
        .AddAbsentModule(ModuleNames.EdgeMesh, Groups.Mesh)
        .AddAbsentModule(ModuleNames.ServiceBus, Groups.Bus)
        .AddEventBus() // last door in, first out: what it takes must still find its twin
        .AddAbsentModule(ModuleNames.TestBench, Groups.User)
        .AddUserModules();

    // Without a cloud nothing is kept for it.
    private static ISiloBuilder KeepsOnlyForACloud(this ISiloBuilder silo)
    {
        silo.Services.AddOptions<OutboxOptions>().Configure<IOptions<EdgeHubOptions>>(static (outbox, hub) => outbox.Enabled = hub.Value.HasCloud);
        return silo;
    }
}
