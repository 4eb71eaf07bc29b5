using System.CommandLine;

namespace EdgeOrleans.Client.Commands;

/// <summary><c>edgectl mqtt disconnect</c>.</summary>
internal sealed class MqttDisconnectCommand : Command
{
    private readonly Argument<string> _client = MqttCommand.ClientArgument();

    public MqttDisconnectCommand(Shell shell)
        : base("disconnect", "End the connection of a client. Its session stays as after any lost connection, and it may come again.")
    {
        Add(_client);
        SetAction(async (parsed, cancellation) =>
        {
            var id = parsed.GetRequiredValue(_client);
            await using var node = await shell.ConnectAsync(parsed, cancellation);
            await node.Mqtt.DisconnectAsync(id).WaitAsync(cancellation);
            await shell.Terminal.Out.WriteLineAsync($"client/{Text.Plain(id)} disconnected");
            return ExitCodes.Ok;
        });
    }
}
