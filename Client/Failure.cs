using EdgeOrleans.Client.Connection;

namespace EdgeOrleans.Client;

/// <summary>What an exception means to a person and to a script.</summary>
internal static class Failure
{
    /// <summary>The sentence and the exit code; null for what only a programmer can explain.</summary>
    public static CommandException? Of(Exception exception) => exception switch
    {
        CommandException e => e,
        RefusedException { Code: 404 } e => new CommandException(ExitCodes.NotFound, e.Message),
        RefusedException e => new CommandException(ExitCodes.Failed, e.Message),
        OperationCanceledException => new CommandException(ExitCodes.Failed, "interrupted"),
        IOException => null,
        _ when NodeConnection.IsGone(exception) => new CommandException(
            ExitCodes.Unreachable,
            "the node went away before it answered; nothing is known of the outcome: ask again when it is back"),
        _ => new CommandException(ExitCodes.Failed, $"the node failed: {exception.Message}"),
    };
}
