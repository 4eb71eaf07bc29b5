using System.CommandLine;
using System.Text.Json.Nodes;
using EdgeOrleans.Client.Connection;
using EdgeOrleans.Client.Rendering;

namespace EdgeOrleans.Client.Commands;

/// <summary><c>edgectl config</c>: servers under names.</summary>
internal sealed class ConfigCommand : Command
{
    private const int DefaultPort = 30000;

    public ConfigCommand(Shell shell)
        : base("config", "Name nodes and clouds, and choose which one is meant when nothing else is said.")
    {
        Add(Set());
        Add(Use(shell));
        Add(Get(shell));
        Add(Current(shell));
        Add(Remove(shell));
    }

    private static Command Set()
    {
        var name = NameArgument();
        var server = new Option<string>("--address") { Description = "The console gateway of a node (port 30000 by default) or a cloud (30100).", HelpName = "HOST:PORT", Required = true };
        var command = new Command("set-context", "Make or change a context.") { name, server };
        command.SetAction(parsed =>
        {
            var text = parsed.GetRequiredValue(server);
            if (!ServerAddress.TryParse(text, DefaultPort, out var address))
            {
                throw new CommandException(ExitCodes.Usage, $"'{text}' is no address; --address takes HOST:PORT, such as 127.0.0.1:30100");
            }

            var contexts = Contexts.Load();
            contexts.Set(new Context(parsed.GetRequiredValue(name), address.ToString()));
            contexts.Save();
            return ExitCodes.Ok;
        });
        return command;
    }

    private static Command Use(Shell shell)
    {
        var name = NameArgument();
        var command = new Command("use-context", "Mean this context from now on.") { name };
        command.SetAction(async (parsed, _) =>
        {
            var contexts = Contexts.Load();
            var wanted = Known(contexts, parsed.GetRequiredValue(name));
            contexts.Use(wanted.Name);
            contexts.Save();
            await shell.Terminal.Out.WriteLineAsync($"{Text.Plain(wanted.Name)} is {wanted.Server}");
            return ExitCodes.Ok;
        });
        return command;
    }

    private static Command Get(Shell shell)
    {
        var command = new Command("get-contexts", "The contexts, with the current one marked.") { shell.Output };
        command.SetAction(parsed =>
        {
            var contexts = Contexts.Load();
            shell.Renderer(parsed).List(_ => Table(contexts), () => Document(contexts), "no contexts; make one with: edgectl config set-context NAME --address HOST:PORT");
            return ExitCodes.Ok;
        });
        return command;
    }

    private static Command Current(Shell shell)
    {
        var command = new Command("current-context", "The name of the current context.");
        command.SetAction(async (_, _) =>
        {
            var current = Contexts.Load().CurrentName ?? throw new CommandException(ExitCodes.NotFound, "no context is current; choose one with: edgectl config use-context NAME");
            await shell.Terminal.Out.WriteLineAsync(current);
            return ExitCodes.Ok;
        });
        return command;
    }

    private static Command Remove(Shell shell)
    {
        var name = NameArgument();
        var command = new Command("delete-context", "Forget a context.") { name };
        command.SetAction(async (parsed, _) =>
        {
            var contexts = Contexts.Load();
            var known = Known(contexts, parsed.GetRequiredValue(name));
            contexts.Remove(known.Name);
            contexts.Save();
            await shell.Terminal.Out.WriteLineAsync($"context/{Text.Plain(known.Name)} deleted");
            return ExitCodes.Ok;
        });
        return command;
    }

    private static Argument<string> NameArgument() => new("NAME") { Description = "The context's name." };

    private static Context Known(Contexts contexts, string name) => contexts.Find(name)
        ?? throw new CommandException(ExitCodes.NotFound, $"there is no context '{name}'; 'edgectl config get-contexts' lists them");

    private static Table Table(Contexts contexts)
    {
        var table = new Table("CURRENT", "NAME", "SERVER");
        foreach (var context in contexts.All)
        {
            table.Add(context.Name == contexts.CurrentName ? "*" : "", context.Name, context.Server);
        }

        return table;
    }

    private static JsonArray Document(Contexts contexts) => [.. contexts.All.Select(context => new JsonObject
    {
        ["name"] = context.Name,
        ["server"] = context.Server,
        ["current"] = context.Name == contexts.CurrentName,
    })];
}
