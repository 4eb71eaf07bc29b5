using System.CommandLine;
using System.Text.Json.Nodes;

namespace EdgeOrleans.Client.Commands;

/// <summary><c>edgectl mqtt certificate revoke</c>.</summary>
internal sealed class MqttCertificateRevokeCommand : Command
{
    private readonly Argument<string> _name = MqttUserCommand.UserArgument();

    private readonly Option<string?> _serial = new("--serial")
    {
        HelpName = "SERIAL",
        Description = "Only this certificate, also one that the node does not know; all of the user by default.",
    };

    private readonly Confirmation _confirmation = new();

    public MqttCertificateRevokeCommand(Shell shell)
        : base("revoke", "Take certificates of a user back for good and end the connections that were made with them. A password of the same name stays.")
    {
        Add(_name);
        Add(_serial);
        Add(_confirmation.Yes);
        Add(shell.Output);
        SetAction((parsed, cancellation) => RunAsync(shell, parsed, cancellation));
    }

    private async Task<int> RunAsync(Shell shell, ParseResult parsed, CancellationToken cancellation)
    {
        var (name, serial) = (parsed.GetRequiredValue(_name), parsed.GetValue(_serial));
        await using var node = await shell.ConnectAsync(parsed, cancellation);
        var users = node.MqttUsers;
        var what = serial is null ? $"all certificates of {name}" : $"certificate {serial} of {name}";
        if (!await _confirmation.IsGivenAsync(shell, parsed, $"revoke {what}?", cancellation))
        {
            throw new CommandException(ExitCodes.Failed, "nothing was revoked");
        }

        var revocation = await users.RevokeCertificatesAsync(name, serial).WaitAsync(cancellation);
        shell.Renderer(parsed).One(
            output => output.WriteLine($"certificate/{Text.Plain(name)}: {revocation.Serials.Length} revoked{MqttUserRemoveCommand.Ends(revocation.Connections)}"),
            () => new JsonObject
            {
                ["user"] = name,
                ["revoked"] = new JsonArray([.. revocation.Serials.Select(static s => JsonValue.Create(s))]),
                ["connections"] = revocation.Connections,
            });
        if (revocation.IsUnknown)
        {
            shell.Terminal.Say($"hint: the node did not know {Text.Plain(serial!)}; compare it with what 'openssl x509 -noout -serial' says of the certificate");
        }

        return ExitCodes.Ok;
    }
}
