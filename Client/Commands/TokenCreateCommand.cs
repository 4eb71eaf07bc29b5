using System.CommandLine;
using System.Text.Json.Nodes;
using EdgeOrleans.Joining;

namespace EdgeOrleans.Client.Commands;

/// <summary><c>edgectl token create</c>: prints the token alone, so that a script can take it.</summary>
internal sealed class TokenCreateCommand : Command
{
    private readonly Option<string> _node = new("--node") { HelpName = "NODE", Description = "The one node that may join with it." };
    private readonly Option<string> _group = new("--group") { HelpName = "GROUP", Description = "The group it is for; without --node any new node may join with it." };
    private readonly Option<TimeSpan?> _ttl = new("--ttl")
    {
        HelpName = "DURATION",
        Description = "How long it is good, from 1m to 720h. Default: 1h.",
        CustomParser = Typed.Duration,
    };

    private readonly Option<int> _uses = new("--uses")
    {
        HelpName = "COUNT",
        Description = "How many nodes of a group may join with it. Default: 1.",
        DefaultValueFactory = _ => 1,
    };

    public TokenCreateCommand(Shell shell)
        : base("create", "Make a token and print it. It is shown now and never again.")
    {
        Add(_node);
        Add(_group);
        Add(_ttl);
        Add(_uses);
        Add(shell.Output);
        SetAction((parsed, cancellation) => RunAsync(shell, parsed, cancellation));
    }

    private async Task<int> RunAsync(Shell shell, ParseResult parsed, CancellationToken cancellation)
    {
        var request = new JoinTokenRequest
        {
            Node = parsed.GetValue(_node) ?? "",
            Group = parsed.GetValue(_group) ?? "",
            Lifetime = parsed.GetValue(_ttl) ?? TimeSpan.FromHours(1),
            Uses = parsed.GetValue(_uses),
        };
        if (request.Node.Length == 0 && request.Group.Length == 0)
        {
            throw new CommandException(ExitCodes.Usage, "say who may join: 'edgectl token create --node NODE' or '--group GROUP'");
        }

        await using var cloud = await shell.ConnectAsync(parsed, cancellation);
        var token = await cloud.JoinTokens.CreateAsync(request).WaitAsync(cancellation);
        shell.Renderer(parsed).One(output => output.WriteLine(token.Token), () => new JsonObject { ["id"] = token.Id, ["token"] = token.Token });
        return ExitCodes.Ok;
    }
}
