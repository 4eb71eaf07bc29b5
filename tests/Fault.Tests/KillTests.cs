namespace EdgeOrleans.Fault;

/// <summary><c>kill -9</c> at any moment.</summary>
public sealed class KillTests
{
    [Fact]
    public async Task A_kill_under_load_loses_nothing_acknowledged_and_leaves_no_half_update()
    {
        await using var node = await new NodeProcess().StartAsync();
        var load = new LedgerLoad(connections: 4);
        for (var round = 0; round < Rounds.Count; round++)
        {
            load = load.Next();
            var running = load.RunAsync(node.MqttPort);
            await load.AcknowledgedAsync(Random.Shared.Next(100, 3_000));

            await node.KillAsync();
            await running;
            await node.StartAsync();

            await load.VerifyAsync(node.MqttPort);
        }
    }

    [Fact]
    public async Task An_update_that_got_its_PUBACK_is_there_after_a_kill_in_the_next_moment()
    {
        await using var node = new NodeProcess();
        for (var round = 1; round <= Rounds.Count; round++)
        {
            await node.StartAsync();
            using var mqtt = await MqttSocket.ConnectAsync(node.MqttPort, "last-words");

            await mqtt.SendAsync(MqttPacket.Message("$hw/events/device/default/pump-1/twin/update", TwinJson.Report("x", ("round", $"{round}")), qos: 1, id: 7));
            Assert.Equal(7, (await mqtt.ReadAsync(MqttPacket.PubAck)).Id);
            await node.KillAsync();

            await node.StartAsync();
            await using (var probe = await MqttProbe.ConnectAsync(node.MqttPort))
            {
                Assert.Equal($"{round}", (await probe.GetAsync("default/pump-1")).Actual("round"));
            }

            await node.KillAsync();
        }
    }

    [Theory]
    [InlineData(1)]
    [InlineData(6)]
    [InlineData(10)]
    public async Task A_kill_while_the_node_starts_loses_nothing(int lines)
    {
        await using var node = await new NodeProcess().StartAsync();
        await using (var probe = await MqttProbe.ConnectAsync(node.MqttPort))
        {
            await probe.ReportAsync("default/pump-1", ("temperature", "22"));
        }

        await node.KillAsync();
        for (var round = 0; round < Rounds.Count; round++)
        {
            await node.LaunchAsync();
            await node.Output.ManyLinesAsync(lines);
            await node.KillAsync();
        }

        await node.StartAsync();
        await using var again = await MqttProbe.ConnectAsync(node.MqttPort);
        Assert.Equal("22", (await again.GetAsync("default/pump-1")).Actual("temperature"));
    }

    [Fact]
    public async Task A_value_that_the_console_has_set_is_there_after_a_kill()
    {
        await using var node = await new NodeProcess().StartAsync();
        await using (var probe = await MqttProbe.ConnectAsync(node.MqttPort))
        {
            await probe.ReportAsync("default/pump-1", ("temperature", "22"));
        }

        await node.Console.OutputAsync("twin", "set", "pump-1", "temperature=25");
        await node.KillAsync();
        await node.StartAsync();

        await using var again = await MqttProbe.ConnectAsync(node.MqttPort);
        Assert.Equal("25", (await again.GetAsync("default/pump-1")).Expected("temperature"));
    }
}
