using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;

namespace EdgeOrleans.Cloud.Registry;

public static class RegistryRegistration
{
    /// <summary>Puts the lists of resources into a silo; they stand on the database.</summary>
    public static ISiloBuilder AddRegistry(this ISiloBuilder silo)
    {
        var services = silo.Services;
        services.TryAddSingleton(TimeProvider.System);
        services.TryAddSingleton<Modules.ModuleCatalog>();
        services.AddSingleton<ResourceStore>();
        services.AddSingleton<IResourceIndex>(static s => s.GetRequiredService<ResourceStore>());
        services.AddSingleton<INodeIndex>(static s => s.GetRequiredService<ResourceStore>());
        return silo;
    }
}
