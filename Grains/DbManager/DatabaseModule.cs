using EdgeOrleans.Modules;

namespace EdgeOrleans.DbManager;

/// <summary>The database as a module: it is open before any other module starts, and closed after the silo has stopped.</summary>
internal sealed class DatabaseModule(Database database) : IModule
{
    public string Name => ModuleNames.DbManager;

    public string Group => "";

    public Task StartAsync(CancellationToken cancellation) => database.RunAsync(static _ => { });

    public Task StopAsync(CancellationToken cancellation) => Task.CompletedTask;
}
