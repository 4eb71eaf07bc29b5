using Microsoft.Extensions.Logging;

namespace EdgeOrleans.Edge.EventBus.Access;

/// <summary>Who may read a file: everybody a certificate, this program's user alone a key or a user's hash.</summary>
internal static partial class KeyMode
{
    /// <summary>For what is no secret.</summary>
    public const UnixFileMode Open = Ours | UnixFileMode.GroupRead | UnixFileMode.OtherRead;

    /// <summary>For what is a secret.</summary>
    public const UnixFileMode Ours = UnixFileMode.UserRead | UnixFileMode.UserWrite;

    /// <summary>Closes a key that others could read.</summary>
    /// <exception cref="AccessFileException">It cannot be closed.</exception>
    public static void Close(string path, ILogger logger)
    {
        try
        {
            if (!OperatingSystem.IsWindows() && File.GetUnixFileMode(path) is var mode && (mode & ~Ours) != 0)
            {
                File.SetUnixFileMode(path, Ours);
                LogWasOpen(logger, path, mode);
            }
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new AccessFileException(path, 0, $"the key is open to others and cannot be closed: {e.Message.TrimEnd('.')}");
        }
    }

    [LoggerMessage(LogLevel.Warning, "The private key {Path} was open to others ({Mode}); it is closed now, and whoever could read it can still use it")]
    private static partial void LogWasOpen(ILogger logger, string path, UnixFileMode mode);
}
