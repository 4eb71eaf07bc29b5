using System.CommandLine;
using System.Reflection;
using System.Text.Json.Nodes;

namespace EdgeOrleans.Client.Commands;

/// <summary><c>edgectl version</c>: of the console, and of the node when it can be reached.</summary>
internal sealed class VersionCommand : Command
{
    private readonly Option<bool> _client = new("--client") { Description = "Do not ask the node." };

    public VersionCommand(Shell shell)
        : base("version", "The version of the console and of the node.")
    {
        Add(_client);
        Add(shell.Output);
        SetAction((parsed, cancellation) => RunAsync(shell, parsed, cancellation));
    }

    public static string OfConsole { get; } = typeof(VersionCommand).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()!.InformationalVersion.Split('+')[0];

    private async Task<int> RunAsync(Shell shell, ParseResult parsed, CancellationToken cancellation)
    {
        var console = new JsonObject { ["console"] = OfConsole };
        var exitCode = parsed.GetValue(_client) ? ExitCodes.Ok : await AddNodeAsync(shell, parsed, console, cancellation);
        shell.Renderer(parsed).One(
            output =>
            {
                foreach (var (name, version) in console)
                {
                    output.WriteLine($"{name}: {Text.Plain(version!.GetValue<string>())}");
                }
            },
            () => console);
        return exitCode;
    }

    // The console's own version is known whatever the node says.
    private static async Task<int> AddNodeAsync(Shell shell, ParseResult parsed, JsonObject versions, CancellationToken cancellation)
    {
        try
        {
            await using var node = await shell.ConnectAsync(parsed, cancellation);
            versions["node"] = (await node.Node.GetInfoAsync().WaitAsync(cancellation)).Version;
            return ExitCodes.Ok;
        }
        catch (CommandException e) when (e.ExitCode == ExitCodes.Unreachable)
        {
            shell.Terminal.Say($"error: {e.Message}");
            return e.ExitCode;
        }
    }
}
