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
    public async Task A_twin_that_cannot_be_read_says_so_and_stops_no_other_and_is_there_again_once_it_can()
    {
        var folder = Directory.CreateTempSubdirectory("edgeorleans-").FullName;
        await using (var silo = await TwinSilo.StartAsync(folder))
        {
            await silo.UpdateAsync("default/bad", One);
            await silo.SqlAsync("UPDATE grain_state SET schema=99");
        }

        await using (var silo = await TwinSilo.StartAsync(folder))
        {
            var start = Stopwatch.GetTimestamp();
            var update = silo.UpdateAsync("default/bad", """{"event_id":"u","twin":{"t":{"actual":{"value":"2"}}}}""");
            var get = silo.GetAsync("default/bad");
            Assert.Equal(0, (await silo.UpdateAsync("default/other", One)).Code);
            Assert.Equal((500, 500), ((await update).Code, (await get).Code));
            Assert.Equal("u", (await update).Part("/update/result")["event_id"]!.ToString());
            Assert.Contains("schema 99", (await get).Part("/get/result")["reason"]!.ToString(), StringComparison.Ordinal);
            Assert.Equal(500, (await Assert.ThrowsAsync<RefusedException>(silo.Device("default/bad").GetAsync)).Code);
            Assert.InRange(Stopwatch.GetElapsedTime(start), TimeSpan.Zero, TimeSpan.FromSeconds(5));

            await silo.SqlAsync("UPDATE grain_state SET schema=1");
            await Task.Delay(1_100, TestContext.Current.CancellationToken);
            Assert.Equal(0, (await silo.UpdateAsync("default/bad", One)).Code);
            Assert.Equal(2, (await silo.Device("default/bad").GetAsync())!.Twin["t"].Actual!.Version.Edge);
        }

        Directory.Delete(folder, recursive: true);
    }

    [Fact]
    public async Task A_model_that_cannot_be_read_refuses_updates_and_nothing_else()
    {
        var folder = Directory.CreateTempSubdirectory("edgeorleans-").FullName;
        await using (var silo = await TwinSilo.StartAsync(folder))
        {
            await silo.Membership.ApplyAsync("""{"apiVersion":"devices.kubeedge.io/v1beta1","kind":"DeviceModel","metadata":{"name":"m"},"spec":{"properties":[{"name":"t","type":"INT","accessMode":"ReadWrite"}]}}""");
            await silo.Membership.ApplyAsync("""{"apiVersion":"devices.kubeedge.io/v1beta1","kind":"Device","metadata":{"name":"d"},"spec":{"deviceModelRef":{"name":"m"}}}""");
            await silo.SqlAsync("UPDATE grain_state SET schema=99 WHERE id LIKE '%model%'");
        }

        await using (var silo = await TwinSilo.StartAsync(folder))
        {
            var update = await silo.UpdateAsync("default/d", One);
            Assert.Equal(500, update.Code);
            Assert.Contains("device model default/m cannot be read", update.Part("/update/result")["reason"]!.ToString(), StringComparison.Ordinal);
            Assert.Equal(0, (await silo.GetAsync("default/d")).Code);
            Assert.Equal(0, (await silo.AskAsync("default/d", Operations.Update, "device/default/d/state", """{"state":"online"}""")).Code);
        }

        Directory.Delete(folder, recursive: true);
    }

    [Fact]
    public void Every_entity_answers_the_pump_while_it_is_busy() =>
        Assert.All(
            typeof(EntityGrain).Assembly.GetTypes().Where(t => t.IsSubclassOf(typeof(EntityGrain))),
            t => Assert.Contains(t.GetCustomAttributes(true), a => a is Orleans.Concurrency.MayInterleaveAttribute));
}
