using System.CommandLine;

namespace EdgeOrleans.Client.Commands;

/// <summary><c>edgectl token</c>: the tokens that nodes join the cloud with.</summary>
internal sealed class TokenCommand : Command
{
    public TokenCommand(Shell shell)
        : base("token", "Make, list or revoke the tokens that nodes join the cloud with.")
    {
        Add(new TokenCreateCommand(shell));
        Add(new TokenListCommand(shell));
        Add(new TokenRevokeCommand(shell));
    }
}
