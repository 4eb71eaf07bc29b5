using System.Text.RegularExpressions;

namespace EdgeOrleans.EndToEnd;

public sealed class SignalTests
{
    [Theory]
    [InlineData("INT")]
    [InlineData("TERM")]
    [InlineData("QUIT")]
    [InlineData("HUP")]
    [InlineData("ABRT")]
    public async Task A_signal_stops_the_node_with_exit_code_0(string signal)
    {
        await using var node = await new NodeProcess().StartAsync();

        node.Signal(signal);

        Assert.Equal(0, await node.ExitAsync());
    }

    [Fact]
    public async Task A_stop_logs_the_cleanup_of_each_module_in_the_reverse_order_of_the_start()
    {
        await using var node = await new NodeProcess().StartAsync();

        Assert.Equal(0, await node.StopAsync());

        var started = Names(node, @"\b[mM]odule (\w+)\b.*registered");
        var cleaned = Names(node, @"\bCleanup of (\w+)");
        Assert.NotEmpty(started);
        Assert.Equal(Enumerable.Reverse(started), cleaned);
    }

    [Fact]
    public async Task A_second_signal_ends_a_stop_at_once()
    {
        await using var node = await new NodeProcess().StartAsync();

        // Both signals wait while the process is stopped, so that the second one meets a stop that has just begun.
        node.Signal("STOP");
        node.Signal("TERM");
        node.Signal("INT");
        node.Signal("CONT");

        Assert.True(await node.ExitAsync() is 128 + 2 or 128 + 15);
    }

    [Fact]
    public async Task A_stopped_node_starts_again_on_its_data()
    {
        await using var node = await new NodeProcess().StartAsync();
        await using (var probe = await MqttProbe.ConnectAsync(node.MqttPort))
        {
            await probe.ReportAsync("default/pump-1", ("temperature", "22"));
        }

        Assert.Equal(0, await node.StopAsync());
        await node.StartAsync();

        await using var again = await MqttProbe.ConnectAsync(node.MqttPort);
        Assert.Equal("22", (await again.GetAsync("default/pump-1")).Actual("temperature"));
    }

    private static string[] Names(NodeProcess node, string pattern) =>
        [.. node.Output.Lines.Select(line => Regex.Match(line, pattern)).Where(match => match.Success).Select(match => match.Groups[1].Value)];
}
