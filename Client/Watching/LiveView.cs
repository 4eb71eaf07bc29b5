using EdgeOrleans.Client.Rendering;
using EdgeOrleans.Devices;
using Spectre.Console;

namespace EdgeOrleans.Client.Watching;

/// <summary>Shows a watch on a terminal: one table that is redrawn in place.</summary>
internal sealed class LiveView(string id, Terminal terminal, bool all, TimeProvider time)
{
    private static readonly string[] Headers = ["PROPERTY", "EXPECTED", "ACTUAL", "TYPE", "AGE"];
    private static readonly TimeSpan Tick = TimeSpan.FromSeconds(1);
    private DeviceView? _device;
    private string? _note;

    public Task ShowAsync(IAsyncEnumerable<WatchEvent> events) => terminal.Canvas()
        .Live(new Spectre.Console.Text("connecting …"))
        .StartAsync(live => DrawAsync(live, events));

    private async Task DrawAsync(LiveDisplayContext live, IAsyncEnumerable<WatchEvent> events)
    {
        live.Refresh();
        await terminal.Out.FlushAsync();
        await using var source = events.GetAsyncEnumerator(CancellationToken.None);
        var next = source.MoveNextAsync().AsTask();
        while (true)
        {
            // The ages grow while nothing happens.
            if (await Task.WhenAny(next, Task.Delay(Tick, time)) == next)
            {
                if (!await next)
                {
                    return;
                }

                Take(source.Current);
                next = source.MoveNextAsync().AsTask();
            }

            live.UpdateTarget(Picture());
            await terminal.Out.FlushAsync();
        }
    }

    internal void Take(WatchEvent next)
    {
        _note = next.Note;
        _device = next.Note is null ? next.Device : _device;
    }

    // A row is one line, whatever the terminal's width: a line that wraps is not wiped when the picture is drawn anew.
    internal Rows Picture()
    {
        var title = _device is null ? $"{id} is removed" : $"{id}   state {(_device.State.Length == 0 ? "unknown" : _device.State)}";
        return new Rows(
            OneLine(title, new Style(decoration: Decoration.Bold)),
            Twin(),
            OneLine(_note ?? "Ctrl-C ends", new Style(_note is null ? Color.Grey : Color.Yellow)));
    }

    private Spectre.Console.Table Twin()
    {
        var table = new Spectre.Console.Table().Border(TableBorder.Simple);
        foreach (var header in Headers)
        {
            table.AddColumn(new TableColumn(Line(header, Style.Plain)).NoWrap());
        }

        foreach (var (name, property) in _device?.Twin.Where(p => all || !p.Value.IsDeleted) ?? [])
        {
            var style = new Style(Tables.InSync(property) ? Color.Default : Color.Yellow);
            string?[] cells = [name, property.Expected?.Value, property.Actual?.Value, property.Type, Tables.Age(property, time)];
            table.AddRow(cells.Select(cell => Line(string.IsNullOrEmpty(cell) ? "-" : cell, style)));
        }

        return table;
    }

    private static Grid OneLine(string text, Style style) =>
        new Grid().AddColumn(new GridColumn().NoWrap().Padding(0, 0, 0, 0)).AddRow(Line(text, style));

    private static Spectre.Console.Text Line(string text, Style style) => new(Client.Text.Plain(text), style) { Overflow = Overflow.Ellipsis };
}
