using System.CommandLine;
using EdgeOrleans.Client.Rendering;

namespace EdgeOrleans.Client.Commands;

/// <summary><c>edgectl get models</c>.</summary>
internal sealed class GetModelsCommand : Command
{
    public GetModelsCommand(Shell shell)
        : base("models", "The device models of the node with the names of their properties.")
    {
        Aliases.Add("model");
        Aliases.Add("devicemodels");
        Add(shell.Output);
        SetAction(async (parsed, cancellation) =>
        {
            await using var node = await shell.ConnectAsync(parsed, cancellation);
            var models = await node.Membership.ListModelsAsync().WaitAsync(cancellation);
            shell.Renderer(parsed).List(
                _ => Tables.Models(models),
                () => Documents.Models(models),
                "no device models yet; register one with: edgectl apply -f FILE");
            return ExitCodes.Ok;
        });
    }
}
