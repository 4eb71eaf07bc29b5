using EdgeOrleans.Modules;
using EdgeOrleans.Settings;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Options;

namespace EdgeOrleans.Hosting;

/// <summary>Says where consoles reach this node. The silo itself listens there.</summary>
internal sealed class ConsoleDoor(Doors doors, IOptions<SiloOptions> silo) : IHostedService
{
    private const string Name = "console";

    public Task StartAsync(CancellationToken cancellationToken)
    {
        doors.Open(Name, $"127.0.0.1:{silo.Value.GatewayPort}");
        return Task.CompletedTask;
    }

    public Task StopAsync(CancellationToken cancellationToken)
    {
        doors.Close(Name);
        return Task.CompletedTask;
    }
}
