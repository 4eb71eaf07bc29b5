namespace EdgeOrleans.Fault;

/// <summary>One client's fault stops no other.</summary>
public sealed class StuckClientTests
{
    private const int Reports = 5_000;

    [Fact]
    public async Task A_client_that_never_reads_what_it_subscribed_to_holds_up_no_other()
    {
        await using var node = await new NodeProcess().StartAsync();
        using var stuck = await MqttSocket.ConnectAsync(node.MqttPort, "stuck", topics: ["$hw/#", "#"]);
        await using var device = await MqttProbe.ConnectAsync(node.MqttPort);
        var value = new string('v', 500);

        for (var report = 0; report < Reports; report++)
        {
            Assert.Equal(0, (await device.ReportAsync("default/pump-1", ("temperature", value))).Code);
        }

        Assert.Equal(value, (await device.GetAsync("default/pump-1")).Actual("temperature"));
    }

    [Fact]
    public async Task A_client_that_asks_and_never_reads_the_answers_holds_up_no_other()
    {
        await using var node = await new NodeProcess().StartAsync();
        using var stuck = await MqttSocket.ConnectAsync(node.MqttPort, "stuck", topics: "$hw/#");
        await using var device = await MqttProbe.ConnectAsync(node.MqttPort);

        // It sends until its socket takes no more, or all is sent.
        var flood = FloodAsync(stuck);
        for (var report = 0; report < 500; report++)
        {
            Assert.Equal(0, (await device.ReportAsync("default/pump-2", ("temperature", $"{report}"))).Code);
        }

        stuck.Dispose();
        await flood;
        Assert.Equal("499", (await device.GetAsync("default/pump-2")).Actual("temperature"));
    }

    [Fact]
    public async Task A_client_that_connects_and_says_nothing_holds_up_no_other()
    {
        await using var node = await new NodeProcess().StartAsync();
        var silent = new List<MqttSocket>();
        for (var client = 0; client < 200; client++)
        {
            silent.Add(await MqttSocket.OpenAsync(node.MqttPort));
        }

        await using var device = await MqttProbe.ConnectAsync(node.MqttPort);
        Assert.Equal(0, (await device.ReportAsync("default/pump-3", ("temperature", "1"))).Code);
        silent.ForEach(client => client.Dispose());
    }

    private static async Task FloodAsync(MqttSocket stuck)
    {
        var value = new string('v', 500);
        try
        {
            for (var i = 0; i < 20_000; i++)
            {
                await stuck.SendAsync(MqttPacket.Message("$hw/events/device/default/pump-1/twin/update", TwinJson.Report($"{i}", ("temperature", value))));
            }
        }
        catch (Exception e) when (e is System.Net.Sockets.SocketException or ObjectDisposedException)
        {
            // The connection ended while it was held back.
        }
    }
}
