using System.IO.Pipelines;
using System.Text;
using System.Threading.Channels;
using EdgeOrleans.Client.Watching;
using Spectre.Console;

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

    [Fact]
    public async Task A_watch_on_a_terminal_is_seen_at_once()
    {
        await using var node = new FakeNode();
        await node.StartAsync();
        node.Put(Ctl.Pump("default/pump-1"));
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        var screen = new Pipe();
        var terminal = new Terminal(new StreamWriter(screen.Writer.AsStream(), new UTF8Encoding(false), 16 * 1024), TextWriter.Null, TextReader.Null, Draws: true, Asks: false);
        var watch = EdgeCtl.RunAsync(["twin", "watch", "pump-1", "--server", node.Address], terminal, cancellation: stop.Token);

        var seen = "";
        while (!seen.Contains("temperature", StringComparison.Ordinal))
        {
            var read = await screen.Reader.ReadAsync(stop.Token);
            seen += Encoding.UTF8.GetString(read.Buffer);
            screen.Reader.AdvanceTo(read.Buffer.End);
        }

        await stop.CancelAsync();
        Assert.Equal(0, await watch);
    }

    [Fact]
    public void A_row_of_a_watch_stays_one_line_on_a_narrow_terminal()
    {
        const int Width = 40;
        using var output = new StringWriter();
        var console = AnsiConsole.Create(new AnsiConsoleSettings { Ansi = AnsiSupport.No, Out = new AnsiConsoleOutput(output) });
        console.Profile.Width = Width;
        var pump = Ctl.Pump("a-rather-long-namespace/and-a-long-name-of-a-pump");
        pump = pump with { Twin = pump.Twin.SetItem("temperature of the water", pump.Twin["temperature"] with { Expected = new() { Value = "as warm as ever possible" } }) };
        var view = new LiveView(pump.Id, new Terminal(output, output, TextReader.Null, Draws: true, Asks: false), all: false, TimeProvider.System);
        view.Take(new WatchEvent(pump));

        console.Write(view.Picture(Width));

        var lines = output.ToString().Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
        Assert.All(lines, line => Assert.InRange(line.Length, 0, Width));
        Assert.Equal(
            ["a-rather-long-namespace/and-a-long-name…", "PROP… EXPE… ACTU… TYPE AGE", "temp… 25 22 int", "temp… as w… 22 int", "Ctrl-C ends"],
            lines.Where(line => !line.StartsWith('─')).Select(line => string.Join(' ', line.Split(' ', StringSplitOptions.RemoveEmptyEntries))).Select(line => line.Replace(" int ", " int|", StringComparison.Ordinal).Split('|')[0]));
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
