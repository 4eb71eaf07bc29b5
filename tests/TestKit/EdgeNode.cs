using EdgeOrleans.Beehive;
using EdgeOrleans.Nodes;
using EdgeOrleans.Settings;
using Microsoft.Data.Sqlite;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

namespace EdgeOrleans.TestKit;

/// <summary>A whole node inside this process, as the program runs it: with a data folder of its own and ports that are free.</summary>
/// <remarks>
/// It does what edgecore does (<c>compatibility: strict</c>, <c>unknownDevices: refuse</c>) and is called <c>edge-node</c>, unless it is told
/// otherwise. Several run side by side. Disposing it stops it and removes its folder.
/// </remarks>
public sealed class EdgeNode : IAsyncDisposable
{
    private readonly IReadOnlyDictionary<string, string> _given;
    private readonly Action<ISiloBuilder>? _add;
    private readonly bool _ownsFolder;
    private IHost? _host;
    private IReadOnlyDictionary<string, string> _doors = new Dictionary<string, string>();

    private EdgeNode(IReadOnlyDictionary<string, string> given, Action<ISiloBuilder>? add, string? data)
    {
        (_given, _add, _ownsFolder) = (given, add, data is null);
        DataFolder = data ?? Directory.CreateTempSubdirectory("edge-node-").FullName;
    }

    /// <summary>The node's name.</summary>
    public string Name => _given.GetValueOrDefault("node.name", "edge-node");

    /// <summary>Where its database is.</summary>
    public string DataFolder { get; }

    /// <summary>The port of its MQTT broker on 127.0.0.1.</summary>
    public int MqttPort => new Uri(Door("mqtt")).Port;

    /// <summary>The port of the console's gateway on 127.0.0.1.</summary>
    public int GatewayPort { get; private set; }

    /// <summary>Everything that it is made of.</summary>
    public IServiceProvider Services => Host.Services;

    /// <summary>Sends to its modules and entities, as a module does.</summary>
    public IMessageContext Beehive => Services.GetRequiredService<IMessageContext>();

    /// <summary>Calls its grains, as a visitor does.</summary>
    public IGrainFactory Grains => Services.GetRequiredService<IGrainFactory>();

    private IHost Host => _host ?? throw new InvalidOperationException("the node is stopped");

    /// <summary>Starts a node and returns when it is ready.</summary>
    /// <param name="settings">Its settings, such as <c>modules.edgeHub.websocket.server</c>, over those of a node for tests.</param>
    /// <param name="add">More for the silo: a module or a service of the test.</param>
    /// <param name="data">A data folder that is there already and stays; null makes one that is removed with the node.</param>
    public static async Task<EdgeNode> StartAsync(
        IReadOnlyDictionary<string, string>? settings = null, Action<ISiloBuilder>? add = null, string? data = null)
    {
        var node = new EdgeNode(settings ?? new Dictionary<string, string>(), add, data);
        try
        {
            await node.StartHostAsync();
            return node;
        }
        catch
        {
            await node.DisposeAsync();
            throw;
        }
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

    /// <summary>Stops it as a power cut does: what is on its disk now stays, and what it writes about its end is lost.</summary>
    public Task CrashAsync()
    {
        var (database, kept) = (Path.Combine(DataFolder, "edgeorleans.db"), Path.Combine(DataFolder, "kept"));
        using (var connection = new SqliteConnection($"Data Source={database};Pooling=False"))
        {
            connection.Open();
            using var command = connection.CreateCommand();
            command.CommandText = "VACUUM INTO $kept";
            command.Parameters.AddWithValue("$kept", kept);
            command.ExecuteNonQuery();
        }

        return EndAsync();

        async Task EndAsync()
        {
            await StopAsync();
            foreach (var file in Directory.GetFiles(DataFolder, "edgeorleans.db*"))
            {
                File.Delete(file);
            }

            File.Move(kept, database);
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
            ["node.name"] = Name,
            ["silo.port"] = $"{ports[0]}",
            ["silo.gatewayPort"] = $"{ports[1]}",
            ["http.listen"] = "http://127.0.0.1:0",
            ["log.level"] = "Warning",
            ["log.libraries"] = "Error",
            ["modules.eventBus.mqttServerInternal"] = "tcp://127.0.0.1:0",
            ["modules.deviceTwin.compatibility"] = "strict",
            ["modules.deviceTwin.unknownDevices"] = "refuse",
        };
        foreach (var (key, value) in _given)
        {
            settings[key] = value;
        }

        _host = await Hosts.StartedAsync(NodeHost.Build(SettingsLadder.Of(settings), _add));
        _doors = (await Grains.GetGrain<INodeGrain>(INodeGrain.Key).GetInfoAsync()).Doors;
    }

    private string Door(string name) => _doors.TryGetValue(name, out var address)
        ? address
        : throw new InvalidOperationException($"the node has no door '{name}'; its module is off, or it failed");
}
