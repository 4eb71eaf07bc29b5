using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace EdgeOrleans.Settings;

/// <summary>Reads the settings again when a file changed or the config centre says so.</summary>
internal sealed partial class SettingsWatcher(SettingsLadder ladder, IServiceProvider services, TimeProvider time, ILogger<SettingsWatcher> logger)
    : IHostedLifecycleService, IDisposable
{
    // An editor writes a file in several steps; they are one change.
    private static readonly TimeSpan Settle = TimeSpan.FromMilliseconds(250);

    private readonly List<FileSystemWatcher> _watchers = [];
    private readonly Lock _reloading = new();
    private HashSet<string> _saidLater = [];
    private ITimer? _settled;

    public Task StartedAsync(CancellationToken cancellationToken)
    {
        _settled = time.CreateTimer(_ => ReloadFiles(), null, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
        ladder.Centre?.Changed += Reload;
        foreach (var folder in ladder.Folders.Where(Directory.Exists))
        {
            Watch(folder);
        }

        return Task.CompletedTask;
    }

    public Task StoppingAsync(CancellationToken cancellationToken)
    {
        Dispose();
        return Task.CompletedTask;
    }

    public void Dispose()
    {
        ladder.Centre?.Changed -= Reload;
        _settled?.Dispose();
        _watchers.ForEach(w => w.Dispose());
        _watchers.Clear();
    }

    /// <summary>Takes what may change now and says what waits for the next start.</summary>
    /// <exception cref="SettingsException">The new settings are wrong; the old ones stay.</exception>
    internal void Reload()
    {
        lock (_reloading)
        {
            var change = ladder.Reload(services);
            foreach (var key in change.Live)
            {
                LogTaken(SettingsError.Show(key), Shown(key));
            }

            foreach (var key in change.Later.Where(k => !_saidLater.Contains(k)))
            {
                LogLater(SettingsError.Show(key));
            }

            _saidLater = [.. change.Later];
        }
    }

    private void ReloadFiles()
    {
        try
        {
            Reload();
        }
        catch (SettingsException e)
        {
            LogRefused(e.Message.ReplaceLineEndings("; "));
        }
        catch (Exception e)
        {
            LogFailed(e);
        }
    }

    private string Shown(string key) => ladder.Schema!.Find(key) is { IsSecret: true }
        ? "***"
        : ladder.Effective.GetValueOrDefault(key)?.Text ?? "its default";

    private void Watch(string folder)
    {
        try
        {
            var watcher = new FileSystemWatcher(folder) { IncludeSubdirectories = true };
            watcher.Changed += (_, _) => Touch();
            watcher.Created += (_, _) => Touch();
            watcher.Deleted += (_, _) => Touch();
            watcher.Renamed += (_, _) => Touch();
            watcher.EnableRaisingEvents = true;
            _watchers.Add(watcher);
        }
        catch (Exception e) when (e is IOException or ArgumentException)
        {
            LogUnwatched(e, folder);
        }
    }

    private void Touch() => _settled?.Change(Settle, Timeout.InfiniteTimeSpan);

    Task IHostedLifecycleService.StartingAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    Task IHostedService.StartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    Task IHostedService.StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    Task IHostedLifecycleService.StoppedAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    [LoggerMessage(LogLevel.Information, "{Key} is {Value} from now on")]
    private partial void LogTaken(string key, string value);

    [LoggerMessage(LogLevel.Warning, "{Key} was changed and takes effect at restart")]
    private partial void LogLater(string key);

    [LoggerMessage(LogLevel.Warning, "The changed settings are not taken, the old ones stay: {Reason}")]
    private partial void LogRefused(string reason);

    [LoggerMessage(LogLevel.Error, "The changed settings could not be read, the old ones stay")]
    private partial void LogFailed(Exception exception);

    [LoggerMessage(LogLevel.Warning, "{Folder} cannot be watched; changes in it take effect at restart")]
    private partial void LogUnwatched(Exception exception, string folder);
}
