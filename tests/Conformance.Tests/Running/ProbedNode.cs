using EdgeOrleans.Beehive;
using EdgeOrleans.Modules;
using EdgeOrleans.TestKit;

namespace EdgeOrleans.Conformance.Running;

/// <summary>A node whose way to the cloud ends in a <see cref="HubProbe"/>.</summary>
internal static class ProbedNode
{
    public static Task<EdgeNode> StartAsync(bool cloud, string compatibility = "strict")
    {
        var settings = new Dictionary<string, string> { ["modules.deviceTwin.compatibility"] = compatibility };
        if (cloud)
        {
            settings["modules.edgeHub.websocket.server"] = "127.0.0.1:10000";
            settings["modules.edgeHub.enable"] = "false";
        }

        return EdgeNode.StartAsync(settings, silo => silo.AddModule<HubProbe>(HubProbe.ModuleName, Groups.Hub));
    }
}
