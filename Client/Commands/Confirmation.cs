using System.CommandLine;

namespace EdgeOrleans.Client.Commands;

/// <summary>A question before what cannot be taken back; only a person is asked.</summary>
internal sealed class Confirmation
{
    public Option<bool> Yes { get; } = new("--yes", "-y") { Description = "Do not ask; a pipe is never asked.", Recursive = true };

    /// <summary>Whether it may be done.</summary>
    public async Task<bool> IsGivenAsync(Shell shell, ParseResult parsed, string question, CancellationToken cancellation)
    {
        if (parsed.GetValue(Yes) || !shell.Terminal.Asks)
        {
            return true;
        }

        shell.Terminal.Error.Write($"{Text.OneLine(question)} [y/N] ");

        // A terminal's read cannot be stopped: Ctrl-C leaves it behind.
        var answer = await Task.Run(shell.Terminal.In.ReadLine, CancellationToken.None).WaitAsync(cancellation);
        return answer?.Trim().ToLowerInvariant() is "y" or "yes";
    }
}
