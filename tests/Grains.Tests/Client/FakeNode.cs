using System.Collections.Concurrent;
using System.Collections.Immutable;
using System.Text.Json;
using EdgeOrleans.Devices;
using EdgeOrleans.Modules;
using EdgeOrleans.Nodes;
using EdgeOrleans.TestKit;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Orleans.Configuration;

namespace EdgeOrleans.Client;

/// <summary>A silo with the three grains a console talks to, over real sockets. The grains say what a test put into it.</summary>
public sealed class FakeNode : IAsyncLifetime
{
    private IHost? _host;

    public ConcurrentDictionary<string, DeviceView> Devices { get; } = new(StringComparer.Ordinal);

    public ConcurrentDictionary<string, ModelSummary> Models { get; } = new(StringComparer.Ordinal);

    public ConcurrentQueue<string> Applied { get; } = new();

    public ConcurrentDictionary<string, IDeviceObserver> Watchers { get; } = new(StringComparer.Ordinal);

    public SemaphoreSlim Watched { get; } = new(0);

    public int Port { get; } = FreePorts.Take();

    public string Address => $"127.0.0.1:{Port}";

    // The first connection of a process compiles half of Orleans, and the console's patience is short: that one is nobody's test.
    public async ValueTask InitializeAsync()
    {
        await StartAsync();
        await Ctl.RunAsync(["version", "--server", Address]);
    }

    public async ValueTask DisposeAsync() => await StopAsync();

    public async Task StartAsync()
    {
        _host = new HostBuilder()
            .ConfigureLogging(logging => logging.ClearProviders())
            .UseOrleans(silo =>
            {
                silo.UseLocalhostClustering(FreePorts.Take(), Port, null, "edgeorleans", "edgeorleans");
                silo.Services.AddSingleton(this);
                silo.Services.PostConfigure<GrainTypeOptions>(OnlyFakes);
            })
            .Build();
        await _host.StartAsync();
    }

    public async Task StopAsync()
    {
        if (_host is { } host)
        {
            _host = null;
            await host.StopAsync();
            host.Dispose();
        }
    }

    public void Put(DeviceView device) => Devices[device.Id] = device;

    public Task ChangeAsync(DeviceView device)
    {
        Put(device);
        return Watchers.TryGetValue(device.Id, out var watcher) ? watcher.ChangedAsync(device) : Task.CompletedTask;
    }

    // The fakes are private, so that no silo but this one finds them; this one has no other grains for the same interfaces.
    private static void OnlyFakes(GrainTypeOptions options)
    {
        options.Classes.RemoveWhere(type => typeof(INodeGrain).IsAssignableFrom(type)
            || typeof(IMembershipGrain).IsAssignableFrom(type) || typeof(IDeviceTwinGrain).IsAssignableFrom(type)
            || type.Namespace?.StartsWith("EdgeOrleans", StringComparison.Ordinal) == true);
        options.Classes.Add(typeof(NodeGrain));
        options.Classes.Add(typeof(MembershipGrain));
        options.Classes.Add(typeof(TwinGrain));
    }

    [GrainType("test.node")]
    private sealed class NodeGrain : Grain, INodeGrain
    {
        public Task<NodeInfo> GetInfoAsync() => Task.FromResult(new NodeInfo
        {
            Name = "edge-1",
            Version = "9.8.7",
            Started = DateTimeOffset.UtcNow,
            Doors = ImmutableSortedDictionary<string, string>.Empty.Add("mqtt", "tcp://127.0.0.1:1883"),
        });

        public Task<ImmutableArray<ModuleStatus>> GetModulesAsync() => Task.FromResult<ImmutableArray<ModuleStatus>>(
        [
            new ModuleStatus { Name = "deviceTwin", Group = "twin", Enabled = true, State = ModuleState.Running },
            new ModuleStatus { Name = "edgeMesh", Group = "mesh", Enabled = false, State = ModuleState.NotBuilt },
        ]);

        public Task<ImmutableSortedDictionary<string, long>> GetRefusalsAsync() =>
            Task.FromResult(ImmutableSortedDictionary<string, long>.Empty.Add("unknown-device", 3));
    }

    [GrainType("test.membership")]
    private sealed class MembershipGrain(FakeNode node) : Grain, IMembershipGrain
    {
        public Task<ApplyOutcome> ApplyAsync(string document)
        {
            using var json = JsonDocument.Parse(document);
            var kind = json.RootElement.GetProperty("kind").GetString()!;
            var name = json.RootElement.GetProperty("metadata").GetProperty("name").GetString()!;
            if (name == "refused")
            {
                throw new RefusedException(400, "spec.properties[0].type: 'INTEGER' is no type; take INT");
            }

            node.Applied.Enqueue(document);
            return Task.FromResult(new ApplyOutcome { Resource = $"{kind.ToLowerInvariant()}/default/{name}", Outcome = "created", Warnings = name == "warned" ? ["methods are not built yet"] : [] });
        }

        public Task DeleteDeviceAsync(string id) =>
            node.Devices.TryRemove(id, out _) ? Task.CompletedTask : throw new RefusedException(404, $"there is no device '{id}'");

        public Task DeleteModelAsync(string id) =>
            node.Models.TryRemove(id, out _) ? Task.CompletedTask : throw new RefusedException(404, $"there is no model '{id}'");

        public Task<DevicePage> ListDevicesAsync(string? after, int count)
        {
            var rest = node.Devices.Values.OrderBy(d => d.Id, StringComparer.Ordinal).Where(d => string.CompareOrdinal(d.Id, after) > 0).ToList();
            return Task.FromResult(new DevicePage
            {
                Devices = [.. rest.Take(count).Select(d => new DeviceSummary { Id = d.Id, State = d.State, Description = d.Description, Model = d.Model })],
                More = rest.Count > count,
            });
        }

        public Task<ImmutableArray<ModelSummary>> ListModelsAsync() => Task.FromResult<ImmutableArray<ModelSummary>>([.. node.Models.Values]);
    }

    [GrainType("test.twin")]
    private sealed class TwinGrain(FakeNode node) : Grain, IDeviceTwinGrain
    {
        public Task<DeviceView?> GetAsync() => Task.FromResult(node.Devices.GetValueOrDefault(this.GetPrimaryKeyString()));

        public Task<DeviceView> SetExpectedAsync(ImmutableDictionary<string, string> values)
        {
            if (!node.Devices.TryGetValue(this.GetPrimaryKeyString(), out var device))
            {
                throw new RefusedException(404, $"there is no device '{this.GetPrimaryKeyString()}'");
            }

            if (values.ContainsKey("pressure"))
            {
                throw new RefusedException(400, "'pressure' is read only");
            }

            device = device with
            {
                Twin = device.Twin.SetItems(values.Select(v => KeyValuePair.Create(
                    v.Key,
                    device.Twin.GetValueOrDefault(v.Key, new TwinProperty()) with { Expected = new TwinValue { Value = v.Value, Timestamp = 7, Version = new(0, 1) } }))),
            };
            node.Put(device);
            return Task.FromResult(device);
        }

        public Task<DeviceView?> WatchAsync(IDeviceObserver observer)
        {
            node.Watchers[this.GetPrimaryKeyString()] = observer;
            node.Watched.Release();
            return GetAsync();
        }

        public Task UnwatchAsync(IDeviceObserver observer)
        {
            node.Watchers.TryRemove(this.GetPrimaryKeyString(), out _);
            return Task.CompletedTask;
        }
    }
}
