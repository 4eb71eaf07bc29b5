using Microsoft.Extensions.Logging;

namespace EdgeOrleans.Settings;

/// <summary>What the log tells. Section: <c>log</c>.</summary>
public sealed class LogOptions
{
    /// <summary>The least level of our own events; <c>debug</c> tells each message, and errors with their stack. Default: information.</summary>
    [Live]
    public LogLevel Level { get; init; } = LogLevel.Information;

    /// <summary>The least level of the libraries' events. Default: warning.</summary>
    [Live]
    public LogLevel Libraries { get; init; } = LogLevel.Warning;
}
