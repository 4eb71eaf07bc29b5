using System.CommandLine;
using EdgeOrleans.Client.Rendering;
using EdgeOrleans.Nodes;

namespace EdgeOrleans.Client.Commands;

/// <summary><c>edgectl describe node</c>.</summary>
internal sealed class DescribeNodeCommand : Command
{
    public DescribeNodeCommand(Shell shell)
        : base("node", "The node with its doors, modules and refusals.")
    {
        Add(shell.Output);
        SetAction((parsed, cancellation) => RunAsync(shell, parsed, cancellation));
    }

    private static async Task<int> RunAsync(Shell shell, ParseResult parsed, CancellationToken cancellation)
    {
        await using var connection = await shell.ConnectAsync(parsed, cancellation);
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
