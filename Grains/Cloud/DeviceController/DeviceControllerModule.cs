using EdgeOrleans.DbManager;
using EdgeOrleans.Modules;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;

namespace EdgeOrleans.Cloud.DeviceController;

/// <summary>Devices and device models of the cloud. Its work is done by their grains when somebody needs them.</summary>
internal sealed class DeviceControllerModule : IModule
{
    public string Name => ModuleNames.DeviceController;

    public string Group => "";

    public Task StartAsync(CancellationToken cancellation) => Task.CompletedTask;

    public Task StopAsync(CancellationToken cancellation) => Task.CompletedTask;
}

public static class DeviceControllerRegistration
{
    /// <summary>Puts devices and device models into a cloud; they stand on the registry and the outbox.</summary>
    public static ISiloBuilder AddDeviceController(this ISiloBuilder silo)
    {
        silo.Services.AddGrainStateJson(DeviceControllerJson.Default);
        silo.Services.TryAddSingleton(TimeProvider.System);
        silo.Services.AddSingleton<DeviceRoom>();
        return silo.AddModule<DeviceControllerModule>(ModuleNames.DeviceController, "");
    }
}
