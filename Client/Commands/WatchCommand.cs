using System.CommandLine;
using EdgeOrleans.Client.Connection;
using EdgeOrleans.Client.Rendering;
using EdgeOrleans.Resources;

namespace EdgeOrleans.Client.Commands;

/// <summary><c>edgectl watch</c>: what changes in a cloud, a line for each change, until Ctrl-C.</summary>
internal sealed class WatchCommand : Command
{
    private static readonly TimeSpan BetweenLooks = TimeSpan.FromMilliseconds(500);

    public WatchCommand(Shell shell)
        : base("watch", "Follow the nodes, devices or models of a cloud: what there is, then a line for each change. Ctrl-C ends.")
    {
        Add(Of(shell, "nodes", ResourceKinds.Node));
        Add(Of(shell, "devices", ResourceKinds.Device));
        Add(Of(shell, "models", ResourceKinds.DeviceModel));
    }

    private static Command Of(Shell shell, string name, string kind)
    {
        var selection = new Selection();
        var command = new Command(name, $"Follow the {name} of a cloud.") { shell.Output };
        command.Aliases.Add(name[..^1]);
        selection.AddTo(command, kind);
        command.SetAction((parsed, cancellation) => RunAsync(shell, parsed, selection.Query(parsed, kind), cancellation));
        return command;
    }

    private static async Task<int> RunAsync(Shell shell, ParseResult parsed, ResourceQuery query, CancellationToken cancellation)
    {
        var renderer = shell.Renderer(parsed);
        await using var cloud = await shell.ConnectAsync(parsed, cancellation);
        try
        {
            // The number first: what changes while the list is read is told once more, and never left out.
            var change = (await cloud.Resources.ListAsync(query with { Count = 1 }).WaitAsync(cancellation)).Change;
            await foreach (var item in cloud.ListAsync(query, cancellation))
            {
                Show(shell, renderer, item);
            }

            await shell.Terminal.Out.FlushAsync(cancellation);
            while (true)
            {
                var page = await cloud.Resources.ListAsync(query with { ChangedAfter = change }).WaitAsync(cancellation);
                foreach (var item in page.Items)
                {
                    Show(shell, renderer, item);
                }

                change = page.Change;
                await shell.Terminal.Out.FlushAsync(cancellation);
                if (!page.More)
                {
                    await Task.Delay(BetweenLooks, shell.Time, cancellation);
                }
            }
        }
        catch (OperationCanceledException) when (cancellation.IsCancellationRequested)
        {
            // Ctrl-C is how a watch ends.
            return ExitCodes.Ok;
        }
    }

    private static void Show(Shell shell, Renderer renderer, ResourceSummary item)
    {
        if (renderer.IsTable)
        {
            shell.Terminal.Out.WriteLine($"{shell.Time.GetUtcNow():yyyy-MM-ddTHH:mm:ss.fffZ} {Text.Plain(ResourceViews.Line(item))}");
            return;
        }

        var document = ResourceViews.Of(item);
        document["removed"] = item.Removed;
        renderer.Line(document);
    }
}
