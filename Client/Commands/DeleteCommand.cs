using System.CommandLine;
using EdgeOrleans.Client.Manifests;
using EdgeOrleans.Devices;

namespace EdgeOrleans.Client.Commands;

/// <summary><c>edgectl delete</c>: removes devices and device models, by name or by file.</summary>
internal sealed class DeleteCommand : Command
{
    private readonly Option<string[]> _files = ApplyCommand.FileOption();
    private readonly Option<bool> _yes = new("--yes", "-y") { Description = "Do not ask; a pipe is never asked.", Recursive = true };

    public DeleteCommand(Shell shell)
        : base("delete", "Remove devices and device models, by name or by file.")
    {
        _files.Required = false;
        Add(_files);
        Add(_yes);
        Add(ByName(shell, "device", "Remove a device with its twin and attributes.", (membership, id) => membership.DeleteDeviceAsync(id)));
        Add(ByName(shell, "model", "Remove a device model that no device uses.", (membership, id) => membership.DeleteModelAsync(id)));
        SetAction((parsed, cancellation) => ByFileAsync(shell, parsed, cancellation));
    }

    private Command ByName(Shell shell, string kind, string description, Func<IMembershipGrain, string, Task> delete)
    {
        var names = new Argument<string[]>("NAME") { Description = "namespace/name, or name for the namespace 'default'.", Arity = ArgumentArity.OneOrMore };
        var command = new Command(kind, description) { names };
        command.Aliases.Add(kind + "s");
        var resource = kind == "model" ? "devicemodel" : kind;
        command.SetAction(async (parsed, cancellation) =>
        {
            string[] ids = [.. parsed.GetRequiredValue(names).Select(Typed.Id)];
            return await DeleteAsync(shell, parsed, [.. ids.Select(id => new Deletion($"{resource}/{id}", m => delete(m, id)))], [], cancellation);
        });
        return command;
    }

    private async Task<int> ByFileAsync(Shell shell, ParseResult parsed, CancellationToken cancellation)
    {
        var files = parsed.GetValue(_files) ?? [];
        if (files.Length == 0)
        {
            throw new CommandException(ExitCodes.Usage, "say what to delete: 'edgectl delete device NAME', 'edgectl delete model NAME' or 'edgectl delete -f FILE'");
        }

        var set = await ManifestReader.ReadAsync(files, shell.Terminal.In, cancellation);

        // Devices go before the models they use.
        return await DeleteAsync(shell, parsed, [.. set.Manifests.Reverse().Select(Of)], set.Errors, cancellation);
    }

    private static Deletion Of(Manifest manifest) => manifest.Kind switch
    {
        Manifest.Device => new Deletion(manifest.Resource, m => m.DeleteDeviceAsync(manifest.Id)),
        Manifest.DeviceModel => new Deletion(manifest.Resource, m => m.DeleteModelAsync(manifest.Id)),
        _ => new Deletion(manifest.Origin, _ => throw new RefusedException(400, $"kind '{manifest.Kind}' cannot be deleted; it is Device or DeviceModel")),
    };

    private async Task<int> DeleteAsync(Shell shell, ParseResult parsed, Deletion[] deletions, IReadOnlyList<string> errors, CancellationToken cancellation)
    {
        foreach (var error in errors)
        {
            shell.Terminal.Say($"error: {error}");
        }

        await using var node = await shell.ConnectAsync(parsed, cancellation);
        if (!parsed.GetValue(_yes) && !await ConfirmedAsync(shell.Terminal, deletions, cancellation))
        {
            throw new CommandException(ExitCodes.Failed, "nothing was deleted");
        }

        var exitCode = errors.Count == 0 ? ExitCodes.Ok : ExitCodes.Failed;
        foreach (var deletion in deletions)
        {
            exitCode = Math.Max(exitCode, await DeleteAsync(shell.Terminal, node.Membership, deletion, cancellation));
        }

        return exitCode;
    }

    private static async Task<int> DeleteAsync(Terminal terminal, IMembershipGrain membership, Deletion deletion, CancellationToken cancellation)
    {
        try
        {
            await deletion.RunAsync(membership).WaitAsync(cancellation);
            terminal.Out.WriteLine($"{deletion.Resource} deleted");
            return ExitCodes.Ok;
        }
        catch (RefusedException e)
        {
            terminal.Say($"error: {deletion.Resource}: {e.Message}");
            return e.Code == 404 ? ExitCodes.NotFound : ExitCodes.Failed;
        }
    }

    private static async Task<bool> ConfirmedAsync(Terminal terminal, Deletion[] deletions, CancellationToken cancellation)
    {
        if (!terminal.Asks)
        {
            return true;
        }

        terminal.Error.Write($"delete {(deletions.Length == 1 ? deletions[0].Resource : $"{deletions.Length} resources")}? [y/N] ");

        // A terminal's read cannot be stopped: Ctrl-C leaves it behind.
        var answer = await Task.Run(terminal.In.ReadLine, CancellationToken.None).WaitAsync(cancellation);
        return answer?.Trim().ToLowerInvariant() is "y" or "yes";
    }

    private sealed record Deletion(string Resource, Func<IMembershipGrain, Task> RunAsync);
}
