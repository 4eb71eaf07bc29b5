using System.CommandLine;

namespace EdgeOrleans.Client.Commands;

/// <summary><c>edgectl token revoke</c>.</summary>
internal sealed class TokenRevokeCommand : Command
{
    private readonly Argument<string> _id = new("ID") { Description = "As 'edgectl token list' shows it." };

    public TokenRevokeCommand(Shell shell)
        : base("revoke", "End a token now. Nodes that joined with it stay.")
    {
        Add(_id);
        SetAction(async (parsed, cancellation) =>
        {
            var id = parsed.GetRequiredValue(_id);
            await using var cloud = await shell.ConnectAsync(parsed, cancellation);
            await cloud.JoinTokens.RevokeAsync(id).WaitAsync(cancellation);
            await shell.Terminal.Out.WriteLineAsync($"token/{Text.Plain(id)} revoked");
            return ExitCodes.Ok;
        });
    }
}
