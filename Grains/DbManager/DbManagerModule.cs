using EdgeOrleans.Modules;
using EdgeOrleans.Settings;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Options;
using Orleans.Storage;

namespace EdgeOrleans.DbManager;

public static class DbManagerModule
{
    /// <summary>The name of the grain storage in <c>[PersistentState("…", DbManagerModule.State)]</c>.</summary>
    public const string State = "state";

    /// <summary>Puts the node's database and its grain storage into a silo.</summary>
    /// <remarks>The database is a singleton, so the container disposes it after the host, and with it the silo, has stopped.</remarks>
    public static ISiloBuilder AddDbManager(this ISiloBuilder silo)
    {
        var services = silo.Services;
        services.AddSettings<DbManagerOptions>("modules:dbManager");
        services.TryAddSingleton(TimeProvider.System);
        services.AddSingleton<Database>();
        services.AddSingleton<GrainStateJson>();
        services.AddSingleton<IGrainStorage, GrainStateStorage>();
        services.AddKeyedSingleton(State, static (provider, _) => provider.GetRequiredService<IGrainStorage>());
        services.AddKeyedSingleton("Default", static (provider, _) => provider.GetRequiredService<IGrainStorage>());
        services.AddOptions<DbManagerOptions>().PostConfigure<IOptions<DataOptions>>(static (db, data) => db.DataFolder = data.Value.Data);
        return silo.AddModule<DatabaseModule>(ModuleNames.DbManager, "");
    }
}
