using EdgeOrleans.Client.Rendering;
using EdgeOrleans.Devices;
using Spectre.Console;

namespace EdgeOrleans.Client.Watching;

/// <summary>Shows a watch on a terminal: one table that is redrawn in place.</summary>
internal sealed class LiveView(string id, Terminal terminal, bool all, TimeProvider time)
{
    private static readonly TimeSpan Tick = TimeSpan.FromSeconds(1);
    private DeviceView? _device;
    private string? _note;

    public Task ShowAsync(IAsyncEnumerable<WatchEvent> events) => terminal.Canvas()
        .Live(new Spectre.Console.Text("connecting …"))
        .StartAsync(live => DrawAsync(live, events));

    private async Task DrawAsync(LiveDisplayContext live, IAsyncEnumerable<WatchEvent> events)
    {
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
        }
    }

    private void Take(WatchEvent next)
    {
        _note = next.Note;
        _device = next.Note is null ? next.Device : _device;
    }

    private Rows Picture()
    {
        var title = _device is null ? $"{id} is removed" : $"{id}   state {(_device.State.Length == 0 ? "unknown" : _device.State)}";
        return new Rows(
            Line(title, new Style(decoration: Decoration.Bold)),
            Twin(),
            Line(_note ?? "Ctrl-C ends", new Style(_note is null ? Color.Grey : Color.Yellow)));
    }

    private Spectre.Console.Table Twin()
    {
        var table = new Spectre.Console.Table().Border(TableBorder.Simple).AddColumns("PROPERTY", "EXPECTED", "ACTUAL", "TYPE", "AGE");
        foreach (var (name, property) in _device?.Twin.Where(p => all || !p.Value.IsDeleted) ?? [])
        {
            var style = new Style(Tables.InSync(property) ? Color.Default : Color.Yellow);
            string?[] cells = [name, property.Expected?.Value, property.Actual?.Value, property.Type, Tables.Age(property, time)];
            table.AddRow(cells.Select(cell => Line(string.IsNullOrEmpty(cell) ? "-" : cell, style)));
        }

        return table;
    }

    private static Spectre.Console.Text Line(string text, Style style) => new(Client.Text.Plain(text), style);
}
