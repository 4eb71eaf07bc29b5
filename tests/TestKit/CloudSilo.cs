using EdgeOrleans.Joining;
using EdgeOrleans.Nodes;
using EdgeOrleans.Resources;
using EdgeOrleans.Settings;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

namespace EdgeOrleans.TestKit;

/// <summary>A whole cloud of one silo inside this process, as the program runs it: with a data folder of its own and ports that are free.</summary>
/// <remarks>Several run side by side, and beside nodes. Disposing it stops it and removes its folder.</remarks>
public sealed class CloudSilo : IAsyncDisposable
{
    private readonly IReadOnlyDictionary<string, string> _given;
    private readonly Action<ISiloBuilder>? _add;
    private readonly bool _ownsFolder;
    private IHost? _host;

    private CloudSilo(IReadOnlyDictionary<string, string> given, Action<ISiloBuilder>? add, string? data)
    {
        (_given, _add, _ownsFolder) = (given, add, data is null);
        DataFolder = data ?? Directory.CreateTempSubdirectory("cloud-").FullName;
    }

    /// <summary>Where its database and its CA are.</summary>
    public string DataFolder { get; }

    /// <summary>The port of the console's gateway on 127.0.0.1.</summary>
    public int GatewayPort { get; private set; }

    /// <summary>Where nodes get their certificates.</summary>
    public Uri Bootstrap { get; private set; } = new("https://127.0.0.1");

    /// <summary>Where nodes link to it.</summary>
    public Uri Link { get; private set; } = new("wss://127.0.0.1");

    /// <summary>Its resources: nodes, devices and models.</summary>
    public IResourcesGrain Resources => Grains.GetGrain<IResourcesGrain>(IResourcesGrain.Key);

    /// <summary>Everything that it is made of.</summary>
    public IServiceProvider Services => Host.Services;

    /// <summary>Calls its grains, as a visitor does.</summary>
    public IGrainFactory Grains => Services.GetRequiredService<IGrainFactory>();

    /// <summary>Its join tokens.</summary>
    public IJoinTokensGrain JoinTokens => Grains.GetGrain<IJoinTokensGrain>(IJoinTokensGrain.Key);

    private IHost Host => _host ?? throw new InvalidOperationException("the cloud is stopped");

    /// <summary>Starts a cloud and returns when it is ready.</summary>
    /// <param name="settings">Its settings, such as <c>modules.cloudHub.advertiseAddress</c>, over those of a cloud for tests.</param>
    /// <param name="add">More for the silo: a service of the test.</param>
    /// <param name="data">A data folder that is there already and stays; null makes one that is removed with the cloud.</param>
    public static async Task<CloudSilo> StartAsync(
        IReadOnlyDictionary<string, string>? settings = null, Action<ISiloBuilder>? add = null, string? data = null)
    {
        var cloud = new CloudSilo(settings ?? new Dictionary<string, string>(), add, data);
        try
        {
            await cloud.StartHostAsync();
            return cloud;
        }
        catch
        {
            await cloud.DisposeAsync();
            throw;
        }
    }

    /// <summary>A token for a node, as a person would make it.</summary>
    public async Task<JoinToken> TokenAsync(string node, TimeSpan? lifetime = null)
    {
        var made = await JoinTokens.CreateAsync(new JoinTokenRequest { Node = node, Lifetime = lifetime ?? TimeSpan.FromHours(1) });
        return JoinToken.TryParse(made.Token, out var token) ? token : throw new FormatException("the cloud made a token that is none");
    }

    /// <summary>Stops it and starts it again on the same data; its ports may be others.</summary>
    public async Task RestartAsync()
    {
        await StopAsync();
        await StartHostAsync();
    }

    /// <summary>Stops it as a signal does; its data stays.</summary>
    public async Task StopAsync()
    {
        if (Interlocked.Exchange(ref _host, null) is { } host)
        {
            await host.StopAsync();
            host.Dispose();
        }
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await StopAsync();
        if (_ownsFolder)
        {
            Directory.Delete(DataFolder, recursive: true);
        }
    }

    private async Task StartHostAsync()
    {
        var ports = FreePorts.Take(2);
        GatewayPort = ports[1];
        var settings = new Dictionary<string, string>(StringComparer.OrdinalIgnoreCase)
        {
            ["data"] = DataFolder,
            ["node.name"] = "cloud",
            ["silo.port"] = $"{ports[0]}",
            ["silo.gatewayPort"] = $"{ports[1]}",
            ["http.listen"] = "http://127.0.0.1:0",
            ["log.level"] = "Error",
            ["log.libraries"] = "Error",
            ["modules.cloudHub.https.port"] = "0",
            ["modules.cloudHub.websocket.port"] = "0",
        };
        foreach (var (key, value) in _given)
        {
            settings[key] = value;
        }

        _host = await Hosts.StartedAsync(NodeHost.Build(SettingsLadder.Of(settings), _add, Role.Cloud));
        var doors = (await Grains.GetGrain<INodeGrain>(INodeGrain.Key).GetInfoAsync()).Doors;
        Bootstrap = doors.TryGetValue("bootstrap", out var address) ? new Uri(address) : Bootstrap;
        Link = doors.TryGetValue("link", out var link) ? new Uri(link) : Link;
    }
}
