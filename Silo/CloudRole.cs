using EdgeOrleans.Beehive;
using EdgeOrleans.Cloud.CloudHub;
using EdgeOrleans.Cloud.DeviceController;
using EdgeOrleans.Cloud.EdgeController;
using EdgeOrleans.Cloud.Registry;
using EdgeOrleans.DbManager;
using EdgeOrleans.Hosting;
using EdgeOrleans.Link;
using EdgeOrleans.Modules;
using EdgeOrleans.Nodes;

namespace EdgeOrleans;

/// <summary>The table of contents of the cloud: its modules in start order; reversed, it is the stop order.</summary>
public static class CloudRole
{
    /// <summary>Puts the cloud's rooms into a silo.</summary>
    public static ISiloBuilder AddCloudRole(this ISiloBuilder silo) => silo
        .WithoutWing(Wings.Edge)
        .AddNode(isCloud: true)
        .AddBeehive()
        .AddOutbox()
        .AddDbManager()
        .AddCloudHub()
        .AddRegistry()
        .AddDeviceController()
        .AddEdgeController()
        .AddAbsentModule(ModuleNames.Router, "")
        .AddUserModules();
}
