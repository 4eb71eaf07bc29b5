using System.Net;
using EdgeOrleans.Hosting;
using EdgeOrleans.Http;
using EdgeOrleans.Modules;
using EdgeOrleans.Settings;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Orleans.Configuration;
using SiloOptions = EdgeOrleans.Settings.SiloOptions;

namespace EdgeOrleans;

/// <summary>Builds a node or a cloud: one host with one silo. The program uses it, and so does everybody who wants one in his own process.</summary>
public static class NodeHost
{
    /// <summary>The cluster's and the service's id, so that a console needs an address and no more.</summary>
    public const string ClusterId = "edgeorleans";

    private static readonly TimeSpan StopsWithin = TimeSpan.FromSeconds(20);

    /// <summary>Builds it.</summary>
    /// <param name="settings">Its settings.</param>
    /// <param name="add">More for the silo: a user's modules, a test's services.</param>
    /// <param name="role">What it is to be.</param>
    /// <exception cref="SettingsException">The settings are wrong.</exception>
    public static IHost Build(SettingsLadder settings, Action<ISiloBuilder>? add = null, Role role = Role.Edge)
    {
        var builder = Compose(settings, add, role);
        builder.Services.AddSingleton(new SettingsWarnings(settings.Check(builder.Services.Sections())));
        return builder.Build();
    }

    /// <summary>Puts it together without building it: enough to know all its settings.</summary>
    internal static HostApplicationBuilder Compose(SettingsLadder settings, Action<ISiloBuilder>? add = null, Role role = Role.Edge)
    {
        // Empty: no appsettings.json, no environment of other programs, no event log, no console that colours.
        var builder = Host.CreateEmptyApplicationBuilder(new HostApplicationBuilderSettings { ApplicationName = ClusterId });
        ((IConfigurationBuilder)builder.Configuration).Add(settings);
        AddProcess(builder.Services, settings, role);
        builder.UseOrleans(silo =>
        {
            silo.ConfigureNode(builder.Configuration);
            _ = role == Role.Cloud ? silo.AddCloudRole() : silo.AddEdgeRole();
            add?.Invoke(silo);
            silo.Services.AddHostedService<ConsoleDoor>();
        });
        return builder;
    }

    private static void AddProcess(IServiceCollection services, SettingsLadder settings, Role role)
    {
        services.AddSettings<DataOptions>("")
            .AddSettings<NodeOptions>("node")
            .AddSettings<SiloOptions>("silo")
            .AddSettings<HttpOptions>("http")
            .AddSettings<LogOptions>("log");
        services.AddSingleton(settings);
        services.TryAddSingleton(TimeProvider.System);
        services.TryAddSingleton<ModuleCatalog>();
        services.TryAddSingleton<Refusals>();
        services.TryAddSingleton<Doors>();
        services.AddSingleton(new StartReport.Kind(role));
        services.AddSingleton<StartReport>();
        services.AddSingleton<Readiness>();
        services.AddSingleton<MetricsPage>();
        services.AddMetrics();
        services.AddLogging(AddLog);
        services.AddSingleton<IHostLifetime, NoLifetime>();
        services.Configure<HostOptions>(host => host.ShutdownTimeout = StopsWithin);
        services.AddHostedService<HttpDoor>();
        services.AddHostedService<SettingsWatcher>();
    }

    // The first warns that a node has no server GC, the second that nothing was checked since the machine was switched on: both are meant so. The third
    // warns of every console that ends: a console hangs up and does not say goodbye.
    private static void AddLog(ILoggingBuilder log)
    {
        log.SetMinimumLevel(LogLevel.Trace).AddFilter("Orleans.Runtime.Silo", LogLevel.Error).AddFilter("Orleans.Runtime.Watchdog", LogLevel.Error)
            .AddFilter("Orleans.Runtime.Messaging.Connection", LogLevel.Error);
        log.Services.AddSingleton<ILoggerProvider, ConsoleLog>();
    }

    // The periods are Orleans' defaults made longer: a silo that is alone has nobody to tell its load, and every timer wakes the processor.
    private static void ConfigureNode(this ISiloBuilder silo, IConfiguration configuration)
    {
        var ports = new SiloOptions();
        new SettingsSection<SiloOptions>("silo").Bind(ports, configuration);
        silo.UseLocalhostClustering(ports.Port, ports.GatewayPort, serviceId: ClusterId, clusterId: ClusterId);
        silo.Configure<EndpointOptions>(o => o.AdvertisedIPAddress = IPAddress.Loopback);
        silo.Configure<DeploymentLoadPublisherOptions>(o => o.DeploymentLoadPublisherRefreshTime = TimeSpan.FromMinutes(10));
        silo.Configure<SiloMessagingOptions>(o => o.GrainWorkloadAnalysisPeriod = TimeSpan.FromMinutes(1));
        // Every grain is here: a cache for a million of other silos' grains would be 9 MB of nothing.
        silo.Configure<GrainDirectoryOptions>(o => o.CacheSize = 4_096);
        silo.Configure<GrainCollectionOptions>(o =>
        {
            o.CollectionAge = TimeSpan.FromMinutes(5);
            o.CollectionQuantum = TimeSpan.FromMinutes(1);
        });
        silo.Configure<ClusterMembershipOptions>(o =>
        {
            o.DefunctSiloCleanupPeriod = null;
            o.LocalHealthDegradationMonitoringPeriod = TimeSpan.FromMinutes(1);
        });
    }
}
