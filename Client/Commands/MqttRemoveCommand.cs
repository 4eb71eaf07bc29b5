using System.CommandLine;
using EdgeOrleans.Mqtt;

namespace EdgeOrleans.Client.Commands;

/// <summary><c>edgectl mqtt remove</c>: what cannot be taken back.</summary>
internal sealed class MqttRemoveCommand : Command
{
    private readonly Confirmation _confirmation = new();

    public MqttRemoveCommand(Shell shell)
        : base("remove", "Remove a session with all that waits in it, or what is retained on a topic.")
    {
        Add(_confirmation.Yes);
        Add(Kind(
            shell,
            "session",
            "End a session with its subscriptions and all that waits in it, and its connection before.",
            MqttCommand.ClientArgument(),
            static (broker, id) => broker.RemoveSessionAsync(id)));
        Add(Kind(
            shell,
            "retained",
            "End what is retained on a topic. Who listens is told nothing.",
            new Argument<string>("TOPIC") { Description = "The topic, letter by letter." },
            static (broker, topic) => broker.RemoveRetainedAsync(topic)));
    }

    private Command Kind(Shell shell, string kind, string description, Argument<string> argument, Func<IMqttGrain, string, Task> remove)
    {
        var command = new Command(kind, description) { argument };
        command.SetAction(async (parsed, cancellation) =>
        {
            var name = parsed.GetRequiredValue(argument);
            await using var node = await shell.ConnectAsync(parsed, cancellation);
            var broker = node.Mqtt;
            if (!await _confirmation.IsGivenAsync(shell, parsed, $"remove {kind}/{name}?", cancellation))
            {
                throw new CommandException(ExitCodes.Failed, "nothing was removed");
            }

            await remove(broker, name).WaitAsync(cancellation);
            await shell.Terminal.Out.WriteLineAsync($"{kind}/{Text.Plain(name)} removed");
            return ExitCodes.Ok;
        });
        return command;
    }
}
