using System.Net;
using EdgeOrleans.Devices;
using EdgeOrleans.Joining;
using EdgeOrleans.Link;
using EdgeOrleans.Mqtt;
using EdgeOrleans.Nodes;
using EdgeOrleans.Resources;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Orleans.Configuration;
using Orleans.Runtime.Messaging;

namespace EdgeOrleans.Client.Connection;

/// <summary>The console's connection to one node: an Orleans client with one gateway, and nothing more.</summary>
internal sealed class NodeConnection : IAsyncDisposable
{
    private const string Cluster = "edgeorleans";

    private readonly ServiceProvider _services;
    private readonly TaskCompletionSource _lost = new(TaskCreationOptions.RunContinuationsAsynchronously);

    private NodeConnection(IPEndPoint gateway) => _services = BuildServices(gateway);

    public INodeGrain Node => Client.GetGrain<INodeGrain>(INodeGrain.Key);

    public IMembershipGrain Membership => Client.GetGrain<IMembershipGrain>(IMembershipGrain.Key);

    /// <summary>What became of what was to go over the link; both have it.</summary>
    public ILedgerGrain Ledger => Client.GetGrain<ILedgerGrain>(ILedgerGrain.Key);

    /// <summary>The resources; a cloud has them, a node does not.</summary>
    public IResourcesGrain Resources => OfCloud(() => Client.GetGrain<IResourcesGrain>(IResourcesGrain.Key));

    /// <summary>Whether the other side is a cloud.</summary>
    public bool IsCloud
    {
        get
        {
            try
            {
                Client.GetGrain<IResourcesGrain>(IResourcesGrain.Key);
                return true;
            }
            catch (ArgumentException)
            {
                return false;
            }
        }
    }

    /// <summary>The join tokens; a cloud has them, a node does not.</summary>
    public IJoinTokensGrain JoinTokens => OfCloud(() => Client.GetGrain<IJoinTokensGrain>(IJoinTokensGrain.Key));

    /// <summary>The MQTT broker; a node has one, a cloud does not.</summary>
    public IMqttGrain Mqtt => OfNode(() => Client.GetGrain<IMqttGrain>(IMqttGrain.Key));

    /// <summary>The users of the MQTT broker; a node has some, a cloud does not.</summary>
    public IMqttUsersGrain MqttUsers => OfNode(() => Client.GetGrain<IMqttUsersGrain>(IMqttUsersGrain.Key));

    /// <summary>Completes when the node is gone.</summary>
    public Task Lost => _lost.Task;

    private IClusterClient Client => _services.GetRequiredService<IClusterClient>();

    /// <summary>Connects, or says why not and what to do next: within three seconds, unless somebody listens there and is silent.</summary>
    public static Task<NodeConnection> OpenAsync(ServerAddress server, CancellationToken cancellation) =>
        OpenAsync(server, Reach.Handshake, cancellation);

    /// <summary>Connects, with as much patience for a silent listener.</summary>
    internal static async Task<NodeConnection> OpenAsync(ServerAddress server, TimeSpan handshake, CancellationToken cancellation)
    {
        try
        {
            return await OpenAsync(await Reach.ProbeAsync(server, cancellation), handshake, cancellation);
        }
        catch (UnreachableException e)
        {
            throw new CommandException(
                ExitCodes.Unreachable,
                $"cannot reach a node at {server}: {e.Message}; start one with 'edgeorleans', or name another with --server HOST:PORT");
        }
        catch (OperationCanceledException) when (!cancellation.IsCancellationRequested)
        {
            // A gateway is silent until it has read who calls: a busy one looks like a stranger.
            throw new CommandException(
                ExitCodes.Unreachable,
                $"something listens at {server}, but it says nothing: it is busy or not a node; try again, or see that --server takes the node's silo.gatewayPort (30000 by default)");
        }
        catch (Exception e) when (e is not CommandException && !cancellation.IsCancellationRequested)
        {
            throw new CommandException(
                ExitCodes.Unreachable,
                $"something listens at {server}, but it does not answer as an EdgeOrleans node; --server takes the node's silo.gatewayPort (30000 by default)");
        }
    }

    /// <summary>Whether an error of a call means that the node is gone, and not that it refused.</summary>
    public static bool IsGone(Exception e) =>
        e is TimeoutException or OrleansMessageRejectionException or SiloUnavailableException or ConnectionFailedException or ObjectDisposedException;

    /// <summary>The certificates of a node; a cloud has them, a node does not.</summary>
    public INodeCertificatesGrain Certificates(string node) => OfCloud(() => Client.GetGrain<INodeCertificatesGrain>(node));

    public IDeviceTwinGrain Device(string id) => Client.GetGrain<IDeviceTwinGrain>(id);

    /// <summary>Gives a grain the address of an observer. The caller keeps the observer alive: Orleans holds it weakly.</summary>
    public IDeviceObserver Address(IDeviceObserver observer) => Client.CreateObjectReference<IDeviceObserver>(observer);

    // Orleans knows after connecting which grains the other side has.
    private static T OfCloud<T>(Func<T> grain)
    {
        try
        {
            return grain();
        }
        catch (ArgumentException)
        {
            throw new CommandException(ExitCodes.Failed, "this is a node, and that is asked of the cloud: --server HOST:PORT takes the cloud's silo.gatewayPort (30100 by default)");
        }
    }

    private T OfNode<T>(Func<T> grain)
    {
        try
        {
            return grain();
        }
        catch (ArgumentException)
        {
            throw new CommandException(ExitCodes.Failed, IsCloud
                ? "this is a cloud, and a cloud has no MQTT broker: --server HOST:PORT takes a node's silo.gatewayPort (30000 by default)"
                : "this node is of a version that shows nothing of its MQTT broker");
        }
    }

    // The program ends or connects anew: there is nothing to say goodbye for, and the handshake of a graceful stop costs a wait.
    public ValueTask DisposeAsync() => _services.DisposeAsync();

    private static async Task<NodeConnection> OpenAsync(IPEndPoint gateway, TimeSpan handshake, CancellationToken cancellation)
    {
        var connection = new NodeConnection(gateway);
        try
        {
            await connection.StartAsync(handshake, cancellation);
            return connection;
        }
        catch
        {
            await connection.DisposeAsync();
            throw;
        }
    }

    private async Task StartAsync(TimeSpan handshake, CancellationToken cancellation)
    {
        using var limit = Reach.Limit(cancellation, handshake);
        foreach (var service in _services.GetServices<IHostedService>())
        {
            await service.StartAsync(limit.Token).WaitAsync(limit.Token);
        }
    }

    private ServiceProvider BuildServices(IPEndPoint gateway)
    {
        var services = new ServiceCollection();
        services.AddLogging();
        services.AddOrleansClient(client =>
        {
            client.UseStaticClustering(gateway);
            client.UseConnectionRetryFilter((_, _) => Task.FromResult(false));
            client.AddClusterConnectionLostHandler((_, _) => _lost.TrySetResult());
            client.Services.Configure<ClusterOptions>(o => o.ClusterId = o.ServiceId = Cluster);
            client.Services.Configure<ConnectionOptions>(o => o.OpenConnectionTimeout = Reach.Handshake * 2);
            client.Services.Configure<ClientMessagingOptions>(o => o.ResponseTimeout = TimeSpan.FromSeconds(10));
        });
        return services.BuildServiceProvider();
    }
}
