using System.CommandLine;
using EdgeOrleans.Client.Watching;

namespace EdgeOrleans.Client.Commands;

/// <summary><c>edgectl twin watch</c>: follows a device until Ctrl-C.</summary>
internal sealed class TwinWatchCommand : Command
{
    private readonly Argument<string> _device = Shell.DeviceArgument();
    private readonly Option<bool> _all = new("--all") { Description = "Show deleted properties too." };

    public TwinWatchCommand(Shell shell)
        : base("watch", "Follow a device: redrawn in place on a terminal, a line for each change in a pipe. Ctrl-C ends.")
    {
        Add(_device);
        Add(_all);
        Add(shell.Output);
        SetAction((parsed, cancellation) => RunAsync(shell, parsed, cancellation));
    }

    private async Task<int> RunAsync(Shell shell, ParseResult parsed, CancellationToken cancellation)
    {
        var id = Typed.Id(parsed.GetRequiredValue(_device));
        var all = parsed.GetValue(_all);
        var renderer = shell.Renderer(parsed);
        var events = new DeviceWatch(id, shell.Address(parsed), shell.Time).EventsAsync(cancellation);
        try
        {
            await (shell.Terminal.Draws && renderer.IsTable
                ? new LiveView(id, shell.Terminal, all, shell.Time).ShowAsync(events)
                : new LineView(id, shell.Terminal, renderer, all, shell.Time).ShowAsync(events));
        }
        catch (OperationCanceledException) when (cancellation.IsCancellationRequested)
        {
            // Ctrl-C is how a watch ends.
        }

        return ExitCodes.Ok;
    }
}
