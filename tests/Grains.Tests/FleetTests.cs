using EdgeOrleans.TestKit;

namespace EdgeOrleans;

public sealed class FleetTests
{
    [Fact]
    public async Task What_a_device_reports_is_seen_at_the_cloud_and_what_the_cloud_wants_arrives_at_the_device()
    {
        await using var fleet = await EdgeFleet.StartAsync(nodes: 1, devices: 2);

        await fleet[0].ReportAsync(0, "temperature", "21");
        await fleet.SetAsync(fleet[0].Device(0), "temperature", "25");
        await fleet.SettledAsync();

        var there = (await fleet[0].AtNodeAsync(fleet[0].Device(0)))!.Twin["temperature"];
        Assert.Equal(("25", "21"), (there.Expected!.Value, there.Actual!.Value));
        Assert.Equal("21", (await fleet.AtCloudAsync(fleet[0].Device(0)))!.Twin["temperature"].Actual!.Value);
    }

    [Fact]
    public async Task W15_what_happened_behind_a_cut_line_is_told_when_it_is_back()
    {
        await using var fleet = await EdgeFleet.StartAsync(nodes: 1, devices: 1);
        var device = fleet[0].Device(0);

        fleet[0].Wire.Block();
        await fleet[0].ReportAsync(0, "temperature", "30");
        await fleet[0].ReportAsync(0, "temperature", "31");
        await fleet.SetAsync(device, "limit", "40");
        await fleet.ApplyDeviceAsync("default/late", fleet[0].Name);
        fleet[0].Wire.Unblock();
        await fleet.SettledAsync();

        Assert.Equal("31", (await fleet.AtCloudAsync(device))!.Twin["temperature"].Actual!.Value);
        Assert.Equal("40", (await fleet[0].AtNodeAsync(device))!.Twin["limit"].Expected!.Value);
        Assert.NotNull(await fleet[0].AtNodeAsync("default/late"));
    }
}
