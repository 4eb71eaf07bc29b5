using System.Collections.Immutable;
using System.Diagnostics;
using System.Globalization;
using EdgeOrleans.Benchmarks.Measuring;
using EdgeOrleans.Cloud;
using EdgeOrleans.Cloud.Registry;
using EdgeOrleans.DbManager;
using EdgeOrleans.Resources;
using EdgeOrleans.TestKit;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;

namespace EdgeOrleans.Benchmarks;

/// <summary>Lists and selectors over 100,000 devices, each beside the same question over 1,000.</summary>
internal static class RegistryBenchmark
{
    private const int Many = 100_000;
    private const int Few = 1_000;
    private const int Runs = 50;

    public static async Task RunAsync(TextWriter output)
    {
        var table = new FigureTable();
        var (few, many) = (await MeasureAsync(Few), await MeasureAsync(Many));
        foreach (var ((name, floor), (_, measured)) in few.Zip(many))
        {
            table.Add(new Figure($"{name}, {Many:N0} devices", Time(measured), "", $"{Time(floor)} with {Few:N0}", measured / floor));
        }

        table.Write(output);
    }

    private static async Task<List<(string Name, double Milliseconds)>> MeasureAsync(int count)
    {
        var folder = Directory.CreateDirectory(Repository.PathOf("artifacts", "benchmarks", Guid.NewGuid().ToString("N"))).FullName;
        try
        {
            using var database = new Database(Options.Create(new DbManagerOptions { DataFolder = folder }), TimeProvider.System, NullLogger<Database>.Instance);
            var store = new ResourceStore(database);
            await FillAsync(database, store, count);
            var query = new ResourceQuery { Kind = ResourceKinds.Device, Count = 100 };
            return
            [
                ("a page of 100", await TimeAsync(i => store.ListAsync(query with { After = Id(i * 97 % count) }))),
                ("a page of 100 by a label that half of them have", await TimeAsync(i => store.ListAsync(query with { Selector = "half=yes", After = Id(i * 97 % count) }))),
                ("those with a label that 10 have", await TimeAsync(_ => store.ListAsync(query with { Selector = "rare=yes" }))),
                ("those with two labels, one that half have and one that 10 have", await TimeAsync(_ => store.ListAsync(query with { Selector = "half=yes,rare=yes" }))),
                ("the 100 devices of a node", await TimeAsync(i => store.ListAsync(query with { Node = $"edge-{i % (count / 100)}" }))),
                ("one change, on the disk", await TimeAsync(i => database.RunAsync(db => store.Write(db, Line(i * 97 % count, count))))),
            ];
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    private static async Task FillAsync(Database database, ResourceStore store, int count)
    {
        foreach (var some in Enumerable.Range(0, count).Chunk(1_000))
        {
            await database.RunAsync(db => Array.ForEach(some, i => store.Write(db, Line(i, count))));
        }
    }

    private static ResourceLine Line(int i, int count)
    {
        var labels = OrdinalMap.Empty.Add("half", i % 2 == 0 ? "yes" : "no").Add("hall", $"{i % 20}");
        return new ResourceLine
        {
            Kind = ResourceKinds.Device,
            Id = Id(i),
            Node = $"edge-{i / 100}",
            Head = new ResourceHead
            {
                Uid = "u",
                Version = Stopwatch.GetTimestamp(),
                Labels = i % (count / 10) == 0 ? labels.Add("rare", "yes") : labels,
                Annotations = ImmutableSortedDictionary<string, string>.Empty,
                Spec = "{}",
            },
        };
    }

    private static string Id(int i) => string.Create(CultureInfo.InvariantCulture, $"default/device-{i:000000}");

    // The median: a commit that waits for another process says nothing about us.
    private static async Task<double> TimeAsync(Func<int, Task> ask)
    {
        var times = new List<double>();
        for (var run = 0; run < Runs + 5; run++)
        {
            var begin = Stopwatch.GetTimestamp();
            await ask(run);
            times.Add(Stopwatch.GetElapsedTime(begin).TotalMilliseconds);
        }

        return times.Skip(5).Order().ElementAt(Runs / 2);
    }

    private static string Time(double milliseconds) => milliseconds.ToString("0.00", CultureInfo.InvariantCulture) + " ms";
}
