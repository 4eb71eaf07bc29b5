using EdgeOrleans.Modules;
using EdgeOrleans.Settings;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace EdgeOrleans.Hosting;

/// <summary>What a node says at start: its version, its settings, its modules, and that it is ready.</summary>
internal sealed partial class StartReport(
    SettingsLadder ladder,
    SettingsWarnings warnings,
    ModuleCatalog modules,
    Doors doors,
    IOptions<NodeOptions> node,
    IOptions<DataOptions> data,
    ILoggerFactory loggers)
{
    private readonly ILogger _logger = loggers.CreateLogger("EdgeOrleans.Node");

    /// <summary>The lines before anything starts.</summary>
    public void Begin()
    {
        LogVersion(ProgramVersion.Text, node.Value.Name, Path.GetFullPath(data.Value.Data));
        foreach (var (key, setting) in ladder.Effective.OrderBy(s => s.Key, StringComparer.Ordinal))
        {
            var known = ladder.Schema!.Find(key);
            LogSetting(SettingsError.Show(known?.Path ?? key), known?.IsSecret ?? SecretNames.IsSecret(key) ? "***" : setting.Text!, setting.Place);
        }

        foreach (var warning in warnings.All)
        {
            LogWarning(warning);
        }
    }

    /// <summary>The lines when everything has started.</summary>
    public void Ready()
    {
        foreach (var module in modules.All)
        {
            LogModule(module);
        }

        var where = string.Join(", ", doors.All.Select(d => $"{d.Key} {d.Value}"));
        LogReady((long)ProcessClock.Running().TotalMilliseconds, where);
    }

    /// <summary>The stop has begun.</summary>
    public void Stopping(string reason) => LogStopping(reason);

    /// <summary>Everything has stopped.</summary>
    public void Stopped() => LogStopped();

    private void LogModule(ModuleStatus module)
    {
        var group = module.Group.Length == 0 ? "no group" : $"group {module.Group}";
        switch (module.State)
        {
            case ModuleState.Disabled:
                LogDisabled(module.Name);
                break;
            case ModuleState.NotBuilt:
                LogNotBuilt(module.Name);
                break;
            case ModuleState.Failed:
                LogFailed(module.Name, module.Detail);
                break;
            default:
                LogRegistered(module.Name, group);
                break;
        }
    }

    [LoggerMessage(LogLevel.Information, "EdgeOrleans {Version}, node {Node}, data in {Data}")]
    private partial void LogVersion(string version, string node, string data);

    [LoggerMessage(LogLevel.Information, "{Key} = {Value} ({Place})")]
    private partial void LogSetting(string key, string value, string place);

    [LoggerMessage(LogLevel.Warning, "{Warning}")]
    private partial void LogWarning(string warning);

    [LoggerMessage(LogLevel.Information, "module {Module}: registered ({Group})")]
    private partial void LogRegistered(string module, string group);

    [LoggerMessage(LogLevel.Warning, "module {Module}: disabled by modules.{Module}.enable")]
    private partial void LogDisabled(string module);

    [LoggerMessage(LogLevel.Information, "module {Module}: not built")]
    private partial void LogNotBuilt(string module);

    [LoggerMessage(LogLevel.Error, "module {Module}: failed: {Reason}")]
    private partial void LogFailed(string module, string reason);

    [LoggerMessage(LogLevel.Information, "stopping because of {Reason}; once more ends at once")]
    private partial void LogStopping(string reason);

    [LoggerMessage(LogLevel.Information, "stopped")]
    private partial void LogStopped();

    [LoggerMessage(LogLevel.Information, "ready in {Milliseconds} ms: {Doors}; try first: edgectl get devices")]
    private partial void LogReady(long milliseconds, string doors);
}

/// <summary>What is to be said about settings that do nothing.</summary>
internal sealed record SettingsWarnings(IReadOnlyList<string> All);
