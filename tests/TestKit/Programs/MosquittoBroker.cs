using System.Globalization;

namespace EdgeOrleans.TestKit;

/// <summary>A real mosquitto broker, on a port and in a folder of its own, that can be ended and started again on what it has kept.</summary>
public sealed class MosquittoBroker : IAsyncDisposable
{
    private readonly TempFolder _folder = new();
    private ChildProcess? _process;

    // Started by root it would become somebody else, who cannot write into its folder: then it keeps nothing, and says so in its log alone.
    private MosquittoBroker(string settings)
    {
        Port = FreePorts.Take();
        File.WriteAllText(
            Path.Combine(_folder.Path, "mosquitto.conf"),
            $"""
            user {Environment.UserName}
            listener {Port.ToString(CultureInfo.InvariantCulture)} 127.0.0.1
            persistence true
            persistence_location {_folder.Path}/
            autosave_on_changes true
            autosave_interval 1
            max_queued_messages 0
            log_type all
            {(settings.Contains("allow_anonymous", StringComparison.Ordinal) ? "" : "allow_anonymous true")}
            {settings}

            """);
    }

    /// <summary>Why it cannot be used, or null when it can.</summary>
    public static string? Missing { get; } = Program is null ? "mosquitto is not installed; the package mosquitto has it" : Mosquitto.Missing;

    /// <summary>Its port on 127.0.0.1.</summary>
    public int Port { get; }

    /// <summary>Its address for a node.</summary>
    public string Address => $"tcp://127.0.0.1:{Port.ToString(CultureInfo.InvariantCulture)}";

    /// <summary>The real clients, for this broker.</summary>
    public Mosquitto Clients => new(Port);

    /// <summary>Its folder.</summary>
    public string Folder => _folder.Path;

    private static string? Program => Array.Find(
        [.. (Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator).Select(static folder => Path.Combine(folder, "mosquitto")), "/usr/sbin/mosquitto"],
        File.Exists);

    /// <summary>Starts one.</summary>
    /// <param name="settings">More lines of its configuration; a name of a file stands for one in its folder.</param>
    /// <param name="files">Files for its folder.</param>
    public static async Task<MosquittoBroker> StartAsync(string settings = "", IReadOnlyDictionary<string, string>? files = null)
    {
        var broker = new MosquittoBroker(settings);
        foreach (var (name, text) in files ?? new Dictionary<string, string>())
        {
            await File.WriteAllTextAsync(Path.Combine(broker.Folder, name), text);
        }

        await broker.StartAgainAsync();
        return broker;
    }

    /// <summary>Starts it on what it has kept.</summary>
    public async Task StartAgainAsync()
    {
        _process = ChildProcess.Start(Program!, ["-c", Path.Combine(_folder.Path, "mosquitto.conf")], folder: _folder.Path);
        await _process.Error.LineAsync("running");
    }

    /// <summary>Ends it: with TERM it keeps what it has first, with KILL it has no say.</summary>
    public async Task EndAsync(string signal = "TERM")
    {
        _process!.Signal(signal);
        await _process.ExitAsync();
        await _process.DisposeAsync();
        _process = null;
    }

    /// <summary>Waits until its log has a text.</summary>
    public Task LogAsync(string text) => _process!.Error.LineAsync(text);

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        if (_process is { } process)
        {
            await process.DisposeAsync();
        }

        _folder.Dispose();
    }
}
