using System.CommandLine;
using EdgeOrleans.Client.Rendering;
using EdgeOrleans.Nodes;
using EdgeOrleans.Resources;

namespace EdgeOrleans.Client.Commands;

/// <summary><c>edgectl describe node</c>.</summary>
internal sealed class DescribeNodeCommand : Command
{
    private readonly Argument<string?> _name = new("NODE") { Description = "A node of a cloud; without a name the process itself that answers.", Arity = ArgumentArity.ZeroOrOne };

    public DescribeNodeCommand(Shell shell)
        : base("node", "A node of a cloud as its document; without a name the node or cloud itself, with its doors, modules and refusals.")
    {
        Aliases.Add("nodes");
        Add(_name);
        Add(shell.Output);
        SetAction((parsed, cancellation) => RunAsync(shell, parsed, cancellation));
    }

    private async Task<int> RunAsync(Shell shell, ParseResult parsed, CancellationToken cancellation)
    {
        await using var connection = await shell.ConnectAsync(parsed, cancellation);
        if (parsed.GetValue(_name) is { } name)
        {
            return await DescribeResource.RunAsync(shell, parsed, connection, ResourceKinds.Node, name, cancellation);
        }

        var node = await connection.Node.GetInfoAsync().WaitAsync(cancellation);
        var modules = await connection.Node.GetModulesAsync().WaitAsync(cancellation);
        var refusals = await connection.Node.GetRefusalsAsync().WaitAsync(cancellation);
        shell.Renderer(parsed).One(
            output =>
            {
                Write(output, node, shell.Time.GetUtcNow());
                output.WriteLine("Modules:");
                Tables.Modules(modules, wide: true).Write(output, "  ");
                output.WriteLine(refusals.Count == 0 ? "Refusals:     none" : "Refusals:");
                WriteRefusals(output, Tables.Refusals(refusals));
            },
            () => Documents.Node(node, modules, refusals));
        return ExitCodes.Ok;
    }

    private static void Write(TextWriter output, NodeInfo node, DateTimeOffset now)
    {
        output.WriteLine($"Name:         {Text.Plain(node.Name)}");
        output.WriteLine($"Version:      {Text.Plain(node.Version)}");
        output.WriteLine($"Started:      {node.Started.UtcDateTime:yyyy-MM-ddTHH:mm:ssZ} ({Tables.Span(now - node.Started)} ago)");
        foreach (var (name, address) in node.Doors)
        {
            output.WriteLine($"{name + " door:",-14}{Text.Plain(address)}");
        }
    }

    private static void WriteRefusals(TextWriter output, Table refusals)
    {
        if (refusals.Count > 0)
        {
            refusals.Write(output, "  ");
        }
    }
}
