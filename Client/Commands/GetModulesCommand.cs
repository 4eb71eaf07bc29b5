using System.CommandLine;
using EdgeOrleans.Client.Rendering;

namespace EdgeOrleans.Client.Commands;

/// <summary><c>edgectl get modules</c>.</summary>
internal sealed class GetModulesCommand : Command
{
    public GetModulesCommand(Shell shell)
        : base("modules", "The modules of the node in start order, with their state.")
    {
        Aliases.Add("module");
        Add(shell.Output);
        SetAction(async (parsed, cancellation) =>
        {
            await using var node = await shell.ConnectAsync(parsed, cancellation);
            var modules = await node.Node.GetModulesAsync().WaitAsync(cancellation);
            shell.Renderer(parsed).List(wide => Tables.Modules(modules, wide), () => Documents.Modules(modules), "the node has no modules");
            return ExitCodes.Ok;
        });
    }
}
