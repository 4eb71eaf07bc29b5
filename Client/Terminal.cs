using System.Text;
using Spectre.Console;

namespace EdgeOrleans.Client;

/// <summary>Where a command reads and writes, and whether a person sits there.</summary>
/// <param name="Out">Results.</param>
/// <param name="Error">Everything that is not a result: errors, warnings, hints.</param>
/// <param name="In">Manifests of <c>-f -</c> and answers of a person.</param>
/// <param name="Draws">Whether results go to a terminal: lines may be redrawn in place there, nowhere else.</param>
/// <param name="Asks">Whether a question reaches a person who can answer it.</param>
internal sealed record Terminal(TextWriter Out, TextWriter Error, TextReader In, bool Draws, bool Asks)
{
    /// <summary>The process's own streams. Results are gathered and written in large pieces; whoever wants one seen at once flushes.</summary>
    public static Terminal OfProcess() => new(
        new StreamWriter(Console.OpenStandardOutput(), new UTF8Encoding(false), 16 * 1024),
        new StreamWriter(Console.OpenStandardError(), new UTF8Encoding(false)) { AutoFlush = true },
        new StreamReader(Console.OpenStandardInput(), new UTF8Encoding(false)),
        Draws: !Console.IsOutputRedirected && Environment.GetEnvironmentVariable("TERM") is not "dumb",
        Asks: !Console.IsInputRedirected && !Console.IsOutputRedirected);

    /// <summary>One line on standard error, whatever the text holds.</summary>
    public void Say(string line) => Error.WriteLine(Text.OneLine(line));

    /// <summary>A canvas that is redrawn in place; only for a terminal that draws.</summary>
    public IAnsiConsole Canvas() => AnsiConsole.Create(new AnsiConsoleSettings
    {
        Ansi = AnsiSupport.Yes,
        Interactive = InteractionSupport.Yes,
        Out = new AnsiConsoleOutput(Out),
    });
}
