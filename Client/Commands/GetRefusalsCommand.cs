using System.CommandLine;
using EdgeOrleans.Client.Rendering;

namespace EdgeOrleans.Client.Commands;

/// <summary><c>edgectl get refusals</c>.</summary>
internal sealed class GetRefusalsCommand : Command
{
    public GetRefusalsCommand(Shell shell)
        : base("refusals", "How often the node refused something since its start, by reason.")
    {
        Aliases.Add("refusal");
        Add(shell.Output);
        SetAction(async (parsed, cancellation) =>
        {
            await using var node = await shell.ConnectAsync(parsed, cancellation);
            var refusals = await node.Node.GetRefusalsAsync().WaitAsync(cancellation);
            shell.Renderer(parsed).List(_ => Tables.Refusals(refusals), () => Documents.Refusals(refusals), "nothing was refused since the node started");
            return ExitCodes.Ok;
        });
    }
}
