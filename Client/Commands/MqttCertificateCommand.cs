using System.CommandLine;
using System.Text.Json.Nodes;
using EdgeOrleans.Client.Rendering;

namespace EdgeOrleans.Client.Commands;

/// <summary><c>edgectl mqtt certificate</c>: with the certificate a client is a user without a password.</summary>
internal sealed class MqttCertificateCommand : Command
{
    private readonly Argument<string> _name = MqttUserCommand.UserArgument();

    private readonly Option<TimeSpan?> _lifetime = new("--lifetime")
    {
        HelpName = "DURATION",
        Description = "How long it is good. Default: 365d.",
        CustomParser = Typed.Lifetime,
    };

    private readonly Option<string> _out = new("--out")
    {
        HelpName = "FOLDER",
        Description = "Where the files go: NAME.crt, NAME.key and ca.crt; a '/' of the name becomes '-'. Default: the current folder.",
        DefaultValueFactory = _ => ".",
    };

    private readonly Option<bool> _force = new("--force") { Description = "Overwrite files that are there." };

    public MqttCertificateCommand(Shell shell)
        : base("certificate", "Make a certificate for a client and write it with its key and the node's authority; list or revoke those that were made. The node does not keep the key.")
    {
        Add(_name);
        Add(_lifetime);
        Add(_out);
        Add(_force);
        Add(shell.Output);
        Add(new MqttCertificateListCommand(shell));
        Add(new MqttCertificateRevokeCommand(shell));
        SetAction((parsed, cancellation) => RunAsync(shell, parsed, cancellation));
    }

    private async Task<int> RunAsync(Shell shell, ParseResult parsed, CancellationToken cancellation)
    {
        var name = parsed.GetRequiredValue(_name);
        var lifetime = parsed.GetValue(_lifetime) ?? TimeSpan.FromDays(365);
        var files = new CertificateFiles(parsed.GetRequiredValue(_out), name, parsed.GetValue(_force));
        files.MustBeFree();
        await using var node = await shell.ConnectAsync(parsed, cancellation);
        var certificate = await node.MqttUsers.IssueCertificateAsync(name, lifetime).WaitAsync(cancellation);
        files.Write(certificate);
        shell.Renderer(parsed).One(
            output => output.WriteLine(Text.Plain($"certificate/{name} written until {Documents.Time(certificate.NotAfter)}: {files.Certificate}, {files.Key}, {files.Authority}")),
            () => new JsonObject
            {
                ["user"] = name,
                ["certificate"] = files.Certificate,
                ["key"] = files.Key,
                ["authority"] = files.Authority,
                ["notAfter"] = Documents.Time(certificate.NotAfter),
            });
        if (!certificate.IsBrokers)
        {
            shell.Terminal.Say($"hint: the broker's own certificate is of another authority (tlsCertFile): a client verifies the broker with that one, and not with {files.Authority}");
        }

        return ExitCodes.Ok;
    }
}
