using System.CommandLine;
using System.Globalization;
using EdgeOrleans.Client.Rendering;

namespace EdgeOrleans.Client.Commands;

/// <summary><c>edgectl node</c>: the certificates of the cloud's nodes.</summary>
internal sealed class NodeCommand : Command
{
    public NodeCommand(Shell shell)
        : base("node", "List or revoke the certificates of a node of the cloud.")
    {
        Add(Certificates(shell));
        Add(Revoke(shell));
    }

    private static Command Certificates(Shell shell)
    {
        var name = NodeArgument();
        var command = new Command("certificates", "The certificates that a node was given and that have not expired.") { name, shell.Output };
        command.SetAction(async (parsed, cancellation) =>
        {
            var node = parsed.GetRequiredValue(name);
            await using var cloud = await shell.ConnectAsync(parsed, cancellation);
            var certificates = await cloud.Certificates(node).ListAsync().WaitAsync(cancellation);
            shell.Renderer(parsed).List(_ => Tables.Certificates(certificates), () => Documents.Certificates(certificates), $"node '{node}' was given no certificate");
            return ExitCodes.Ok;
        });
        return command;
    }

    private static Command Revoke(Shell shell)
    {
        var name = NodeArgument();
        var serial = new Option<string>("--serial") { HelpName = "SERIAL", Description = "Only this certificate; all of the node by default." };
        var command = new Command("revoke", "End the certificates of a node; it comes back with a new token only.") { name, serial };
        command.SetAction(async (parsed, cancellation) =>
        {
            var node = parsed.GetRequiredValue(name);
            await using var cloud = await shell.ConnectAsync(parsed, cancellation);
            var count = await cloud.Certificates(node).RevokeAsync(parsed.GetValue(serial)).WaitAsync(cancellation);
            await shell.Terminal.Out.WriteLineAsync(string.Create(CultureInfo.InvariantCulture, $"node/{Text.Plain(node)}: {count} certificates revoked"));
            return ExitCodes.Ok;
        });
        return command;
    }

    private static Argument<string> NodeArgument() => new("NODE") { Description = "The node's name." };
}
