using Microsoft.Extensions.Hosting;

namespace EdgeOrleans.TestKit;

/// <summary>Hosts inside this process.</summary>
internal static class Hosts
{
    /// <summary>Starts a host. One that does not start cannot be stopped either: it is disposed, and its reason is what the caller hears.</summary>
    public static async Task<IHost> StartedAsync(IHost host)
    {
        try
        {
            await host.StartAsync();
            return host;
        }
        catch
        {
            host.Dispose();
            throw;
        }
    }
}
