using System.CommandLine;
using EdgeOrleans.Client.Rendering;

namespace EdgeOrleans.Client.Commands;

/// <summary><c>edgectl token list</c>.</summary>
internal sealed class TokenListCommand : Command
{
    public TokenListCommand(Shell shell)
        : base("list", "The tokens with who may use them and what became of them; never their text.")
    {
        Add(shell.Output);
        SetAction(async (parsed, cancellation) =>
        {
            await using var cloud = await shell.ConnectAsync(parsed, cancellation);
            var tokens = await cloud.JoinTokens.ListAsync().WaitAsync(cancellation);
            shell.Renderer(parsed).List(
                _ => Tables.JoinTokens(tokens),
                () => Documents.JoinTokens(tokens),
                "no tokens; make one with: edgectl token create --node NODE");
            return ExitCodes.Ok;
        });
    }
}
