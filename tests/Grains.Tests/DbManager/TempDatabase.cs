using System.Collections.Concurrent;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace EdgeOrleans.DbManager;

/// <summary>A database in a folder of its own that can be closed and opened again.</summary>
internal sealed class TempDatabase : IDisposable
{
    private readonly Action<DbManagerOptions> _configure;
    private readonly TimeProvider _time;
    private Database? _database;

    public TempDatabase(Action<DbManagerOptions>? configure = null, TimeProvider? time = null)
    {
        Folder = Directory.CreateTempSubdirectory("edgeorleans-").FullName;
        _configure = configure ?? (static _ => { });
        _time = time ?? TimeProvider.System;
    }

    public string Folder { get; }

    public string Path => System.IO.Path.Combine(Folder, DbManagerOptions.FileName);

    public Logged<Database> Log { get; } = new();

    public Database Database => _database ??= Open();

    public void Close()
    {
        _database?.Dispose();
        _database = null;
    }

    public void Dispose()
    {
        Close();
        Directory.Delete(Folder, recursive: true);
    }

    private Database Open()
    {
        var options = new DbManagerOptions { DataFolder = Folder };
        _configure(options);
        return new Database(Options.Create(options), _time, Log);
    }
}

/// <summary>Keeps what is logged.</summary>
internal sealed class Logged<T> : ILogger<T>
{
    public ConcurrentQueue<(LogLevel Level, string Text)> Lines { get; } = new();

    public IDisposable? BeginScope<TState>(TState state)
        where TState : notnull => null;

    public bool IsEnabled(LogLevel logLevel) => true;

    public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) =>
        Lines.Enqueue((logLevel, formatter(state, exception)));
}
