using System.Collections.Immutable;
using System.Diagnostics;
using System.Globalization;
using System.Text.Json.Serialization;
using EdgeOrleans.DbManager;
using EdgeOrleans.TestKit;
using Microsoft.Extensions.DependencyInjection;
using Orleans.Serialization;
using Orleans.Storage;
using Orleans.TestingHost;

namespace EdgeOrleans.Benchmarks;

/// <summary>Grain storage on the node: ours against Orleans' ADO.NET provider on SQLite, each as durable as the other, in one run.</summary>
public static class StorageBenchmark
{
    private static readonly TimeSpan Length = TimeSpan.FromSeconds(3);
    private static readonly int[] Callers = [1, 100];
    private static readonly int[] Properties = [1, 10];

    public static async Task RunAsync(TextWriter output)
    {
        await output.WriteLineAsync("| storage | properties | callers | writes/s | p50 µs | p99 µs | CPU µs/write |");
        await output.WriteLineAsync("|---|---|---|---|---|---|---|");
        await MeasureAsync(output, "own, group commit", AddOwn);
        await MeasureAsync(output, "AdoNet on SQLite", AddAdoNet);
    }

    private static async Task MeasureAsync(TextWriter output, string name, Action<ISiloBuilder, string> add)
    {
        var folder = Directory.CreateTempSubdirectory("edgeorleans-").FullName;
        var builder = new InProcessTestClusterBuilder(1);
        builder.Options.ConfigureFileLogging = false;
        builder.ConfigureSilo((_, silo) => add(silo, folder));
        await using (var cluster = builder.Build())
        {
            await cluster.DeployAsync();
            var storage = cluster.Silos[0].ServiceProvider.GetRequiredKeyedService<IGrainStorage>(DbManagerModule.State);
            await RunAsync(storage, 10, 100, TimeSpan.FromSeconds(1), "warm-up");
            foreach (var properties in Properties)
            {
                foreach (var callers in Callers)
                {
                    await WriteRowAsync(output, name, properties, callers, await RunAsync(storage, properties, callers, Length, $"{properties}-{callers}"));
                }
            }
        }

        Directory.Delete(folder, recursive: true);
    }

    private static async Task<Figures> RunAsync(IGrainStorage storage, int properties, int callers, TimeSpan length, string run)
    {
        var cpu = Environment.CpuUsage.TotalTime;
        var clock = Stopwatch.StartNew();
        var times = await Task.WhenAll(Enumerable.Range(0, callers).Select(i =>
            Task.Run(() => WriteAsync(storage, GrainId.Create("bench.twin", $"{run}/pump-{i}"), properties, clock, length))));
        var (elapsed, used) = (clock.Elapsed, Environment.CpuUsage.TotalTime - cpu);
        return new Figures([.. times.SelectMany(t => t).Order()], elapsed, used);
    }

    private static async Task<List<double>> WriteAsync(IGrainStorage storage, GrainId id, int properties, Stopwatch clock, TimeSpan length)
    {
        var times = new List<double>();
        var slot = new GrainState<BenchTwin>();
        for (var n = 0; clock.Elapsed < length; n++)
        {
            slot.State = BenchTwin.Of(properties, n);
            var start = Stopwatch.GetTimestamp();
            await storage.WriteStateAsync("twin", id, slot);
            times.Add(Stopwatch.GetElapsedTime(start).TotalMicroseconds);
        }

        return times;
    }

    private static Task WriteRowAsync(TextWriter output, string name, int properties, int callers, Figures f) => output.WriteLineAsync(string.Create(
        CultureInfo.InvariantCulture,
        $"| {name} | {properties} | {callers} | {f.Times.Length / f.Elapsed.TotalSeconds:N0} | {f.At(0.5):N0} | {f.At(0.99):N0} | {f.Cpu.TotalMicroseconds / f.Times.Length:N0} |"));

    private static void AddOwn(ISiloBuilder silo, string folder)
    {
        silo.AddDatabase();
        silo.Services.AddGrainStateJson(BenchJson.Default);
        silo.Services.PostConfigure<DbManagerOptions>(o => o.DataFolder = folder);
    }

    private static void AddAdoNet(ISiloBuilder silo, string folder)
    {
        var connectionString = AdoNetSqlite.Create(Path.Combine(folder, "adonet.db"));
        silo.AddAdoNetGrainStorage(DbManagerModule.State, builder => builder.Configure<IServiceProvider>((options, services) =>
        {
            options.Invariant = AdoNetSqlite.Invariant;
            options.ConnectionString = connectionString;
            options.GrainStorageSerializer = new OrleansGrainStorageSerializer(services.GetRequiredService<Serializer>());
        }));
    }

    private sealed record Figures(double[] Times, TimeSpan Elapsed, TimeSpan Cpu)
    {
        public double At(double part) => Times[(int)((Times.Length - 1) * part)];
    }
}

/// <summary>A state of the size of a twin.</summary>
[GenerateSerializer, Alias("bench.twin")]
internal sealed record BenchTwin
{
    private static readonly DateTimeOffset Start = DateTimeOffset.UnixEpoch;

    [Id(0)]
    public ImmutableSortedDictionary<string, BenchProperty> Properties { get; init; } = ImmutableSortedDictionary<string, BenchProperty>.Empty;

    public static BenchTwin Of(int properties, int n) => new()
    {
        Properties = Enumerable.Range(0, properties).ToImmutableSortedDictionary(
            static i => $"temperature-{i}",
            i => new BenchProperty("25", Start.AddSeconds(n), $"{n}.5", Start.AddSeconds(n), 0, n, "float", true),
            StringComparer.Ordinal),
    };
}

[GenerateSerializer, Alias("bench.property")]
internal sealed record BenchProperty(
    [property: Id(0)] string Expected,
    [property: Id(1)] DateTimeOffset ExpectedAt,
    [property: Id(2)] string Actual,
    [property: Id(3)] DateTimeOffset ActualAt,
    [property: Id(4)] long CloudVersion,
    [property: Id(5)] long EdgeVersion,
    [property: Id(6)] string Type,
    [property: Id(7)] bool Optional);

[JsonSerializable(typeof(BenchTwin))]
internal sealed partial class BenchJson : JsonSerializerContext;
