using EdgeOrleans.DbManager;
using EdgeOrleans.Modules;
using EdgeOrleans.Settings;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace EdgeOrleans.Cloud.CloudHub;

/// <summary>The cloud's doors for nodes: where they get their certificates, and where their links come in.</summary>
internal sealed class CloudHubModule(BootstrapDoor bootstrap, LinkDoor links) : IModule
{
    public string Name => ModuleNames.CloudHub;

    public string Group => "";

    public async Task StartAsync(CancellationToken cancellation)
    {
        await bootstrap.OpenAsync(cancellation);
        await links.OpenAsync(cancellation);
    }

    public async Task StopAsync(CancellationToken cancellation)
    {
        await links.CloseAsync(cancellation);
        await bootstrap.CloseAsync(cancellation);
    }
}

public static class CloudHubRegistration
{
    /// <summary>Puts the cloud's doors for nodes into a silo, with the certificate authority behind them.</summary>
    public static ISiloBuilder AddCloudHub(this ISiloBuilder silo)
    {
        var services = silo.Services;
        services.AddSettings<CloudHubOptions>("modules:cloudHub");
        services.AddGrainStateJson(CloudHubJson.Default);
        services.TryAddSingleton(TimeProvider.System);
        services.TryAddSingleton<Doors>();
        services.TryAddSingleton<Refusals>();
        services.AddSingleton(static s => OpenAuthority(s.GetRequiredService<IOptions<DataOptions>>().Value.Data, s));
        services.AddSingleton<ServerCertificates>();
        services.AddSingleton<NodeTrust>();
        services.AddSingleton<BootstrapDoor>();
        services.TryAddSingleton(new DeliveryPace());
        services.TryAddSingleton<ILinkDeliveries, DeliveryFactory>();
        services.AddSingleton<NodeLinks>();
        services.AddSingleton<LinkDoor>();
        return silo.AddModule<CloudHubModule>(ModuleNames.CloudHub, "");
    }

    private static CertificateAuthority OpenAuthority(string folder, IServiceProvider services)
    {
        var time = services.GetRequiredService<TimeProvider>();
        var file = new AuthorityFile(folder, time, services.GetRequiredService<ILogger<CertificateAuthority>>());
        return new CertificateAuthority(file.Open(), time);
    }
}
