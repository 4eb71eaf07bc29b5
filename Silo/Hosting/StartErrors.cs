using System.Net.Sockets;
using EdgeOrleans.Modules;
using EdgeOrleans.Settings;
using Microsoft.Extensions.Options;

namespace EdgeOrleans.Hosting;

/// <summary>Why the program does not start, as a sentence.</summary>
internal static class StartErrors
{
    public static string Sentence(Exception exception)
    {
        var cause = CauseOf(exception);
        return cause switch
        {
            SettingsException or StartRefusedException or UserModuleException => cause.Message,
            OptionsValidationException options => string.Join(Environment.NewLine, options.Failures),
            SocketException => $"the network refuses: {cause.Message}",
            _ => $"EdgeOrleans cannot start: {cause.Message} ({cause.GetType().Name})",
        };
    }

    /// <summary>Whether it says that this start is refused: the program tells it once, and nobody else need.</summary>
    public static bool IsRefusal(Exception? exception) =>
        exception is not null && CauseOf(exception) is SettingsException or StartRefusedException or UserModuleException or OptionsValidationException;

    // What says it best lies inside of what only carries it.
    private static Exception CauseOf(Exception exception)
    {
        while (exception is not (SettingsException or StartRefusedException or UserModuleException or OptionsValidationException) && exception.InnerException is { } inner)
        {
            exception = inner;
        }

        return exception;
    }
}
