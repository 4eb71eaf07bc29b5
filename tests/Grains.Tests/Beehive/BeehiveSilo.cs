using EdgeOrleans.Modules;
using Microsoft.Extensions.DependencyInjection;
using Orleans.TestingHost;

[assembly: AssemblyFixture(typeof(EdgeOrleans.Beehive.BeehiveSilo))]

namespace EdgeOrleans.Beehive;

/// <summary>One silo in this process with a beehive whose limits are small enough to be reached.</summary>
public sealed class BeehiveSilo : IAsyncLifetime
{
    public const int PerKey = 100;

    private readonly InProcessTestCluster _cluster;

    public BeehiveSilo()
    {
        var builder = new InProcessTestClusterBuilder(1);
        builder.ConfigureSilo((_, silo) =>
        {
            silo.AddBeehive();
            silo.Services.AddSingleton(Probes);
            silo.Services.Configure<BeehiveOptions>(o => o.PerKey = PerKey);
        });
        _cluster = builder.Build();
    }

    public EntityProbes Probes { get; } = new();

    public IMessageContext Beehive => Get<IMessageContext>();

    public IModuleContext Modules => Get<IModuleContext>();

    public Refusals Refusals => Get<Refusals>();

    public T Get<T>()
        where T : notnull => _cluster.Silos[0].ServiceProvider.GetRequiredService<T>();

    public async ValueTask InitializeAsync() => await _cluster.DeployAsync();

    public ValueTask DisposeAsync() => _cluster.DisposeAsync();

    /// <summary>A module of its own name, added and in a group.</summary>
    public async Task<string> AddModuleAsync(string group, [System.Runtime.CompilerServices.CallerMemberName] string name = "")
    {
        var module = $"{name}-{Guid.NewGuid():N}";
        await Modules.AddModuleAsync(module, TestContext.Current.CancellationToken);
        await Modules.AddModuleGroupAsync(module, group, TestContext.Current.CancellationToken);
        return module;
    }

    /// <summary>Waits until so many messages have arrived for a module.</summary>
    public async Task UntilAsync(string module, int count)
    {
        var queue = Get<ModuleQueues>().Find(module)!;
        using var limit = new CancellationTokenSource(Limit.Time);
        while (queue.Count < count)
        {
            limit.Token.ThrowIfCancellationRequested();
            await Task.Yield();
        }
    }
}
