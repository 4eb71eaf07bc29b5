namespace EdgeOrleans.Client;

/// <summary>A command ends here: one sentence for the person, one number for the script.</summary>
internal sealed class CommandException(int exitCode, string message) : Exception(message)
{
    public int ExitCode { get; } = exitCode;
}
