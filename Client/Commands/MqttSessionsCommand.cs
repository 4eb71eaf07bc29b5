using System.CommandLine;
using EdgeOrleans.Client.Connection;
using EdgeOrleans.Client.Rendering;

namespace EdgeOrleans.Client.Commands;

/// <summary><c>edgectl mqtt sessions</c>.</summary>
internal sealed class MqttSessionsCommand : Command
{
    private readonly Argument<string?> _name = MqttCommand.NameArgument();

    public MqttSessionsCommand(Shell shell)
        : base("sessions", "The sessions of all clients, those that are away included, with what waits for them.")
    {
        Aliases.Add("session");
        Add(_name);
        Add(shell.Output);
        SetAction(async (parsed, cancellation) =>
        {
            var name = parsed.GetValue(_name);
            await using var node = await shell.ConnectAsync(parsed, cancellation);
            var sessions = await node.Mqtt.SessionsAsync(name ?? "", cancellation);
            MqttCommand.MustBeThere(sessions.Count, name, "*", $"there is no MQTT client '{name}', connected or with a session");
            shell.Renderer(parsed).List(
                wide => BrokerViews.Sessions(sessions, wide, shell.Time),
                () => BrokerViews.SessionsDocument(sessions),
                "no MQTT sessions");
            return ExitCodes.Ok;
        });
    }
}
