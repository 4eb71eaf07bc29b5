using System.Text.Json.Serialization;
using EdgeOrleans.DbManager;
using EdgeOrleans.Modules;
using Microsoft.Extensions.DependencyInjection.Extensions;

namespace EdgeOrleans.Cloud.EdgeController;

/// <summary>The nodes of the cloud. Its work is done by their grains when somebody needs them.</summary>
internal sealed class EdgeControllerModule : IModule
{
    public string Name => ModuleNames.EdgeController;

    public string Group => "";

    public Task StartAsync(CancellationToken cancellation) => Task.CompletedTask;

    public Task StopAsync(CancellationToken cancellation) => Task.CompletedTask;
}

/// <summary>How the room's grain states become JSON.</summary>
[JsonSerializable(typeof(NodeRecord))]
internal sealed partial class EdgeControllerJson : JsonSerializerContext;

public static class EdgeControllerRegistration
{
    /// <summary>Puts nodes into a cloud; they stand on the registry.</summary>
    public static ISiloBuilder AddEdgeController(this ISiloBuilder silo)
    {
        silo.Services.AddGrainStateJson(EdgeControllerJson.Default);
        silo.Services.TryAddSingleton(TimeProvider.System);
        return silo.AddModule<EdgeControllerModule>(ModuleNames.EdgeController, "");
    }
}
