using System.CommandLine;
using EdgeOrleans.Client.Connection;
using EdgeOrleans.Client.Rendering;

namespace EdgeOrleans.Client.Commands;

/// <summary><c>edgectl mqtt describe</c>.</summary>
internal sealed class MqttDescribeCommand : Command
{
    private readonly Argument<string> _client = MqttCommand.ClientArgument();

    public MqttDescribeCommand(Shell shell)
        : base("describe", "Everything of one client: its connection, its session, what waits for it, its will and its subscriptions.")
    {
        Add(_client);
        Add(shell.Output);
        SetAction(async (parsed, cancellation) =>
        {
            var id = parsed.GetRequiredValue(_client);
            await using var node = await shell.ConnectAsync(parsed, cancellation);
            var client = await node.Mqtt.GetSessionAsync(id).WaitAsync(cancellation);
            var subscriptions = await node.Mqtt.SubscriptionsAsync(id, cancellation);
            shell.Renderer(parsed).One(
                output => BrokerViews.Write(output, client, subscriptions, shell.Time),
                () => BrokerViews.Document(client, subscriptions));
            return ExitCodes.Ok;
        });
    }
}
