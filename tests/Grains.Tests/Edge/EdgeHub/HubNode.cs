using EdgeOrleans.Link;
using EdgeOrleans.Modules;
using EdgeOrleans.TestKit;
using Microsoft.Extensions.DependencyInjection;

namespace EdgeOrleans.Edge.EdgeHub;

/// <summary>Whole nodes that are linked to a test's cloud.</summary>
internal static class HubNode
{
    public static Task<EdgeNode> StartAsync(TestCloud cloud, params (string Key, string Value)[] settings)
    {
        var all = new Dictionary<string, string>
        {
            ["node.name"] = "edge-1",
            ["modules.edgeHub.websocket.server"] = cloud.Address,
            ["modules.edgeHub.httpServer"] = $"https://{cloud.Address}",
            ["modules.edgeHub.token"] = cloud.Token,
            ["modules.deviceTwin.compatibility"] = "normal",
            ["log.level"] = "Error",
        };
        foreach (var (key, value) in settings)
        {
            all[key] = value;
        }

        return EdgeNode.StartAsync(all);
    }

    public static ModuleStatus Hub(this EdgeNode node) => node.Services.GetRequiredService<ModuleCatalog>().Find(ModuleNames.EdgeHub)!;

    public static Outbox Outbox(this EdgeNode node) => node.Services.GetRequiredService<Outbox>();

    public static long Refused(this EdgeNode node, string reason) => node.Services.GetRequiredService<Refusals>().Snapshot().GetValueOrDefault(reason);

    /// <summary>Waits until everything that waits now has been sent and answered.</summary>
    public static Task QuietAsync(this EdgeNode node) =>
        node.Services.GetRequiredService<CloudLink>().Current!.QuietAsync(Patience.Default, TestContext.Current.CancellationToken);

    public static async Task<LedgerEntry> LedgerAsync(this EdgeNode node, string type) =>
        (await node.Outbox().LedgerAsync()).SingleOrDefault(e => e.Class == type) ?? new LedgerEntry { Class = type };
}
