using System.Text;

namespace EdgeOrleans.Client.Commands;

/// <summary>A password from standard input: never from the command line, which others on the machine can see.</summary>
internal static class PasswordLine
{
    // A password of MQTT has that many bytes at the most, and no character has less than one.
    private const int Longest = 65_535;

    /// <summary>Reads the first line, without its end.</summary>
    /// <exception cref="CommandException">There is none, it is too long, or it is no text.</exception>
    public static async Task<string> ReadAsync(Terminal terminal, CancellationToken cancellation)
    {
        if (terminal.Asks)
        {
            terminal.Error.Write("password (it shows while it is typed): ");
        }

        // A terminal's read cannot be stopped: Ctrl-C leaves it behind.
        var line = await Task.Run(() => Read(terminal.In), CancellationToken.None).WaitAsync(cancellation);
        return line switch
        {
            "" => throw Wrong("standard input begins with no password; give it as one line"),
            { Length: > Longest } => throw Wrong($"the first line of standard input is longer than a password may be: {Longest:N0} bytes"),

            // The reader puts this character in the place of bytes that it cannot read; nobody could log in with it.
            _ when line.Contains('\uFFFD') => throw Wrong("the first line of standard input is no UTF-8 text; give the password in UTF-8"),
            _ => line,
        };
    }

    private static string Read(TextReader input)
    {
        var line = new StringBuilder();
        for (var c = input.Read(); c >= 0 && c != '\n' && line.Length <= Longest + 1; c = input.Read())
        {
            line.Append((char)c);
        }

        return line.Length > 0 && line[^1] == '\r' ? line.ToString(0, line.Length - 1) : line.ToString();
    }

    private static CommandException Wrong(string sentence) => new(ExitCodes.Usage, sentence);
}
