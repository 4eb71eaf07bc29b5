using System.CommandLine;
using EdgeOrleans.Client.Connection;
using EdgeOrleans.Client.Rendering;

namespace EdgeOrleans.Client.Commands;

/// <summary><c>edgectl mqtt clients</c>.</summary>
internal sealed class MqttClientsCommand : Command
{
    private readonly Argument<string?> _name = MqttCommand.NameArgument();

    public MqttClientsCommand(Shell shell)
        : base("clients", "The clients that are connected, with the messages of their connection.")
    {
        Aliases.Add("client");
        Add(_name);
        Add(shell.Output);
        SetAction(async (parsed, cancellation) =>
        {
            var name = parsed.GetValue(_name);
            await using var node = await shell.ConnectAsync(parsed, cancellation);
            var clients = await node.Mqtt.ClientsAsync(name ?? "", cancellation);
            MqttCommand.MustBeThere(clients.Count, name, "*", $"MQTT client '{name}' is not connected; 'edgectl mqtt sessions' lists those that are away too");
            shell.Renderer(parsed).List(
                wide => BrokerViews.Clients(clients, wide, shell.Time),
                () => BrokerViews.ClientsDocument(clients),
                "no MQTT clients are connected");
            return ExitCodes.Ok;
        });
    }
}
