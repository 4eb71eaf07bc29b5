using System.CommandLine;
using EdgeOrleans.Client.Connection;
using EdgeOrleans.Client.Rendering;
using EdgeOrleans.Mqtt;

namespace EdgeOrleans.Client.Commands;

/// <summary><c>edgectl mqtt user list</c>.</summary>
internal sealed class MqttUserListCommand : Command
{
    private readonly Argument<string?> _name = new("NAME")
    {
        Description = "Only this user; * stands for any characters.",
        Arity = ArgumentArity.ZeroOrOne,
    };

    public MqttUserListCommand(Shell shell)
        : base("list", "The users who have a password, and where the rules come from that say what they may do; never a password.")
    {
        Add(_name);
        Add(shell.Output);
        SetAction(async (parsed, cancellation) =>
        {
            var name = parsed.GetValue(_name);
            await using var node = await shell.ConnectAsync(parsed, cancellation);
            var users = await node.MqttUsers.UsersAsync(name ?? "", cancellation);
            MqttCommand.MustBeThere(users.Page.Items.Length, name, "*", $"there is no MQTT user '{name}'");
            shell.Renderer(parsed).List(_ => BrokerViews.Users(users), () => BrokerViews.Document(users), WhenEmpty(users));
            Remark(shell.Terminal, users);
            return ExitCodes.Ok;
        });
    }

    private static string WhenEmpty(MqttUsers users) => users.HasFile
        ? "no MQTT users; add one with: edgectl mqtt user add NAME"
        : "no MQTT users: this node has no file of them";

    private static void Remark(Terminal terminal, MqttUsers users)
    {
        terminal.Say(users.Rules switch
        {
            MqttRuleSource.File => "the rules of a file are in force",
            MqttRuleSource.Defaults => "the default rules are in force",
            _ => "no rules are in force: clients do not have to say who they are",
        });
        Warn(terminal, "users", users.UsersError);
        Warn(terminal, "rules", users.RulesError);
    }

    private static void Warn(Terminal terminal, string what, string? error)
    {
        if (error is not null)
        {
            terminal.Say($"warning: the {what} are those of before, for their file is not taken as it is now: {error}");
        }
    }
}
