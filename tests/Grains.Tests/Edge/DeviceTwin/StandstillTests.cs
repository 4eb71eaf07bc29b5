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
    public void Every_entity_answers_the_pump_while_it_is_busy() =>
        Assert.All(
            typeof(EntityGrain).Assembly.GetTypes().Where(t => t.IsSubclassOf(typeof(EntityGrain))),
            t => Assert.Contains(t.GetCustomAttributes(true), a => a is Orleans.Concurrency.MayInterleaveAttribute));
}
