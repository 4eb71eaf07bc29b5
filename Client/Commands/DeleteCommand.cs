using System.CommandLine;
using EdgeOrleans.Client.Connection;
using EdgeOrleans.Client.Manifests;
using EdgeOrleans.Resources;

namespace EdgeOrleans.Client.Commands;

/// <summary><c>edgectl delete</c>: removes devices and device models, by name or by file.</summary>
internal sealed class DeleteCommand : Command
{
    private readonly Option<string[]> _files = ApplyCommand.FileOption();
    private readonly Confirmation _confirmation = new();

    public DeleteCommand(Shell shell)
        : base("delete", "Remove devices, device models or nodes, by name, by label or by file.")
    {
        _files.Required = false;
        Add(_files);
        Add(_confirmation.Yes);
        Add(ByName(shell, "device", "Remove a device with its twin and attributes.", DeleteDeviceAsync));
        Add(ByName(shell, "node", "Remove a node from a cloud: its certificates end, its link is closed, its devices stay.", static (cloud, id) => cloud.Resources.DeleteAsync(ResourceKinds.Node, id)));
        Add(ByName(shell, "model", "Remove a device model that no device uses.", DeleteModelAsync));
        SetAction((parsed, cancellation) => ByFileAsync(shell, parsed, cancellation));
    }

    private Command ByName(Shell shell, string kind, string description, Func<NodeConnection, string, Task> delete)
    {
        var selector = new Selection().Selector;
        var names = new Argument<string[]>("NAME") { Description = kind == "node" ? "The node's name." : "namespace/name, or name for the namespace 'default'.", Arity = ArgumentArity.ZeroOrMore };
        var command = new Command(kind, description) { names, selector };
        command.Aliases.Add(kind + "s");
        var resource = kind == "model" ? ResourceKinds.DeviceModel : kind;
        command.SetAction(async (parsed, cancellation) =>
        {
            string[] ids = [.. parsed.GetRequiredValue(names).Select(name => Typed.ResourceId(resource, name))];
            var labels = parsed.GetValue(selector);
            if (ids.Length == 0 == string.IsNullOrWhiteSpace(labels))
            {
                throw new CommandException(ExitCodes.Usage, $"say which: 'edgectl delete {kind} NAME', or 'edgectl delete {kind} -l LABELS'");
            }

            if (ids.Length == 0)
            {
                await using var cloud = await shell.ConnectAsync(parsed, cancellation);
                ids = [.. await cloud.ListAsync(new ResourceQuery { Kind = resource, Selector = labels! }, cancellation).Select(static r => r.Id).ToListAsync(cancellation)];
                if (ids.Length == 0)
                {
                    throw new CommandException(ExitCodes.NotFound, $"no {kind} has these labels");
                }
            }

            return await DeleteAsync(shell, parsed, [.. ids.Select(id => new Deletion($"{resource}/{id}", m => delete(m, id)))], [], cancellation);
        });
        return command;
    }

    private static Task DeleteDeviceAsync(NodeConnection node, string id) =>
        node.IsCloud ? node.Resources.DeleteAsync(ResourceKinds.Device, id) : node.Membership.DeleteDeviceAsync(id);

    private static Task DeleteModelAsync(NodeConnection node, string id) =>
        node.IsCloud ? node.Resources.DeleteAsync(ResourceKinds.DeviceModel, id) : node.Membership.DeleteModelAsync(id);

    private async Task<int> ByFileAsync(Shell shell, ParseResult parsed, CancellationToken cancellation)
    {
        var files = parsed.GetValue(_files) ?? [];
        if (files.Length == 0)
        {
            throw new CommandException(ExitCodes.Usage, "say what to delete: 'edgectl delete device NAME', 'edgectl delete model NAME', 'edgectl delete node NAME' or 'edgectl delete -f FILE'");
        }

        var set = await ManifestReader.ReadAsync(files, shell.Terminal.In, cancellation);

        // Devices go before the models they use.
        return await DeleteAsync(shell, parsed, [.. set.Manifests.Reverse().Select(Of)], set.Errors, cancellation);
    }

    private static Deletion Of(Manifest manifest) => manifest.Kind switch
    {
        Manifest.Device => new Deletion(manifest.Resource, m => DeleteDeviceAsync(m, manifest.Id)),
        Manifest.DeviceModel => new Deletion(manifest.Resource, m => DeleteModelAsync(m, manifest.Id)),
        Manifest.Node => new Deletion(manifest.Resource, m => m.Resources.DeleteAsync(ResourceKinds.Node, manifest.Name)),
        _ => new Deletion(manifest.Origin, _ => throw new RefusedException(400, $"kind '{manifest.Kind}' cannot be deleted; it is Device, DeviceModel or Node")),
    };

    private async Task<int> DeleteAsync(Shell shell, ParseResult parsed, Deletion[] deletions, IReadOnlyList<string> errors, CancellationToken cancellation)
    {
        foreach (var error in errors)
        {
            shell.Terminal.Say($"error: {error}");
        }

        await using var node = await shell.ConnectAsync(parsed, cancellation);
        var what = deletions.Length == 1 ? deletions[0].Resource : $"{deletions.Length} resources";
        if (!await _confirmation.IsGivenAsync(shell, parsed, $"delete {what}?", cancellation))
        {
            throw new CommandException(ExitCodes.Failed, "nothing was deleted");
        }

        var exitCode = errors.Count == 0 ? ExitCodes.Ok : ExitCodes.Failed;
        foreach (var deletion in deletions)
        {
            exitCode = Math.Max(exitCode, await DeleteAsync(shell.Terminal, node, deletion, cancellation));
        }

        return exitCode;
    }

    private static async Task<int> DeleteAsync(Terminal terminal, NodeConnection node, Deletion deletion, CancellationToken cancellation)
    {
        try
        {
            await deletion.RunAsync(node).WaitAsync(cancellation);
            terminal.Out.WriteLine($"{deletion.Resource} deleted");
            return ExitCodes.Ok;
        }
        catch (RefusedException e)
        {
            terminal.Say($"error: {deletion.Resource}: {e.Message}");
            return e.Code == 404 ? ExitCodes.NotFound : ExitCodes.Failed;
        }
    }

    private sealed record Deletion(string Resource, Func<NodeConnection, Task> RunAsync);
}
