using System.CommandLine;
using System.Text.Json.Nodes;
using EdgeOrleans.Mqtt;

namespace EdgeOrleans.Client.Commands;

/// <summary><c>edgectl mqtt user add</c>: prints a password that the node has made alone, so that a script can take it.</summary>
internal sealed class MqttUserAddCommand : Command
{
    private readonly Argument<string> _name = MqttUserCommand.UserArgument();

    private readonly Option<bool> _passwordStdin = new("--password-stdin")
    {
        Description = "Read the password from the first line of standard input. Without it the node makes one.",
    };

    public MqttUserAddCommand(Shell shell)
        : base("add", "Give a user a password, a new one if there is one. A password that the node makes is shown now and never again.")
    {
        Add(_name);
        Add(_passwordStdin);
        Add(shell.Output);
        SetAction((parsed, cancellation) => RunAsync(shell, parsed, cancellation));
    }

    private async Task<int> RunAsync(Shell shell, ParseResult parsed, CancellationToken cancellation)
    {
        var name = parsed.GetRequiredValue(_name);
        await using var node = await shell.ConnectAsync(parsed, cancellation);
        var password = parsed.GetValue(_passwordStdin) ? await PasswordLine.ReadAsync(shell.Terminal, cancellation) : null;
        var change = await node.MqttUsers.SetAsync(new MqttUserRequest { Name = name, Password = password }).WaitAsync(cancellation);
        shell.Renderer(parsed).One(output => Say(shell.Terminal, output, change), () => Document(change));
        return ExitCodes.Ok;
    }

    private static void Say(Terminal terminal, TextWriter output, MqttUserChange change)
    {
        var line = $"user/{Text.Plain(change.Name)} {(change.IsNew ? "added" : "has a new password")}";
        if (change.Password is { } made)
        {
            terminal.Say(line);
            output.WriteLine(made);
        }
        else
        {
            output.WriteLine(line);
        }
    }

    private static JsonObject Document(MqttUserChange change)
    {
        var document = new JsonObject { ["user"] = change.Name, ["new"] = change.IsNew };
        if (change.Password is { } made)
        {
            document["password"] = made;
        }

        return document;
    }
}
