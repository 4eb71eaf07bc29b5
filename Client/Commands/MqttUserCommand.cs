using System.CommandLine;

namespace EdgeOrleans.Client.Commands;

/// <summary><c>edgectl mqtt user</c>: who may connect to the broker of a node with a password.</summary>
internal sealed class MqttUserCommand : Command
{
    public MqttUserCommand(Shell shell)
        : base("user", "Give users of a node's MQTT broker a password, list them, or remove them.")
    {
        Add(new MqttUserAddCommand(shell));
        Add(new MqttUserListCommand(shell));
        Add(new MqttUserRemoveCommand(shell));
    }

    public static Argument<string> UserArgument() => new("NAME")
    {
        Description = "The user; a device's client is called like its device, 'namespace/name', or 'name' for the namespace 'default'.",
    };
}
