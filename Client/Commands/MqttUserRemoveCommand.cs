using System.CommandLine;
using System.Text.Json.Nodes;

namespace EdgeOrleans.Client.Commands;

/// <summary><c>edgectl mqtt user remove</c>.</summary>
internal sealed class MqttUserRemoveCommand : Command
{
    private readonly Argument<string> _name = MqttUserCommand.UserArgument();
    private readonly Confirmation _confirmation = new();

    public MqttUserRemoveCommand(Shell shell)
        : base("remove", "Take a user's password away and end the connections that were made with it. Certificates of the same name stay good until they are revoked.")
    {
        Add(_name);
        Add(_confirmation.Yes);
        Add(shell.Output);
        SetAction((parsed, cancellation) => RunAsync(shell, parsed, cancellation));
    }

    private async Task<int> RunAsync(Shell shell, ParseResult parsed, CancellationToken cancellation)
    {
        var name = parsed.GetRequiredValue(_name);
        await using var node = await shell.ConnectAsync(parsed, cancellation);
        var users = node.MqttUsers;
        if (!await _confirmation.IsGivenAsync(shell, parsed, $"remove user/{name}?", cancellation))
        {
            throw new CommandException(ExitCodes.Failed, "nothing was removed");
        }

        var removal = await users.RemoveAsync(name).WaitAsync(cancellation);
        shell.Renderer(parsed).One(
            output => output.WriteLine($"user/{Text.Plain(name)} removed{Ends(removal.Connections)}"),
            () => new JsonObject { ["user"] = name, ["connections"] = removal.Connections });
        return ExitCodes.Ok;
    }

    /// <summary>How many connections end, as the end of a sentence.</summary>
    public static string Ends(int connections) => connections switch
    {
        0 => "",
        1 => "; 1 connection ends",
        _ => $"; {connections} connections end",
    };
}
