using System.CommandLine;
using EdgeOrleans.Client.Connection;
using EdgeOrleans.Client.Rendering;
using EdgeOrleans.Resources;

namespace EdgeOrleans.Client.Commands;

/// <summary><c>edgectl get nodes</c>.</summary>
internal sealed class GetNodesCommand : Command
{
    private readonly Argument<string[]> _names = new("NODE") { Description = "Only these; all by default.", Arity = ArgumentArity.ZeroOrMore };
    private readonly Selection _selection = new();

    public GetNodesCommand(Shell shell)
        : base("nodes", "The nodes of a cloud: whether they are ready, and when they were last heard.")
    {
        Aliases.Add("node");
        Add(_names);
        _selection.AddTo(this, ResourceKinds.Node);
        Add(shell.Output);
        SetAction((parsed, cancellation) => RunAsync(shell, parsed, cancellation));
    }

    private async Task<int> RunAsync(Shell shell, ParseResult parsed, CancellationToken cancellation)
    {
        var names = parsed.GetRequiredValue(_names);
        await using var cloud = await shell.ConnectAsync(parsed, cancellation);
        var nodes = names.Length > 0
            ? await cloud.TheseAsync(ResourceKinds.Node, names, cancellation)
            : await cloud.ListAsync(_selection.Query(parsed, ResourceKinds.Node), cancellation).ToListAsync(cancellation);
        shell.Renderer(parsed).List(
            wide => ResourceViews.Nodes(nodes, wide, shell.Time),
            () => ResourceViews.NodesDocument(nodes),
            _selection.IsGiven(parsed) ? "no node has these labels" : "no nodes yet; let one join with the token that this makes: edgectl token create --node NODE");
        return ExitCodes.Ok;
    }
}
