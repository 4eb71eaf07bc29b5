using System.Threading.Channels;

namespace EdgeOrleans.Client;

public sealed class WatchTests
{
    [Fact]
    public async Task A_watch_prints_each_change_and_ends_well()
    {
        await using var node = new FakeNode();
        await node.StartAsync();
        var pump = Ctl.Pump("default/pump-1");
        node.Put(pump);
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        var lines = new LineWriter();
        var watch = WatchAsync(node, lines, stop.Token);

        Assert.EndsWith("default/pump-1 state=online", await lines.NextAsync(), StringComparison.Ordinal);
        Assert.EndsWith("default/pump-1 temperature expected=25 actual=22", await lines.NextAsync(), StringComparison.Ordinal);
        await node.ChangeAsync(pump with { Twin = pump.Twin.SetItem("temperature", pump.Twin["temperature"] with { Actual = pump.Twin["temperature"].Expected }) });
        Assert.EndsWith("default/pump-1 temperature expected=25 actual=25", await lines.NextAsync(), StringComparison.Ordinal);

        await stop.CancelAsync();
        Assert.Equal(0, await watch);
        Assert.Empty(node.Watchers);
    }

    [Fact]
    public async Task A_watch_says_when_the_node_goes_and_when_it_is_back()
    {
        await using var node = new FakeNode();
        await node.StartAsync();
        node.Put(Ctl.Pump("default/pump-1"));
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        var lines = new LineWriter();
        var watch = WatchAsync(node, lines, stop.Token);
        await lines.NextAsync();
        await lines.NextAsync();

        await node.StopAsync();
        Assert.StartsWith("lost the node", await lines.NextAsync(), StringComparison.Ordinal);
        await node.StartAsync();
        Assert.EndsWith("is back", await lines.NextAsync(), StringComparison.Ordinal);

        await stop.CancelAsync();
        Assert.Equal(0, await watch);
    }

    private static Task<int> WatchAsync(FakeNode node, LineWriter lines, CancellationToken stop) => EdgeCtl.RunAsync(
        ["twin", "watch", "pump-1", "--server", node.Address],
        new Terminal(lines, lines, TextReader.Null, Draws: false, Asks: false),
        cancellation: stop);

    private sealed class LineWriter : StringWriter
    {
        private readonly Channel<string> _lines = Channel.CreateUnbounded<string>();

        public override void WriteLine(string? value) => _lines.Writer.TryWrite(value ?? "");

        public async Task<string> NextAsync() => await _lines.Reader.ReadAsync(TestContext.Current.CancellationToken);
    }
}
