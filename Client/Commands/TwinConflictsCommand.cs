using System.CommandLine;
using EdgeOrleans.Client.Connection;
using EdgeOrleans.Client.Rendering;

namespace EdgeOrleans.Client.Commands;

/// <summary><c>edgectl twin conflicts</c>: the values that lost.</summary>
internal sealed class TwinConflictsCommand : Command
{
    private readonly Argument<string> _device = Shell.DeviceArgument();

    public TwinConflictsCommand(Shell shell)
        : base("conflicts", "The newest values of a device that lost by the version rule, with those that stayed.")
    {
        Add(_device);
        Add(shell.Output);
        SetAction((parsed, cancellation) => RunAsync(shell, parsed, cancellation));
    }

    private async Task<int> RunAsync(Shell shell, ParseResult parsed, CancellationToken cancellation)
    {
        var id = Typed.Id(parsed.GetRequiredValue(_device));
        await using var connection = await shell.ConnectAsync(parsed, cancellation);
        var device = await connection.TwinAsync(id, cancellation);
        shell.Renderer(parsed).List(_ => Tables.Conflicts(device), () => Documents.Conflicts(device), $"device '{id}' has no conflicts");
        return ExitCodes.Ok;
    }
}
