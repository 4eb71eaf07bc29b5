using System.CommandLine;
using EdgeOrleans.Client.Connection;
using EdgeOrleans.Client.Rendering;

namespace EdgeOrleans.Client.Commands;

/// <summary><c>edgectl mqtt certificate list</c>.</summary>
internal sealed class MqttCertificateListCommand : Command
{
    private readonly Argument<string?> _name = new("NAME")
    {
        Description = "Only this user's; * stands for any characters.",
        Arity = ArgumentArity.ZeroOrOne,
    };

    public MqttCertificateListCommand(Shell shell)
        : base("list", "The certificates that the node has made for clients and that have not ended, with when they were revoked.")
    {
        Add(_name);
        Add(shell.Output);
        SetAction(async (parsed, cancellation) =>
        {
            var name = parsed.GetValue(_name);
            await using var node = await shell.ConnectAsync(parsed, cancellation);
            var certificates = await node.MqttUsers.CertificatesAsync(name ?? "", cancellation);
            MqttCommand.MustBeThere(certificates.Count, name, "*", $"the node has made no certificate for '{name}' that has not ended");
            shell.Renderer(parsed).List(
                _ => BrokerViews.Certificates(certificates),
                () => BrokerViews.CertificatesDocument(certificates),
                "no certificates of MQTT clients; make one with: edgectl mqtt certificate NAME");
            return ExitCodes.Ok;
        });
    }
}
