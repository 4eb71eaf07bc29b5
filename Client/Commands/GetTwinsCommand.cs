using System.CommandLine;
using System.Text.Json.Nodes;
using EdgeOrleans.Client.Connection;
using EdgeOrleans.Client.Rendering;

namespace EdgeOrleans.Client.Commands;

/// <summary><c>edgectl get twins</c>.</summary>
internal sealed class GetTwinsCommand : Command
{
    private readonly Argument<string[]> _names = new("DEVICE") { Description = "Only these; all by default.", Arity = ArgumentArity.ZeroOrMore };
    private readonly Option<bool> _all = new("--all") { Description = "Show deleted properties too." };

    public GetTwinsCommand(Shell shell)
        : base("twins", "Expected and actual values of every device.")
    {
        Aliases.Add("twin");
        Add(_names);
        Add(_all);
        Add(shell.Output);
        SetAction((parsed, cancellation) => RunAsync(shell, parsed, cancellation));
    }

    private async Task<int> RunAsync(Shell shell, ParseResult parsed, CancellationToken cancellation)
    {
        string[] ids = [.. parsed.GetRequiredValue(_names).Select(Typed.Id)];
        var all = parsed.GetValue(_all);
        await using var node = await shell.ConnectAsync(parsed, cancellation);
        var devices = ids.Length == 0 ? await node.TwinsAsync(cancellation) : await node.TwinsAsync(ids, cancellation);
        shell.Renderer(parsed).List(
            wide => Tables.Twins(devices, wide, all, shell.Time),
            () => new JsonArray([.. devices.Select(device => Documents.Twin(device, all))]),
            devices.Count == 0 ? GetDevicesCommand.WhenEmpty : "no device has reported a property yet");
        return ExitCodes.Ok;
    }
}
