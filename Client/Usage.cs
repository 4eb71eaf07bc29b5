using System.CommandLine;
using System.CommandLine.Parsing;

namespace EdgeOrleans.Client;

/// <summary>Says in one sentence what is wrong with a command line, with the nearest right word.</summary>
internal static class Usage
{
    /// <summary>The sentence; null when nothing is wrong.</summary>
    public static string? Explain(ParseResult parsed, IReadOnlyList<string> args)
    {
        var command = parsed.CommandResult.Command;
        if (parsed.UnmatchedTokens.Concat(FlagsTakenForArguments(parsed.CommandResult, args)).FirstOrDefault() is { } token)
        {
            return Unknown(token, Owner(parsed.RootCommandResult.Command, args.TakeWhile(arg => arg != token)));
        }

        if (parsed.Errors.Count == 0)
        {
            return null;
        }

        return command.Subcommands.Count > 0 && command.Action is null
            ? $"'{Path(command)}' needs one of: {string.Join(", ", command.Subcommands.Select(sub => sub.Name))}"
            : $"{parsed.Errors[0].Message.TrimEnd('.')}; see '{Path(command)} --help'";
    }

    // The library hands a flag that it does not know to the next argument that takes anything; nothing of ours begins with a dash.
    private static IEnumerable<string> FlagsTakenForArguments(CommandResult result, IReadOnlyList<string> args) => args.Contains("--")
        ? []
        : result.Children.OfType<ArgumentResult>().SelectMany(argument => argument.Tokens).Select(token => token.Value).Where(value => value.StartsWith('-'));

    // The command that a wrong word was said to; what comes after it may have been read as another command.
    private static Command Owner(Command root, IEnumerable<string> before) => before.Aggregate(root, (command, word) =>
        command.Subcommands.FirstOrDefault(sub => sub.Name == word || sub.Aliases.Contains(word)) ?? command);

    private static string Unknown(string token, Command command)
    {
        var isFlag = token.StartsWith('-');
        var known = isFlag ? Lineage(command).SelectMany(c => c.Options).Select(option => option.Name) : command.Subcommands.SelectMany(sub => sub.Aliases.Prepend(sub.Name));
        var what = isFlag ? "flag" : command.Subcommands.Count > 0 ? "command" : "argument";
        var path = Path(command);
        return Nearest.Of(token.Split('=', 2)[0], known) is { } nearest
            ? $"unknown {what} '{token}' for '{path}'; did you mean '{nearest}'?"
            : $"unknown {what} '{token}' for '{path}'; see '{path} --help'";
    }

    private static string Path(Command command) => string.Join(' ', Lineage(command).SkipLast(1).Select(c => c.Name).Append("edgectl").Reverse());

    private static IEnumerable<Command> Lineage(Command command) =>
        command.Parents.OfType<Command>().SelectMany(Lineage).Prepend(command);
}
