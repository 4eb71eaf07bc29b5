using System.Collections.Immutable;
using System.Net;
using EdgeOrleans.Devices;
using EdgeOrleans.Resources;

namespace EdgeOrleans.TestKit;

/// <summary>A cloud and nodes with devices, all inside this process, with a way between each node and the cloud that can be cut, held, delayed and throttled.</summary>
/// <remarks>
/// <code>
/// await using var fleet = await EdgeFleet.StartAsync(nodes: 3, devices: 5);
/// fleet[1].Wire.Block();
/// await fleet[1].ReportAsync(0, "temperature", "21");
/// await fleet.SetAsync(fleet[1].Device(0), "temperature", "25");
/// fleet[1].Wire.Unblock();
/// await fleet.SettledAsync();
/// </code>
/// Nodes and cloud are the whole programs, each with its silo, its database and its ports. Devices are called <c>default/d-NODE-NUMBER</c>; they are made through the
/// cloud. Disposing the fleet stops everything and removes its folders.
/// </remarks>
public sealed class EdgeFleet : IAsyncDisposable
{
    private const string Namespace = "default";
    private static readonly TimeSpan BetweenLooks = TimeSpan.FromMilliseconds(50);

    private readonly List<FleetNode> _nodes = [];

    private EdgeFleet(CloudSilo cloud) => Cloud = cloud;

    /// <summary>The cloud.</summary>
    public CloudSilo Cloud { get; }

    /// <summary>The nodes, in the order of their numbers.</summary>
    public IReadOnlyList<FleetNode> Nodes => _nodes;

    /// <summary>A node by its number.</summary>
    public FleetNode this[int node] => _nodes[node];

    /// <summary>Starts a fleet, and returns when all nodes are linked and know their devices.</summary>
    /// <param name="nodes">How many nodes; each is a silo of its own.</param>
    /// <param name="devices">How many devices each node has.</param>
    /// <param name="cloud">Settings of the cloud over those of a cloud for tests.</param>
    /// <param name="node">Settings of each node over those of a node for tests.</param>
    public static async Task<EdgeFleet> StartAsync(
        int nodes, int devices = 0, IReadOnlyDictionary<string, string>? cloud = null, IReadOnlyDictionary<string, string>? node = null)
    {
        // The doors keep their ports over restarts: nodes know no others.
        var ports = FreePorts.Take(2);
        var settings = new Dictionary<string, string>(cloud ?? ImmutableDictionary<string, string>.Empty, StringComparer.OrdinalIgnoreCase)
        {
            ["modules.cloudHub.https.port"] = $"{ports[0]}",
            ["modules.cloudHub.websocket.port"] = $"{ports[1]}",
        };
        var fleet = new EdgeFleet(await CloudSilo.StartAsync(settings));
        try
        {
            for (var i = 0; i < nodes; i++)
            {
                await fleet.AddAsync(devices, node);
            }

            await fleet.ReadyAsync();
            await fleet.SettledAsync();
            return fleet;
        }
        catch
        {
            await fleet.DisposeAsync();
            throw;
        }
    }

    /// <summary>One more node, with devices; it returns when the node runs, linked or not.</summary>
    public async Task<FleetNode> AddAsync(int devices = 0, IReadOnlyDictionary<string, string>? settings = null)
    {
        var node = new FleetNode(this, _nodes.Count, devices);
        for (var i = 0; i < devices; i++)
        {
            await ApplyDeviceAsync(node.Device(i), node.Name);
        }

        await node.StartAsync(settings);
        _nodes.Add(node);
        return node;
    }

    /// <summary>Puts a device onto a node, as <c>edgectl apply</c> does at the cloud.</summary>
    public Task ApplyDeviceAsync(string device, string node) => Cloud.Resources.ApplyAsync(
        $$$"""{"apiVersion":"devices.kubeedge.io/v1beta1","kind":"Device","metadata":{"namespace":"{{{Namespace}}}","name":"{{{device[(Namespace.Length + 1)..]}}}"},"spec":{"nodeName":"{{{node}}}"}}""");

    /// <summary>What the cloud knows of a device.</summary>
    public Task<DeviceView?> AtCloudAsync(string device) => Cloud.Grains.GetGrain<IDeviceTwinGrain>(device).GetAsync();

    /// <summary>Wants a value, as <c>edgectl twin set</c> does at the cloud.</summary>
    public Task SetAsync(string device, string property, string value) =>
        Cloud.Grains.GetGrain<IDeviceTwinGrain>(device).SetExpectedAsync(ImmutableDictionary<string, string>.Empty.Add(property, value));

    /// <summary>Waits until all nodes that run are linked.</summary>
    public Task ReadyAsync() => UntilAsync("all nodes are ready", async () =>
    {
        var ready = new HashSet<string>(StringComparer.Ordinal);
        for (var page = new ResourcePage { More = true }; page.More;)
        {
            page = await Cloud.Resources.ListAsync(new ResourceQuery { Kind = ResourceKinds.Node, After = page.Items.LastOrDefault()?.Id ?? "" });
            ready.UnionWith(page.Items.Where(static n => n.Ready).Select(static n => n.Id));
        }

        return _nodes.FirstOrDefault(n => n.IsRunning && !ready.Contains(n.Name)) is { } missing ? $"{missing.Name} is not ready" : null;
    });

    /// <summary>Waits until both sides say the same of every device of the nodes that run, and nothing is wanted that a node does not have.</summary>
    public Task SettledAsync() => UntilAsync("both sides agree", async () =>
    {
        foreach (var node in _nodes.Where(static n => n.IsRunning))
        {
            foreach (var device in node.Devices)
            {
                if (await DifferenceAsync(node, device) is { } difference)
                {
                    return difference;
                }
            }
        }

        return null;
    });

    /// <summary>Where the cloud and a node say different things of a device; null when they agree.</summary>
    public async Task<string?> DifferenceAsync(FleetNode node, string device)
    {
        var (there, here) = (await node.AtNodeAsync(device), await AtCloudAsync(device));
        if (there is null || here is null)
        {
            return there is null && here is null ? null : $"{device} is known to {(there is null ? "the cloud" : node.Name)} alone";
        }

        if (here.Pending.Length > 0)
        {
            return $"{device}: {string.Join(", ", here.Pending)} is wanted and not confirmed";
        }

        var names = there.Twin.Keys.Union(here.Twin.Keys, StringComparer.Ordinal);
        return names.Select(name => Difference(device, name, there.Twin.GetValueOrDefault(name), here.Twin.GetValueOrDefault(name))).FirstOrDefault(static d => d is not null);
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        foreach (var node in _nodes)
        {
            await node.DisposeAsync();
        }

        await Cloud.DisposeAsync();
    }

    internal IPEndPoint LinkDoor => new(IPAddress.Loopback, Cloud.Link.Port);

    private static string? Difference(string device, string property, TwinProperty? there, TwinProperty? here) =>
        (Side("expected", there?.Expected, here?.Expected) ?? Side("actual", there?.Actual, here?.Actual)) is { } side ? $"{device} {property}: {side}" : null;

    private static string? Side(string side, TwinValue? there, TwinValue? here) =>
        there?.Value == here?.Value && (there?.Version ?? default) == (here?.Version ?? default)
            ? null
            : $"{side} is {there?.Value ?? "nothing"} {there?.Version} on the node and {here?.Value ?? "nothing"} {here?.Version} in the cloud";

    /// <summary>Looks until nothing is missing any more; when the time is over, the last thing that was missing is told.</summary>
    /// <param name="what">What is waited for.</param>
    /// <param name="missing">What is missing; null for nothing.</param>
    /// <exception cref="TimeoutException">It did not come.</exception>
    public static async Task UntilAsync(string what, Func<Task<string?>> missing)
    {
        using var patience = new CancellationTokenSource(Patience.Default);
        while (await missing() is { } last)
        {
            if (patience.IsCancellationRequested)
            {
                throw new TimeoutException($"waited in vain until {what}: {last}");
            }

            await Task.Delay(BetweenLooks, CancellationToken.None);
        }
    }
}
