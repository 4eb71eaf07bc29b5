using System.Diagnostics;
using EdgeOrleans.Beehive;

namespace EdgeOrleans.Edge.DeviceTwin;

/// <summary>What happens to one device stops no other.</summary>
public sealed class StandstillTests
{
    private const string One = """{"twin":{"t":{"actual":{"value":"1"}}}}""";

    [Fact]
    public async Task A_device_that_is_applied_while_it_reports_stops_nobody()
    {
        await using var silo = await TwinSilo.StartAsync();
        await silo.UpdateAsync("default/other", One);

        for (var i = 0; i < 20; i++)
        {
            var start = Stopwatch.GetTimestamp();
            var document = $$$"""{"apiVersion":"devices.kubeedge.io/v1beta1","kind":"Device","metadata":{"name":"n{{{i}}}"},"spec":{}}""";
            var apply = silo.Membership.ApplyAsync(document);
            await Task.WhenAll(apply, silo.UpdateAsync($"default/n{i}", One), silo.UpdateAsync("default/other", One));
            Assert.InRange(Stopwatch.GetElapsedTime(start), TimeSpan.Zero, TimeSpan.FromSeconds(3));
        }
    }

    [Fact]
    public async Task Questions_about_devices_that_there_are_not_leave_nothing_behind()
    {
        await using var silo = await TwinSilo.StartAsync();
        var answers = await Task.WhenAll(Enumerable.Range(0, 200).Select(i => silo.GetAsync($"default/no{i}")));
        Assert.All(answers, a => Assert.Equal(404, a.Code));

        var limit = Stopwatch.StartNew();
        while (await TwinsInMemoryAsync(silo) > 10)
        {
            Assert.InRange(limit.Elapsed, TimeSpan.Zero, Limit.Time);
            await Task.Delay(50, TestContext.Current.CancellationToken);
        }
    }

    private static async Task<int> TwinsInMemoryAsync(TwinSilo silo) =>
        (await silo.Client.GetGrain<IManagementGrain>(0).GetSimpleGrainStatistics())
            .Where(s => s.GrainType.Contains(nameof(DeviceTwinGrain), StringComparison.Ordinal)).Sum(s => s.ActivationCount);

    [Fact]
    public void Every_entity_answers_the_pump_while_it_is_busy() =>
        Assert.All(
            typeof(EntityGrain).Assembly.GetTypes().Where(t => t.IsSubclassOf(typeof(EntityGrain))),
            t => Assert.Contains(t.GetCustomAttributes(true), a => a is Orleans.Concurrency.MayInterleaveAttribute));
}
