using System.CommandLine;
using EdgeOrleans.Client.Connection;
using EdgeOrleans.Client.Rendering;

namespace EdgeOrleans.Client.Commands;

/// <summary><c>edgectl mqtt retained</c>.</summary>
internal sealed class MqttRetainedCommand : Command
{
    private readonly Argument<string?> _name = new("TOPIC")
    {
        Description = "Only this topic, or those of a filter with + and # as a client would subscribe with.",
        Arity = ArgumentArity.ZeroOrOne,
    };

    private readonly Option<bool> _payload = new("--payload") { Description = "Show the message of one topic with its payload, 64 KiB of it at the most." };

    public MqttRetainedCommand(Shell shell)
        : base("retained", "The retained messages.")
    {
        Add(_name);
        Add(_payload);
        Add(shell.Output);
        SetAction((parsed, cancellation) => parsed.GetValue(_payload) ? ShowAsync(shell, parsed, cancellation) : ListAsync(shell, parsed, cancellation));
    }

    private async Task<int> ListAsync(Shell shell, ParseResult parsed, CancellationToken cancellation)
    {
        var name = parsed.GetValue(_name);
        await using var node = await shell.ConnectAsync(parsed, cancellation);
        var messages = await node.Mqtt.RetainedAsync(name ?? "", cancellation);
        MqttCommand.MustBeThere(messages.Count, name, "+#", $"nothing is retained on the topic '{name}'");
        shell.Renderer(parsed).List(
            wide => BrokerViews.Retained(messages, wide, shell.Time),
            () => BrokerViews.RetainedDocument(messages),
            "no retained messages");
        return ExitCodes.Ok;
    }

    private async Task<int> ShowAsync(Shell shell, ParseResult parsed, CancellationToken cancellation)
    {
        var topic = parsed.GetValue(_name) ?? throw new CommandException(ExitCodes.Usage, "say which: 'edgectl mqtt retained TOPIC --payload'");
        await using var node = await shell.ConnectAsync(parsed, cancellation);
        var message = await node.Mqtt.GetRetainedAsync(topic).WaitAsync(cancellation);
        shell.Renderer(parsed).One(output => BrokerViews.Write(output, message, shell.Time), () => BrokerViews.Document(message));
        return ExitCodes.Ok;
    }
}
