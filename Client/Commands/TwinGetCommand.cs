using System.CommandLine;
using EdgeOrleans.Client.Connection;
using EdgeOrleans.Client.Rendering;

namespace EdgeOrleans.Client.Commands;

/// <summary><c>edgectl twin get</c>.</summary>
internal sealed class TwinGetCommand : Command
{
    private readonly Argument<string> _device = Shell.DeviceArgument();
    private readonly Option<bool> _all = new("--all") { Description = "Show deleted properties too." };

    public TwinGetCommand(Shell shell)
        : base("get", "Expected and actual values of a device.")
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
        await using var node = await shell.ConnectAsync(parsed, cancellation);
        var device = await node.TwinAsync(id, cancellation);
        shell.Renderer(parsed).List(
            wide => Tables.Twin(device, wide, all, shell.Time),
            () => Documents.Twin(device, all),
            $"device '{id}' has no properties yet");
        return ExitCodes.Ok;
    }
}
