using System.CommandLine;
using EdgeOrleans.Client.Connection;
using EdgeOrleans.Client.Manifests;

namespace EdgeOrleans.Client.Commands;

/// <summary><c>edgectl apply</c>: registers or changes what files describe.</summary>
internal sealed class ApplyCommand : Command
{
    private readonly Option<string[]> _files = FileOption();

    public ApplyCommand(Shell shell)
        : base("apply", "Register or change the devices and device models (devices.kubeedge.io/v1beta1) and, at a cloud, the nodes (v1) of a file.")
    {
        Add(_files);
        SetAction((parsed, cancellation) => RunAsync(shell, parsed, cancellation));
    }

    public static Option<string[]> FileOption() => new("--filename", "-f")
    {
        Description = "A YAML or JSON file with one or several documents, a folder of such files, or - for standard input.",
        HelpName = "FILE|DIR|-",
        Required = true,
    };

    private async Task<int> RunAsync(Shell shell, ParseResult parsed, CancellationToken cancellation)
    {
        var set = await ManifestReader.ReadAsync(parsed.GetRequiredValue(_files), shell.Terminal.In, cancellation);
        foreach (var error in set.Errors)
        {
            shell.Terminal.Say($"error: {error}");
        }

        await using var node = await shell.ConnectAsync(parsed, cancellation);
        var failed = set.Errors.Count;
        foreach (var manifest in set.Manifests)
        {
            failed += await ApplyAsync(shell.Terminal, node, manifest, cancellation) ? 0 : 1;
        }

        return failed == 0 ? ExitCodes.Ok : ExitCodes.Failed;
    }

    // What one document gets wrong keeps no other from its place.
    private static async Task<bool> ApplyAsync(Terminal terminal, NodeConnection node, Manifest manifest, CancellationToken cancellation)
    {
        try
        {
            var outcome = await (node.IsCloud ? node.Resources.ApplyAsync(manifest.Json) : node.Membership.ApplyAsync(manifest.Json)).WaitAsync(cancellation);
            terminal.Out.WriteLine($"{outcome.Resource} {outcome.Outcome}");
            foreach (var warning in outcome.Warnings)
            {
                terminal.Say($"warning: {manifest.Locate(warning)}");
            }

            return true;
        }
        catch (RefusedException e)
        {
            terminal.Say($"error: {manifest.Locate(e.Message)}");
            return false;
        }
    }
}
