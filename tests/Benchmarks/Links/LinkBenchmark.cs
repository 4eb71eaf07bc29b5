using System.Collections.Concurrent;
using System.Collections.Immutable;
using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using EdgeOrleans.Benchmarks.Floors;
using EdgeOrleans.Benchmarks.Measuring;
using EdgeOrleans.Devices;
using EdgeOrleans.Resources;
using EdgeOrleans.TestKit;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Orleans.Configuration;

namespace EdgeOrleans.Benchmarks.Links;

/// <summary>How many links the published cloud holds, how soon they are back, how fast values go down and reports come up.</summary>
/// <remarks>The nodes are light ones in this process, on the same machine: they take about as much of it as the cloud does. Their certificates are made with the cloud's own CA.</remarks>
internal sealed class LinkBenchmark(int nodes, TextWriter progress) : IAsyncDisposable
{
    private const int FanOut = 1_000;
    private const int Reporters = 100;
    private const int InFlight = 64;
    private static readonly TimeSpan Load = TimeSpan.FromSeconds(8);
    private static readonly TimeSpan Settle = TimeSpan.FromSeconds(10);

    private readonly CloudProcess _cloud = new($"--modules.cloudHub.nodeLimit={nodes + 100}", "--modules.cloudHub.websocket.maxHalfOpen=65536");
    private readonly FigureTable _table = new();
    private readonly Random _chance = new(1);
    private readonly List<LightNode> _nodes = [];
    private readonly CancellationTokenSource _stopping = new();

    public static async Task RunAsync(int nodes, TextWriter output)
    {
        await using var benchmark = new LinkBenchmark(nodes, Console.Error);
        await benchmark.MeasureAsync();
        benchmark._table.Write(output);
    }

    public async ValueTask DisposeAsync()
    {
        await _stopping.CancelAsync();
        await Task.WhenAll(_nodes.Select(static n => n.DisposeAsync().AsTask()));
        await _cloud.DisposeAsync();
        _stopping.Dispose();
    }

    private async Task MeasureAsync()
    {
        await _cloud.StartAsync();
        _ = KeepAliveAsync();
        await LinkAsync();
        await MeasureRestartAsync();
        await using var client = await ClientAsync();
        await MeasureFanOutAsync(client);
        await MeasureReportsAsync(client);
    }

    private async Task LinkAsync()
    {
        progress.WriteLine($"making {nodes} certificates");
        var certificates = Certificates(nodes);
        await Task.Delay(Settle);
        var before = ProcessUse.Resident(_cloud.Id);
        progress.WriteLine($"linking {nodes} nodes");
        var begin = Stopwatch.GetTimestamp();
        using var gate = new SemaphoreSlim(64);
        for (var i = 0; i < nodes; i++)
        {
            await gate.WaitAsync();
            var node = new LightNode(NameOf(i), certificates[i], () => new Uri($"wss://127.0.0.1:{_cloud.LinkPort}"), _chance);
            lock (_nodes)
            {
                _nodes.Add(node);
            }

            node.Begin();
            _ = node.Linked.ContinueWith(_ => gate.Release(), TaskScheduler.Default);
        }

        await Task.WhenAll(_nodes.Select(static n => n.Linked));
        var took = Stopwatch.GetElapsedTime(begin);
        await Task.Delay(Settle);
        var after = ProcessUse.Resident(_cloud.Id);
        _table.Add(new Figure($"{nodes:N0} nodes linked for the first time", Seconds(took), ""));
        _table.Add(new Figure("memory of the cloud for each link", $"{Number((after - before) * 1024 / nodes, 1)} KiB", "", $"{Number(before, 0)} MiB without one"));
        _table.Add(new Figure("RSS of the cloud with all of them", $"{Number(after, 0)} MiB", ""));
        var (processor, since) = (ProcessUse.Processor(_cloud.Id), Stopwatch.GetTimestamp());
        await Task.Delay(Settle * 3);
        _table.Add(new Figure("CPU of the cloud while they are idle", $"{Number(100 * ((ProcessUse.Processor(_cloud.Id) - processor) / Stopwatch.GetElapsedTime(since)), 1)} % of a core", ""));
    }

    private async Task MeasureRestartAsync()
    {
        progress.WriteLine("restarting the cloud");
        _nodes.ForEach(static n => n.Forget());
        await _cloud.KillAsync();
        await _cloud.StartAsync();
        var begin = Stopwatch.GetTimestamp();
        await Task.WhenAll(_nodes.Select(static n => n.Linked));
        _table.Add(new Figure("all back after kill -9 and start of the cloud, from its ready line", Seconds(Stopwatch.GetElapsedTime(begin)), ""));
    }

    private async Task MeasureFanOutAsync(ServiceProvider client)
    {
        var grains = client.GetRequiredService<IClusterClient>();
        var count = Math.Min(FanOut, nodes);
        progress.WriteLine($"a device on each of {count} nodes");
        await ApplyAsync(grains, Enumerable.Range(0, count).Select(i => ($"fan-{i}", NameOf(i))));
        for (var run = 0; run < 3; run++)
        {
            var arrived = new ConcurrentDictionary<string, double>(StringComparer.Ordinal);
            var all = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            var value = $"{run}-{Guid.NewGuid():N}";
            var begin = Stopwatch.GetTimestamp();
            _nodes.ForEach(node => node.Wanted = (device, wanted, at) =>
            {
                if (wanted == value && arrived.TryAdd(device, Stopwatch.GetElapsedTime(begin, at).TotalMilliseconds) && arrived.Count == count)
                {
                    all.TrySetResult();
                }
            });
            await Parallel.ForAsync(0, count, new ParallelOptions { MaxDegreeOfParallelism = 64 }, async (i, _) =>
                await grains.GetGrain<IDeviceTwinGrain>($"default/fan-{i}").SetExpectedAsync(ImmutableDictionary<string, string>.Empty.Add("t", value)));
            await all.Task.WaitAsync(Patience.Default);
            var times = arrived.Values.Order().ToList();
            progress.WriteLine($"fan-out {run}: p50 {times[times.Count / 2]:0} ms, p99 {times[times.Count * 99 / 100]:0} ms");
            if (run == 2)
            {
                _table.Add(new Figure($"a value for each of {count:N0} nodes, set all at once: p50 after the first set", $"{times[times.Count / 2]:0} ms", "< 1 s"));
                _table.Add(new Figure("the same, p99", $"{times[times.Count * 99 / 100]:0} ms", ""));
            }
        }
    }

    private async Task MeasureReportsAsync(ServiceProvider client)
    {
        var grains = client.GetRequiredService<IClusterClient>();
        progress.WriteLine("devices that report");
        await ApplyAsync(grains, Enumerable.Range(0, Reporters).Select(i => ($"one-{i}", NameOf(0))));
        await ApplyAsync(grains, Enumerable.Range(0, Reporters).Select(i => ($"many-{i}", NameOf(i))));
        var folder = Directory.CreateDirectory(Repository.PathOf("artifacts", "benchmarks", Guid.NewGuid().ToString("N"))).FullName;
        var floor = CommitFloor.Measure(folder, 32, Load / 4);
        Directory.Delete(folder, recursive: true);
        var one = await ReportAsync([_nodes[0]], i => (_nodes[0], $"default/one-{i}"));
        _table.Add(new Figure($"reports/s kept and answered, one link, {Reporters} devices, {InFlight} in flight", Number(one, 0), "", $"{Number(floor.Rate, 0)} rows/s of SQLite, 32 a commit", one / floor.Rate));
        var many = await ReportAsync([.. _nodes.Take(Reporters)], i => (_nodes[i], $"default/many-{i}"));
        _table.Add(new Figure($"the same through {Reporters} links, one device each", Number(many, 0), "", $"{Number(floor.Rate, 0)} rows/s of SQLite, 32 a commit", many / floor.Rate));
    }

    /// <summary>Each device has one report under way; so many devices at a time.</summary>
    private async Task<double> ReportAsync(IReadOnlyList<LightNode> reporters, Func<int, (LightNode Node, string Device)> of)
    {
        progress.WriteLine($"reports through {reporters.Count} links");
        var numbers = new long[Reporters];
        var (answered, counts) = (0, false);
        var end = new CancellationTokenSource(Load + (Load / 4));
        async Task SendAsync(int i)
        {
            var (node, device) = of(i);
            var number = DateTime.UtcNow.Ticks + numbers[i]++;
            await node.ReportAsync(device, number, $"{i}");
        }

        foreach (var node in reporters)
        {
            node.Answered = id =>
            {
                Interlocked.Add(ref answered, Volatile.Read(ref counts) ? 1 : 0);
                if (!end.IsCancellationRequested && int.TryParse(id, CultureInfo.InvariantCulture, out var i))
                {
                    _ = SendAsync(i);
                }
            };
        }

        for (var i = 0; i < Math.Min(InFlight, Reporters); i++)
        {
            await SendAsync(i);
        }

        await Task.Delay(Load / 4);
        Volatile.Write(ref counts, true);
        var begin = Stopwatch.GetTimestamp();
        await Task.Delay(Load);
        Volatile.Write(ref counts, false);
        var rate = answered / Stopwatch.GetElapsedTime(begin).TotalSeconds;
        await end.CancelAsync();
        end.Dispose();
        return rate;
    }

    private async Task KeepAliveAsync()
    {
        while (!_stopping.IsCancellationRequested)
        {
            LightNode[] all;
            lock (_nodes)
            {
                all = [.. _nodes];
            }

            Array.ForEach(all, static node => node.KeepAlive());

            await Task.Delay(TimeSpan.FromSeconds(10), _stopping.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    private static async Task ApplyAsync(IClusterClient grains, IEnumerable<(string Device, string Node)> devices)
    {
        var resources = grains.GetGrain<IResourcesGrain>(IResourcesGrain.Key);
        await Parallel.ForEachAsync(devices, new ParallelOptions { MaxDegreeOfParallelism = 32 }, async (d, _) => await resources.ApplyAsync(
            $$$"""{"apiVersion":"devices.kubeedge.io/v1beta1","kind":"Device","metadata":{"name":"{{{d.Device}}}"},"spec":{"nodeName":"{{{d.Node}}}"}}"""));
    }

    private async Task<ServiceProvider> ClientAsync()
    {
        var services = new ServiceCollection();
        services.AddLogging();
        services.AddOrleansClient(client =>
        {
            client.UseStaticClustering(new IPEndPoint(IPAddress.Loopback, _cloud.GatewayPort));
            client.Services.Configure<ClusterOptions>(static o => o.ClusterId = o.ServiceId = "edgeorleans");
        });
        var provider = services.BuildServiceProvider();
        foreach (var hosted in provider.GetServices<IHostedService>())
        {
            await hosted.StartAsync(CancellationToken.None);
        }

        return provider;
    }

    // One key serves all: what is measured is the link.
    private List<X509Certificate2> Certificates(int count)
    {
        using var authority = X509Certificate2.CreateFromPemFile(Path.Combine(_cloud.Data, "cloud-ca.pem"));
        using var issuer = authority.GetECDsaPrivateKey()!;
        var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var now = DateTimeOffset.UtcNow;
        return [.. Enumerable.Range(0, count).Select(i =>
        {
            var request = new CertificateRequest($"CN=system:node:{NameOf(i)}, O=system:nodes", key, HashAlgorithmName.SHA256);
            request.CertificateExtensions.Add(new X509EnhancedKeyUsageExtension([new Oid("1.3.6.1.5.5.7.3.2")], false));
            var serial = new byte[16];
            RandomNumberGenerator.Fill(serial);
            serial[0] = 0x41;
            using var bare = request.Create(authority.SubjectName, X509SignatureGenerator.CreateForECDsa(issuer), now.AddMinutes(-1), now.AddDays(1), serial);
            return bare.CopyWithPrivateKey(key);
        })];
    }

    private static string NameOf(int node) => string.Create(CultureInfo.InvariantCulture, $"light-{node}");

    private static string Seconds(TimeSpan time) => Number(time.TotalSeconds, 1) + " s";

    private static string Number(double number, int digits) => number.ToString($"N{digits}", CultureInfo.InvariantCulture);
}
