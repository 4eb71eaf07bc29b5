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

    [Fact]
    public async Task Nodes_and_cloud_that_stop_and_start_agree_again_over_slow_lines()
    {
        await using var fleet = await EdgeFleet.StartAsync(nodes: 3, devices: 3);
        fleet[1].Wire.Delay = TimeSpan.FromMilliseconds(20);
        fleet[2].Wire.BytesPerSecond = 20_000;

        for (var round = 1; round <= 3; round++)
        {
            foreach (var node in fleet.Nodes)
            {
                await node.ReportAsync(round % 3, "temperature", $"{round}");
                await fleet.SetAsync(node.Device(0), "limit", $"{round}0");
            }

            await (round switch
            {
                1 => fleet[0].RestartAsync(),
                2 => fleet.Cloud.RestartAsync(),
                _ => CutAsync(fleet[1]),
            });
            await fleet.ReadyAsync();
            await fleet.SettledAsync();
        }

        Assert.Equal("30", (await fleet[2].AtNodeAsync(fleet[2].Device(0)))!.Twin["limit"].Expected!.Value);

        static Task CutAsync(FleetNode node)
        {
            node.Wire.Cut();
            return Task.CompletedTask;
        }
    }

    [Fact]
    public async Task A_device_that_moves_is_gone_there_and_whole_here_and_a_node_that_comes_late_gets_what_waits_for_it()
    {
        await using var fleet = await EdgeFleet.StartAsync(nodes: 1, devices: 1);
        var device = fleet[0].Device(0);
        await fleet.SetAsync(device, "limit", "40");
        await fleet.SettledAsync();

        await fleet.ApplyDeviceAsync(device, "edge-1");
        await fleet.SetAsync(device, "limit", "41");
        var late = await fleet.AddAsync();
        await fleet.ReadyAsync();

        await EdgeFleet.UntilAsync("the device has moved", async () =>
            await fleet[0].AtNodeAsync(device) is null && (await late.AtNodeAsync(device))?.Twin.GetValueOrDefault("limit")?.Expected?.Value == "41"
            && (await fleet.AtCloudAsync(device))!.Pending.IsEmpty ? null : "it has not");
    }

    [Fact]
    public async Task W23_a_line_that_is_cut_is_dialled_again_without_anything_to_send()
    {
        await using var fleet = await EdgeFleet.StartAsync(nodes: 1, devices: 1);

        fleet[0].Wire.Cut();
        await EdgeFleet.UntilAsync("the line is up again", () => Task.FromResult(fleet[0].Wire.Connections == 1 ? null : "nobody has dialled"));
        await fleet.SetAsync(fleet[0].Device(0), "limit", "40");
        await fleet.SettledAsync();

        Assert.Equal("40", (await fleet[0].AtNodeAsync(fleet[0].Device(0)))!.Twin["limit"].Expected!.Value);
    }

    [Fact]
    public async Task A_line_that_goes_silent_is_noticed_and_replaced()
    {
        await using var fleet = await EdgeFleet.StartAsync(nodes: 1, devices: 1, node: new Dictionary<string, string> { ["modules.edgeHub.websocket.readDeadline"] = "2" });

        fleet[0].Wire.Hold();
        await fleet[0].ReportAsync(0, "temperature", "33");
        await EdgeFleet.UntilAsync("the node dials again", () => Task.FromResult(fleet[0].Wire.Connections > 1 ? null : "it holds on to the silent line"));
        fleet[0].Wire.Release();
        await fleet.SettledAsync();

        Assert.Equal("33", (await fleet.AtCloudAsync(fleet[0].Device(0)))!.Twin["temperature"].Actual!.Value);
    }
}
