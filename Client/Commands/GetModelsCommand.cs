using System.CommandLine;
using EdgeOrleans.Client.Connection;
using EdgeOrleans.Client.Rendering;
using EdgeOrleans.Resources;

namespace EdgeOrleans.Client.Commands;

/// <summary><c>edgectl get models</c>.</summary>
internal sealed class GetModelsCommand : Command
{
    private const string WhenEmpty = "no device models yet; register one with: edgectl apply -f FILE";

    public GetModelsCommand(Shell shell)
        : base("models", "The device models of the node with the names of their properties.")
    {
        Aliases.Add("model");
        Aliases.Add("devicemodels");
        var selection = new Selection();
        selection.AddTo(this, ResourceKinds.DeviceModel);
        Add(shell.Output);
        SetAction(async (parsed, cancellation) =>
        {
            await using var node = await shell.ConnectAsync(parsed, cancellation);
            if (node.IsCloud)
            {
                var kept = await node.ListAsync(selection.Query(parsed, ResourceKinds.DeviceModel), cancellation).ToListAsync(cancellation);
                shell.Renderer(parsed).List(_ => ResourceViews.Models(kept), () => ResourceViews.ModelsDocument(kept), WhenEmpty);
                return ExitCodes.Ok;
            }

            var models = await node.Membership.ListModelsAsync().WaitAsync(cancellation);
            shell.Renderer(parsed).List(
                _ => Tables.Models(models),
                () => Documents.Models(models),
                WhenEmpty);
            return ExitCodes.Ok;
        });
    }
}
