using System.CommandLine;

namespace EdgeOrleans.Client.Commands;

/// <summary><c>edgectl mqtt</c>: the MQTT broker of a node.</summary>
internal sealed class MqttCommand : Command
{
    public MqttCommand(Shell shell)
        : base("mqtt", "See the clients, sessions and retained messages of a node's MQTT broker, and end them; say who may connect.")
    {
        Add(new MqttClientsCommand(shell));
        Add(new MqttSessionsCommand(shell));
        Add(new MqttRetainedCommand(shell));
        Add(new MqttDescribeCommand(shell));
        Add(new MqttDisconnectCommand(shell));
        Add(new MqttRemoveCommand(shell));
        Add(new MqttUserCommand(shell));
        Add(new MqttCertificateCommand(shell));
    }

    public static Argument<string> ClientArgument() => new("CLIENT") { Description = "The client identifier; behind -- when it begins with a dash." };

    public static Argument<string?> NameArgument() => new("NAME")
    {
        Description = "Only this client identifier; * stands for any characters.",
        Arity = ArgumentArity.ZeroOrOne,
    };

    /// <summary>A name that stands for itself alone and is not there is an error, a pattern that matches nothing is not.</summary>
    public static void MustBeThere(int count, string? name, string wildcards, string sentence)
    {
        if (count == 0 && name is { Length: > 0 } && name.AsSpan().IndexOfAny(wildcards) < 0)
        {
            throw new CommandException(ExitCodes.NotFound, sentence);
        }
    }
}
