using EdgeOrleans.Modules;
using EdgeOrleans.Settings;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace EdgeOrleans.Hosting;

/// <summary>What a node or a cloud says at start: its version, its settings, its modules, and that it is ready.</summary>
internal sealed partial class StartReport(
    SettingsLadder ladder,
    SettingsWarnings warnings,
    StartReport.Kind kind,
    Doors doors,
    IOptions<NodeOptions> node,
    IOptions<DataOptions> data,
    ILoggerFactory loggers)
{
    /// <summary>Who says it, in the log.</summary>
    public const string Category = "EdgeOrleans.Node";

    private readonly ILogger _logger = loggers.CreateLogger(Category);

    /// <summary>The lines before anything starts.</summary>
    public void Begin()
    {
        LogVersion(ProgramVersion.Text, kind.Role == Role.Cloud ? "cloud" : "node", node.Value.Name, Path.GetFullPath(data.Value.Data));
        foreach (var (key, setting) in ladder.Effective.Where(s => s.Value.Rung != Rung.Default).OrderBy(s => s.Key, StringComparer.Ordinal))
        {
            var known = ladder.Schema!.Find(key);
            LogSetting(SettingsError.Show(known?.Path ?? key), known?.IsSecret ?? SecretNames.IsSecret(key) ? "***" : setting.Text!, setting.Place);
        }

        foreach (var warning in warnings.All)
        {
            LogWarning(warning);
        }
    }

    /// <summary>The line when everything has started. Modules have said theirs.</summary>
    public void Ready()
    {
        var where = string.Join(", ", doors.All.Select(d => $"{d.Key} {d.Value}"));
        LogReady((long)ProcessClock.Running().TotalMilliseconds, where, kind.Role == Role.Cloud ? $"edgectl --server {doors.All["console"]} token create --node NAME" : "edgectl get devices");
    }

    /// <summary>The stop has begun.</summary>
    public void Stopping(string reason) => LogStopping(reason);

    /// <summary>Everything has stopped.</summary>
    public void Stopped() => LogStopped();

    [LoggerMessage(LogLevel.Information, "EdgeOrleans {Version}, {Role} {Node}, data in {Data}")]
    private partial void LogVersion(string version, string role, string node, string data);

    [LoggerMessage(LogLevel.Information, "{Key} = {Value} ({Place})")]
    private partial void LogSetting(string key, string value, string place);

    [LoggerMessage(LogLevel.Warning, "{Warning}")]
    private partial void LogWarning(string warning);

    [LoggerMessage(LogLevel.Information, "stopping because of {Reason}; once more ends at once")]
    private partial void LogStopping(string reason);

    [LoggerMessage(LogLevel.Information, "stopped")]
    private partial void LogStopped();

    [LoggerMessage(LogLevel.Information, "ready in {Milliseconds} ms: {Doors}; try first: {Command}")]
    private partial void LogReady(long milliseconds, string doors, string command);

    /// <summary>What it is that starts.</summary>
    internal sealed record Kind(Role Role);
}

/// <summary>What is to be said about settings that do nothing.</summary>
internal sealed record SettingsWarnings(IReadOnlyList<string> All);
