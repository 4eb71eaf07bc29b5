using System.Text.Json.Nodes;
using EdgeOrleans.Client.Rendering;
using EdgeOrleans.Devices;

namespace EdgeOrleans.Client.Watching;

/// <summary>Shows a watch in a pipe: a line for each change, or a JSON object for each.</summary>
internal sealed class LineView(string id, Terminal terminal, Renderer renderer, bool all, TimeProvider time)
{
    private DeviceView? _last;
    private string _lastDocument = "";

    public async Task ShowAsync(IAsyncEnumerable<WatchEvent> events)
    {
        await foreach (var next in events)
        {
            Show(next);
            await terminal.Out.FlushAsync();
        }
    }

    private void Show(WatchEvent next)
    {
        if (next.Note is not null)
        {
            terminal.Say(next.Note);
        }
        else if (renderer.IsTable)
        {
            ShowChanges(next.Device);
            _last = next.Device;
        }
        else
        {
            ShowDocument(next.Device);
        }
    }

    private void ShowDocument(DeviceView? device)
    {
        var document = device is null ? new JsonObject { ["id"] = id, ["twin"] = null } : Documents.Twin(device, all);
        var text = document.ToJsonString();
        if (text == _lastDocument)
        {
            return;
        }

        _lastDocument = text;
        if (renderer.IsJson)
        {
            renderer.Line(document);
            return;
        }

        terminal.Out.WriteLine("---");
        renderer.Document(document);
    }

    private void ShowChanges(DeviceView? device)
    {
        if (device is null)
        {
            Line("removed");
            return;
        }

        if (device.State != (_last?.State ?? ""))
        {
            Line($"state={device.State}");
        }

        foreach (var (name, property) in device.Twin.Where(p => p.Value != _last?.Twin.GetValueOrDefault(p.Key)))
        {
            if (!property.IsDeleted)
            {
                Line($"{name} expected={property.Expected?.Value ?? "-"} actual={property.Actual?.Value ?? "-"}");
            }
            else if (_last is not null || all)
            {
                Line($"{name} deleted");
            }
        }
    }

    private void Line(string text) => terminal.Out.WriteLine($"{time.GetUtcNow():yyyy-MM-ddTHH:mm:ss.fffZ} {id} {Text.Plain(text)}");
}
