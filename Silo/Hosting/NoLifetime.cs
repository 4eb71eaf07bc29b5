using Microsoft.Extensions.Hosting;

namespace EdgeOrleans.Hosting;

/// <summary>The host is started and stopped by whoever built it; the process's signals are the program's business.</summary>
internal sealed class NoLifetime : IHostLifetime
{
    public Task WaitForStartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;
}
