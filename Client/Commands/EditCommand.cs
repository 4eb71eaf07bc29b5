using System.CommandLine;
using System.Diagnostics;
using System.Text.Json.Nodes;
using EdgeOrleans.Client.Connection;
using EdgeOrleans.Client.Manifests;
using EdgeOrleans.Client.Rendering;
using EdgeOrleans.Resources;

namespace EdgeOrleans.Client.Commands;

/// <summary><c>edgectl edit</c>: a resource of a cloud in an editor.</summary>
internal sealed class EditCommand : Command
{
    public EditCommand(Shell shell)
        : base("edit", "Edit a device, model or node of a cloud in $VISUAL or $EDITOR. What was changed by somebody else meanwhile is not written over.")
    {
        Add(Of(shell, "device", ResourceKinds.Device));
        Add(Of(shell, "model", ResourceKinds.DeviceModel));
        Add(Of(shell, "node", ResourceKinds.Node));
    }

    private static Command Of(Shell shell, string name, string kind)
    {
        var argument = new Argument<string>("NAME") { Description = kind == ResourceKinds.Node ? "The node's name." : "namespace/name, or name for the namespace 'default'." };
        var command = new Command(name, $"Edit a {name}.") { argument };
        command.SetAction((parsed, cancellation) => RunAsync(shell, parsed, kind, Typed.ResourceId(kind, parsed.GetRequiredValue(argument)), cancellation));
        return command;
    }

    private static async Task<int> RunAsync(Shell shell, ParseResult parsed, string kind, string id, CancellationToken cancellation)
    {
        var editor = Editor();
        await using var cloud = await shell.ConnectAsync(parsed, cancellation);
        var document = JsonNode.Parse(await cloud.DocumentAsync(kind, id, cancellation))!.AsObject();
        document.Remove("status");
        var file = Path.Combine(Path.GetTempPath(), $"edgectl-{Guid.NewGuid():N}.yaml");
        await WriteAsync(file, document, cancellation);
        var before = await File.ReadAllTextAsync(file, cancellation);
        await EditAsync(editor, file, cancellation);
        if (await File.ReadAllTextAsync(file, cancellation) == before)
        {
            File.Delete(file);
            shell.Terminal.Say("nothing was changed");
            return ExitCodes.Ok;
        }

        return await ApplyAsync(shell, cloud, file, cancellation);
    }

    private static async Task<int> ApplyAsync(Shell shell, NodeConnection cloud, string file, CancellationToken cancellation)
    {
        try
        {
            var set = await ManifestReader.ReadAsync([file], TextReader.Null, cancellation);
            if (set.Errors.Count > 0 || set.Manifests.Count != 1)
            {
                throw new CommandException(ExitCodes.Failed, set.Errors.Count > 0 ? set.Errors[0] : "the file has more than one document");
            }

            var outcome = await cloud.Resources.ApplyAsync(set.Manifests[0].Json).WaitAsync(cancellation);
            await shell.Terminal.Out.WriteLineAsync($"{outcome.Resource} {outcome.Outcome}");
            File.Delete(file);
            return ExitCodes.Ok;
        }
        catch (Exception e) when (e is RefusedException or CommandException)
        {
            throw new CommandException(ExitCodes.Failed, $"{e.Message}; what you wrote is in {file}");
        }
    }

    private static async Task WriteAsync(string file, JsonObject document, CancellationToken cancellation)
    {
        using var text = new StringWriter();
        Yaml.Write(text, document);
        var how = new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write };
        if (!OperatingSystem.IsWindows())
        {
            how.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        }

        await using var writer = new StreamWriter(file, how);
        await writer.WriteAsync(text.ToString().AsMemory(), cancellation);
    }

    // Words, as a person writes "code --wait": no shell sees them, nor the file's name.
    private static string[] Editor()
    {
        var text = Environment.GetEnvironmentVariable("VISUAL") is { Length: > 0 } visual ? visual : Environment.GetEnvironmentVariable("EDITOR");
        var words = (string.IsNullOrWhiteSpace(text) ? "vi" : text).Split(' ', StringSplitOptions.RemoveEmptyEntries);
        return words;
    }

    private static async Task EditAsync(string[] editor, string file, CancellationToken cancellation)
    {
        try
        {
            using var process = Process.Start(new ProcessStartInfo(editor[0], [.. editor.Skip(1), file]) { UseShellExecute = false })!;
            await process.WaitForExitAsync(cancellation);
            if (process.ExitCode != 0)
            {
                throw new CommandException(ExitCodes.Failed, $"the editor {editor[0]} ended with {process.ExitCode}; nothing was changed");
            }
        }
        catch (System.ComponentModel.Win32Exception e)
        {
            throw new CommandException(ExitCodes.Failed, $"the editor {editor[0]} cannot be started: {e.Message}; VISUAL or EDITOR names another");
        }
    }
}
