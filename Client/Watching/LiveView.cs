using EdgeOrleans.Client.Rendering;
using EdgeOrleans.Devices;
using Spectre.Console;

namespace EdgeOrleans.Client.Watching;

/// <summary>Shows a watch on a terminal: one table that is redrawn in place.</summary>
internal sealed class LiveView(string id, Terminal terminal, bool all, TimeProvider time)
{
    // What the table draws around five columns.
    private const int Frame = 16;
    private static readonly string[] Headers = ["PROPERTY", "EXPECTED", "ACTUAL", "TYPE", "AGE"];
    private static readonly TimeSpan Tick = TimeSpan.FromSeconds(1);
    private DeviceView? _device;
    private string? _note;

    public Task ShowAsync(IAsyncEnumerable<WatchEvent> events)
    {
        var canvas = terminal.Canvas();
        return canvas.Live(new Spectre.Console.Text("connecting …")).StartAsync(live => DrawAsync(live, canvas, events));
    }

    private async Task DrawAsync(LiveDisplayContext live, IAnsiConsole canvas, IAsyncEnumerable<WatchEvent> events)
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

            live.UpdateTarget(Picture(canvas.Profile.Width));
            await terminal.Out.FlushAsync();
        }
    }

    internal void Take(WatchEvent next)
    {
        _note = next.Note;
        _device = next.Note is null ? next.Device : _device;
    }

    // A row is one line, whatever the terminal's width: a line that wraps is not wiped when the picture is drawn anew.
    internal Rows Picture(int width)
    {
        var title = _device is null ? $"{id} is removed" : $"{id}   state {(_device.State.Length == 0 ? "unknown" : _device.State)}";
        return new Rows(
            Line(title, width, new Style(decoration: Decoration.Bold)),
            Twin(width),
            Line(_note ?? "Ctrl-C ends", width, new Style(_note is null ? Color.Grey : Color.Yellow)));
    }

    private Spectre.Console.Table Twin(int width)
    {
        var properties = (_device?.Twin.Where(p => all || !p.Value.IsDeleted) ?? []).ToList();
        var rows = properties.ConvertAll(p => Cells(p.Key, p.Value));
        var widths = Fit(width - Frame, [.. Headers.Select((header, i) => rows.Select(row => row[i].Length).Append(header.Length).Max())]);
        var table = new Spectre.Console.Table().Border(TableBorder.Simple);
        foreach (var (header, column) in Headers.Zip(widths))
        {
            table.AddColumn(new TableColumn(Line(header, column, Style.Plain)).NoWrap());
        }

        foreach (var (row, property) in rows.Zip(properties))
        {
            var style = new Style(Tables.InSync(property.Value) ? Color.Default : Color.Yellow);
            table.AddRow(row.Zip(widths, (cell, column) => Line(cell, column, style)));
        }

        return table;
    }

    private string[] Cells(string name, TwinProperty property)
    {
        string?[] cells = [name, property.Expected?.Value, property.Actual?.Value, property.Type, Tables.Age(property, time)];
        return [.. cells.Select(cell => string.IsNullOrEmpty(cell) ? "-" : cell)];
    }

    // The widest column gives way first: the short ones stay readable.
    private static int[] Fit(int width, int[] columns)
    {
        for (var excess = columns.Sum() - width; excess > 0 && columns.Max() > 1; excess--)
        {
            columns[Array.IndexOf(columns, columns.Max())]--;
        }

        return columns;
    }

    private static Spectre.Console.Text Line(string text, int width, Style style)
    {
        var line = Client.Text.Plain(text);
        return new(line.Length <= width ? line : $"{line[..Math.Max(width - 1, 0)]}…", style) { Overflow = Overflow.Ellipsis };
    }
}
