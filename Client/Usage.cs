using System.CommandLine;
using System.CommandLine.Parsing;

namespace EdgeOrleans.Client;

/// <summary>Says in one sentence what is wrong with a command line, with the nearest right word.</summary>
internal static class Usage
{
    public static string Explain(ParseResult parsed, IReadOnlyList<string> args)
    {
        var command = parsed.CommandResult.Command;
        var path = Path(parsed.CommandResult);
        if (parsed.UnmatchedTokens.Count > 0)
        {
            return Unknown(parsed.UnmatchedTokens[0], parsed.CommandResult, path);
        }

        if (command.Subcommands.Count > 0 && parsed.CommandResult.Children.All(child => child is not ArgumentResult) && command.Action is null)
        {
            return $"'{path}' needs one of: {string.Join(", ", command.Subcommands.Select(sub => sub.Name))}";
        }

        return $"{parsed.Errors[0].Message.TrimEnd('.')}; see '{path} --help'";
    }

    private static string Unknown(string token, CommandResult result, string path)
    {
        var isFlag = token.StartsWith('-');
        var command = result.Command;
        var known = isFlag ? Flags(result) : command.Subcommands.SelectMany(sub => sub.Aliases.Prepend(sub.Name));
        var what = isFlag ? "flag" : command.Subcommands.Count > 0 ? "command" : "argument";
        var nearest = Nearest.Of(token.Split('=', 2)[0], known);
        return nearest is null
            ? $"unknown {what} '{token}' for '{path}'; see '{path} --help'"
            : $"unknown {what} '{token}' for '{path}'; did you mean '{nearest}'?";
    }

    private static IEnumerable<string> Flags(CommandResult result)
    {
        for (SymbolResult? at = result; at is not null; at = at.Parent)
        {
            foreach (var option in at is CommandResult command ? command.Command.Options : [])
            {
                yield return option.Name;
            }
        }
    }

    private static string Path(CommandResult result)
    {
        var names = new List<string>();
        for (SymbolResult? at = result; at is CommandResult { Parent: not null } command; at = at.Parent)
        {
            names.Insert(0, command.Command.Name);
        }

        return string.Join(' ', names.Prepend("edgectl"));
    }
}
