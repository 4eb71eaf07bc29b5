using System.CommandLine;
using System.Text.Json.Nodes;
using EdgeOrleans.Client.Connection;
using EdgeOrleans.Client.Rendering;

namespace EdgeOrleans.Client.Commands;

/// <summary>Shows a resource of a cloud as it is kept there: the document, with its status.</summary>
internal static class DescribeResource
{
    public static async Task<int> RunAsync(Shell shell, ParseResult parsed, NodeConnection cloud, string kind, string id, CancellationToken cancellation)
    {
        var document = JsonNode.Parse(await cloud.DocumentAsync(kind, id, cancellation))!;
        shell.Renderer(parsed).One(output => Yaml.Write(output, document), () => document);
        return ExitCodes.Ok;
    }
}
