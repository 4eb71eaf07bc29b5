using System.Collections.Concurrent;
using System.Collections.Immutable;
using System.Globalization;
using System.Text.Json;

namespace EdgeOrleans.Fault;

/// <summary><c>kill -9</c> of cloud and node in turn, while devices report and values are wanted.</summary>
public sealed class LinkKillTests
{
    private const int Devices = 8;

    [Fact]
    public async Task Killed_in_turn_cloud_and_node_agree_again_and_nothing_answered_is_lost_or_goes_back()
    {
        await using var cloud = await new CloudProcess().StartAsync() as CloudProcess ?? throw new InvalidOperationException();
        await using var node = await cloud.NodeAsync("edge-1");
        await node.StartAsync();
        (await cloud.Console.RunWithInputAsync(string.Join("\n---\n", Enumerable.Range(0, Devices).Select(Manifest)), "apply", "-f", "-")).Succeeded();
        var ledger = new LinkLedger(Devices);
        await ledger.KnownAsync(node);
        for (var round = 0; round < Rounds.Count; round++)
        {
            using var enough = new CancellationTokenSource();
            var watching = ledger.WatchAsync(cloud.Console, enough.Token);
            var reporting = ledger.ReportAsync(node.MqttPort, enough.Token);
            var wanting = ledger.WantAsync(cloud.Console, enough.Token);
            await ledger.ReportsAsync(Random.Shared.Next(20, 400));

            var victim = round % 2 == 0 ? cloud : node;
            await victim.KillAsync();
            if (victim == cloud)
            {
                // The devices go on meanwhile: what they say waits on the node.
                await ledger.ReportsAsync(50);
            }

            await victim.StartAsync();
            await enough.CancelAsync();
            await Task.WhenAll(reporting, wanting, watching);

            await ledger.AgreeAsync(cloud.Console, node.Console);
        }
    }

    private static string Manifest(int device) => JsonSerializer.Serialize(new JsonObject
    {
        ["apiVersion"] = "devices.kubeedge.io/v1beta1",
        ["kind"] = "Device",
        ["metadata"] = new JsonObject { ["name"] = $"d{device}" },
        ["spec"] = new JsonObject { ["nodeName"] = "edge-1" },
    });

    /// <summary>What was promised: to devices by results, to people by the exit code of <c>twin set</c>.</summary>
    private sealed class LinkLedger(int devices)
    {
        private readonly long[] _sent = new long[devices];
        private readonly long[] _answered = new long[devices];
        private readonly long[] _wanted = new long[devices];
        private readonly long[] _set = new long[devices];
        private readonly ConcurrentDictionary<string, long> _seen = new(StringComparer.Ordinal);
        private int _reports;
        private TaskCompletionSource _enough = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private int _awaited = int.MaxValue;

        public Task ReportsAsync(int count)
        {
            _enough = new(TaskCreationOptions.RunContinuationsAsynchronously);
            Volatile.Write(ref _awaited, Volatile.Read(ref _reports) + count);
            return _enough.Task.WaitAsync(Patience.Default);
        }

        /// <summary>Waits until the node knows its devices.</summary>
        public async Task KnownAsync(NodeProcess node) => await UntilAsync(async () =>
            JsonNode.Parse(await node.Console.OutputAsync("get", "devices", "-o", "json"))!.AsArray().Count == devices ? null : "the node does not know its devices");

        public async Task ReportAsync(int port, CancellationToken cancellation)
        {
            while (!cancellation.IsCancellationRequested)
            {
                try
                {
                    await using var probe = await MqttProbe.ConnectAsync(port);
                    while (!cancellation.IsCancellationRequested)
                    {
                        var device = Random.Shared.Next(devices);
                        var value = ++_sent[device];
                        var answer = await probe.ReportAsync($"default/d{device}", ("n", value.ToString(CultureInfo.InvariantCulture))).WaitAsync(TimeSpan.FromSeconds(10), cancellation);
                        Assert.Equal(0, answer.Code);
                        _answered[device] = value;
                        if (Interlocked.Increment(ref _reports) >= Volatile.Read(ref _awaited))
                        {
                            _enough.TrySetResult();
                        }
                    }
                }
                catch (Exception e) when (e is not Xunit.Sdk.XunitException)
                {
                    // The node is gone; it comes back on the same port.
                    await Task.Delay(50, CancellationToken.None);
                }
            }
        }

        public async Task WantAsync(EdgeCtl cloud, CancellationToken cancellation)
        {
            while (!cancellation.IsCancellationRequested)
            {
                var device = Random.Shared.Next(devices);
                var value = ++_wanted[device];
                var result = await cloud.RunAsync("twin", "set", $"d{device}", $"w={value}");
                _set[device] = result.ExitCode == 0 ? value : _set[device];
            }
        }

        /// <summary>What the cloud shows of a device's reports never goes back.</summary>
        public async Task WatchAsync(EdgeCtl cloud, CancellationToken cancellation)
        {
            while (!cancellation.IsCancellationRequested)
            {
                var result = await cloud.RunAsync("get", "twins", "-o", "json");
                foreach (var twin in result.ExitCode == 0 ? JsonNode.Parse(result.Output)!.AsArray() : [])
                {
                    See((string)twin!["id"]!, twin["twin"]!);
                }
            }
        }

        /// <summary>Both sides come to say the same, and it is what was promised last or something newer.</summary>
        public Task AgreeAsync(EdgeCtl cloud, EdgeCtl node) => UntilAsync(async () =>
        {
            var (here, there) = (await TwinsAsync(cloud), await TwinsAsync(node));
            for (var i = 0; i < devices; i++)
            {
                var id = $"default/d{i}";
                var (a, b) = (here.GetValueOrDefault(id)?["twin"], there.GetValueOrDefault(id)?["twin"]);
                if (here.GetValueOrDefault(id)?["pending"]?.AsArray().Count is > 0 || !JsonNode.DeepEquals(Bare(a), Bare(b)))
                {
                    return $"{id}: the cloud says {a?.ToJsonString()}, the node {b?.ToJsonString()}";
                }

                Check(id, "reported", b?["n"]?["actual"]?["value"], _answered[i], _sent[i]);
                Check(id, "wanted", b?["w"]?["expected"]?["value"], _set[i], _wanted[i]);
                See(id, a!);
            }

            return null;
        });

        private static async Task<ImmutableDictionary<string, JsonNode>> TwinsAsync(EdgeCtl console) =>
            JsonNode.Parse(await console.OutputAsync("get", "twins", "-o", "json"))!.AsArray().ToImmutableDictionary(t => (string)t!["id"]!, t => t!);

        // Times are the node's own on either side; a desired value's is the cloud's until it is confirmed.
        private static JsonNode? Bare(JsonNode? twin)
        {
            var copy = twin?.DeepClone();
            foreach (var side in copy?.AsObject().SelectMany(p => new[] { p.Value!["expected"], p.Value["actual"] }).OfType<JsonObject>() ?? [])
            {
                side.Remove("metadata");
            }

            return copy;
        }

        private static void Check(string id, string what, JsonNode? stored, long promised, long sent)
        {
            var value = stored is null ? 0 : long.Parse((string)stored!, CultureInfo.InvariantCulture);
            Assert.True(value >= promised, $"{id}: {promised} was {what} and answered, {value} is there");
            Assert.True(value <= sent, $"{id}: {value} is there, and only {sent} was {what}");
        }

        private void See(string id, JsonNode twin)
        {
            if ((string?)twin["n"]?["actual"]?["value"] is { } text)
            {
                var value = long.Parse(text, CultureInfo.InvariantCulture);
                var newest = _seen.AddOrUpdate(id, value, (_, before) => Math.Max(before, value));
                Assert.True(value >= newest, $"{id}: the cloud showed {newest}, and then {value}");
            }
        }

        private static async Task UntilAsync(Func<Task<string?>> missing)
        {
            var until = DateTime.UtcNow + Patience.Default;
            while (await missing() is { } last)
            {
                Assert.True(DateTime.UtcNow < until, last);
                await Task.Delay(100);
            }
        }
    }
}
