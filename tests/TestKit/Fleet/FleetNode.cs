using EdgeOrleans.Devices;

namespace EdgeOrleans.TestKit;

/// <summary>A node of a fleet, its devices, and its way to the cloud.</summary>
public sealed class FleetNode : IAsyncDisposable
{
    private readonly EdgeFleet _fleet;
    private EdgeNode? _node;

    internal FleetNode(EdgeFleet fleet, int number, int devices)
    {
        _fleet = fleet;
        Name = $"edge-{number}";
        Number = number;
        Devices = [.. Enumerable.Range(0, devices).Select(Device)];
        Wire = new Relay(() => fleet.LinkDoor);
    }

    /// <summary>Its name.</summary>
    public string Name { get; }

    /// <summary>Its number in the fleet.</summary>
    public int Number { get; }

    /// <summary>The ids of the devices that it was made with.</summary>
    public IReadOnlyList<string> Devices { get; }

    /// <summary>The way that its link goes.</summary>
    public Relay Wire { get; }

    /// <summary>The node itself.</summary>
    public EdgeNode Node => _node ?? throw new InvalidOperationException($"{Name} was never started");

    /// <summary>Whether it runs.</summary>
    public bool IsRunning { get; private set; }

    /// <summary>The id of its device with a number.</summary>
    public string Device(int number) => $"default/d-{Number}-{number}";

    /// <summary>What the node knows of a device.</summary>
    public Task<DeviceView?> AtNodeAsync(string device) => Node.Grains.GetGrain<IDeviceTwinGrain>(device).GetAsync();

    /// <summary>A device reports a value over MQTT; it returns when the node has acknowledged it.</summary>
    public async Task ReportAsync(int device, string property, string value)
    {
        await using var client = await MqttProbe.ConnectAsync(Node.MqttPort);
        await client.PublishAsync($"$hw/events/device/{Device(device)}/twin/update", $$$$$"""{"event_id":"r","timestamp":0,"twin":{"{{{{{property}}}}}":{"actual":{"value":"{{{{{value}}}}}"}}}}""", qos: 1);
    }

    /// <summary>Stops the node as a signal does; its data stays.</summary>
    public async Task StopAsync()
    {
        IsRunning = false;
        await Node.StopAsync();
    }

    /// <summary>Stops it, if it runs, and starts it again on its data.</summary>
    public async Task RestartAsync()
    {
        await Node.RestartAsync();
        IsRunning = true;
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        if (_node is not null)
        {
            await _node.DisposeAsync();
        }

        await Wire.DisposeAsync();
    }

    internal async Task StartAsync(IReadOnlyDictionary<string, string>? given)
    {
        var made = await _fleet.Cloud.JoinTokens.CreateAsync(new Joining.JoinTokenRequest { Node = Name });
        var settings = new Dictionary<string, string>(StringComparer.OrdinalIgnoreCase)
        {
            ["node.name"] = Name,
            ["modules.deviceTwin.compatibility"] = "normal",
            ["modules.edgeHub.websocket.server"] = $"127.0.0.1:{Wire.Port}",
            ["modules.edgeHub.httpServer"] = _fleet.Cloud.Bootstrap.GetLeftPart(UriPartial.Authority),
            ["modules.edgeHub.token"] = made.Token,
        };
        foreach (var (key, value) in given ?? new Dictionary<string, string>())
        {
            settings[key] = value;
        }

        _node = await EdgeNode.StartAsync(settings);
        IsRunning = true;
    }
}
