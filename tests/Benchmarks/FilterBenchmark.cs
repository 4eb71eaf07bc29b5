using System.Diagnostics;
using System.Globalization;
using EdgeOrleans.Benchmarks.Measuring;
using EdgeOrleans.Edge.EventBus;

namespace EdgeOrleans.Benchmarks;

/// <summary>What it costs to find who listens to a topic among 10,000 filters with wildcards, beside comparing them all. In one run, in turns.</summary>
internal static class FilterBenchmark
{
    private const int Filters = 10_000;
    private const int Runs = 5;
    private static readonly TimeSpan Length = TimeSpan.FromSeconds(0.5);

    public static void Run(TextWriter output)
    {
        var table = new FigureTable();
        Add(table, "a device's own topic", "$hw/events/device/default/pump-5000/twin/update/result");
        Add(table, "a topic that nobody listens to", "plant/hall-7/oven/temperature");
        AddChanges(table);
        table.Write(output);
    }

    // What a client in every ten has is also heard by one with a wildcard in the middle.
    private static IEnumerable<Subscription> Wishes() => Enumerable.Range(0, Filters).Select(static i => new Subscription(
        new Session($"c{i}", 0, null!), i % 10 == 0 ? $"$hw/events/device/+/pump-{i}/twin/update/+" : $"$hw/events/device/default/pump-{i}/#", 1));

    private static void Add(FigureTable table, string name, string topic)
    {
        var (index, wishes) = (new SubscriptionIndex(), Wishes().ToArray());
        Array.ForEach(wishes, index.Add);
        var (tree, all) = InTurns(() => index.Match(topic).Length, () => wishes.Count(wish => SubscriptionIndex.Matches(topic, wish.Filter)));
        table.Add(new Figure(name, $"{Micro(tree)}, {Part(tree / all)}", "< 1/100", Micro(all) + " comparing all", tree / all));
    }

    // Each change makes the next publish look again.
    private static void AddChanges(FigureTable table)
    {
        var (index, wishes, next) = (new SubscriptionIndex(), Wishes().ToArray(), 0);
        Array.ForEach(wishes, index.Add);
        var outlet = new Outlets(index, new HubTopics(null!, new Modules.Refusals(), Microsoft.Extensions.Logging.Abstractions.NullLogger<HubTopics>.Instance))
            .OfTopic("$hw/events/device/default/pump-5000/twin/update/result");
        var (changing, calm) = InTurns(
            () =>
            {
                var wish = wishes[next++ % Filters];
                index.Remove(wish.Session, wish.Filter);
                index.Add(wish);
                return outlet.Subscribers.Length;
            },
            () => outlet.Subscribers.Length);
        table.Add(new Figure("a wish taken back and made again, and a topic looked up", Micro(changing), "", Micro(calm) + " without a change", changing / calm));
    }

    private static (double One, double Other) InTurns(Func<int> one, Func<int> other)
    {
        var runs = Enumerable.Range(0, Runs).Select(_ => (One: Measure(one), Other: Measure(other))).ToArray();
        return (Median(runs.Select(static run => run.One)), Median(runs.Select(static run => run.Other)));
    }

    private static double Median(IEnumerable<double> values) => values.Order().ElementAt(Runs / 2);

    /// <returns>Microseconds for one.</returns>
    private static double Measure(Func<int> act)
    {
        var (begin, count, found) = (Stopwatch.GetTimestamp(), 0L, 0L);
        while (Stopwatch.GetElapsedTime(begin) < Length)
        {
            for (var i = 0; i < 100; i++, count++)
            {
                found += act();
            }
        }

        GC.KeepAlive(found);
        return Stopwatch.GetElapsedTime(begin).TotalMicroseconds / count;
    }

    private static string Part(double ratio) => string.Create(CultureInfo.InvariantCulture, $"1/{1 / ratio:N0}");

    private static string Micro(double microseconds) => microseconds.ToString("0.000", CultureInfo.InvariantCulture) + " µs";
}
