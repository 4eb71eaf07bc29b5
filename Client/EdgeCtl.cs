using System.CommandLine;
using System.CommandLine.Help;
using EdgeOrleans.Client.Commands;

namespace EdgeOrleans.Client;

/// <summary>The console: reads a command line, runs its command, and answers with one of <see cref="ExitCodes"/>.</summary>
internal static class EdgeCtl
{
    private const string Description = $"""
        edgectl, the console of EdgeOrleans nodes and clouds. For example:

          edgectl simulate --devices 20 --duration 30s
          edgectl get devices -o wide
          edgectl apply -f pump.yaml
          edgectl twin set pump-1 temperature=25
          edgectl twin watch pump-1

        {ExitCodes.Explained}
        """;

    public static async Task<int> RunAsync(IReadOnlyList<string> args, Terminal terminal, TimeProvider? time = null, CancellationToken cancellation = default)
    {
        var parsed = Root(new Shell(terminal, time ?? TimeProvider.System)).Parse(args, new ParserConfiguration
        {
            EnablePosixBundling = false,
            ResponseFileTokenReplacer = null,
        });
        try
        {
            var exitCode = await InvokeAsync(parsed, args, terminal, cancellation);
            await terminal.Out.FlushAsync(CancellationToken.None);
            return exitCode;
        }
        catch (IOException e)
        {
            // A reader who has seen enough, as in 'edgectl get devices | head', is no error to the console stream: this is one.
            return CannotWrite(terminal, e);
        }
    }

    private static int CannotWrite(Terminal terminal, IOException why)
    {
        try
        {
            terminal.Say($"error: the results cannot be written: {why.Message}");
        }
        catch (IOException)
        {
            // Nor can this sentence; the number is left.
        }

        return ExitCodes.Failed;
    }

    private static async Task<int> InvokeAsync(ParseResult parsed, IReadOnlyList<string> args, Terminal terminal, CancellationToken cancellation)
    {
        if (args.Count == 0)
        {
            await parsed.RootCommandResult.Command.Parse("--help").InvokeAsync(new InvocationConfiguration { Output = terminal.Error, Error = terminal.Error }, cancellation);
            return ExitCodes.Usage;
        }

        if (parsed.Action is not HelpAction && Usage.Explain(parsed, args) is { } wrong)
        {
            terminal.Say($"error: {wrong}");
            return ExitCodes.Usage;
        }

        try
        {
            return await parsed.InvokeAsync(
                new InvocationConfiguration { EnableDefaultExceptionHandler = false, Output = terminal.Out, Error = terminal.Error },
                cancellation);
        }
        catch (Exception e) when (Failure.Of(e) is { } failure)
        {
            terminal.Say($"error: {failure.Message}");
            return failure.ExitCode;
        }
    }

    private static RootCommand Root(Shell shell)
    {
        var root = new RootCommand(Description)
        {
            shell.Server,
            shell.Context,
            new GetCommand(shell),
            new DescribeCommand(shell),
            new TwinCommand(shell),
            new ApplyCommand(shell),
            new DeleteCommand(shell),
            new EditCommand(shell),
            new WatchCommand(shell),
            new LedgerCommand(shell),
            new MqttCommand(shell),
            new ConfigCommand(shell),
            new TokenCommand(shell),
            new NodeCommand(shell),
            new SimulateCommand(shell),
            new VersionCommand(shell),
        };
        return root;
    }
}
