using EdgeOrleans.Modules;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;

namespace EdgeOrleans.Nodes;

public static class NodeRegistration
{
    /// <summary>Lets those outside ask who the node is (<c>NodeOptions</c> of the host), which modules it has and what it refused.</summary>
    public static ISiloBuilder AddNode(this ISiloBuilder silo, bool isCloud = false)
    {
        silo.Services.AddSingleton(new NodeKind(isCloud));
        silo.Services.TryAddSingleton(TimeProvider.System);
        silo.Services.TryAddSingleton<ModuleCatalog>();
        silo.Services.TryAddSingleton<Refusals>();
        silo.Services.TryAddSingleton<Doors>();
        silo.Services.TryAddSingleton<NodeDescription>();
        // It notes when the node started, which is not when somebody first asks.
        return silo.AddStartupTask(static (services, _) =>
        {
            services.GetRequiredService<NodeDescription>();
            return Task.CompletedTask;
        });
    }
}
