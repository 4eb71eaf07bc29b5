using System.Globalization;
using Microsoft.Extensions.Logging;
using SQLitePCL;

namespace EdgeOrleans.DbManager;

/// <summary>The file on the disk: opens it, brings it to this version, and sets it aside when it is none of SQLite's.</summary>
/// <remarks>What is checked at the start does not grow with the number of rows. A file in which SQLite met damage is checked whole at the next start.</remarks>
internal sealed partial class DatabaseFile(DbManagerOptions options, TimeProvider time, ILogger logger)
{
    private string Path => options.Path;

    private string SuspectMark => Path + ".suspect";

    /// <summary>Opens the writer's connection.</summary>
    /// <exception cref="StartRefusedException">The file is of a newer version, or the folder is not for us.</exception>
    public DbSession OpenWriter()
    {
        MakeFolder();
        try
        {
            return OpenChecked();
        }
        catch (SqlException e) when ((e.Code & 0xff) is raw.SQLITE_NOTADB or raw.SQLITE_CORRUPT)
        {
            LogSetAside(e, Path, SetAside());
            return OpenChecked();
        }
        catch (SqlException e)
        {
            throw new StartRefusedException($"{Path} cannot be opened: {e.Reason}");
        }
    }

    /// <summary>Opens the writer's connection once more, while others are open: the file stays where it is.</summary>
    public DbSession Reopen() => OpenChecked();

    /// <summary>Opens a connection that reads.</summary>
    public DbSession OpenReader()
    {
        var db = OpenBare();
        db.RunScript("PRAGMA busy_timeout=5000; PRAGMA query_only=1;");
        return db;
    }

    /// <summary>SQLite met damage while it ran: the next start looks at the whole file.</summary>
    public void Suspect()
    {
        try
        {
            File.WriteAllText(SuspectMark, "");
        }
        catch (IOException)
        {
            // Without the mark the next start meets the damage where it is, as this one did.
        }
    }

    private void MakeFolder()
    {
        try
        {
            Directory.CreateDirectory(options.DataFolder);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new StartRefusedException($"the data folder {options.DataFolder} cannot be made: {e.Message}");
        }
    }

    private DbSession OpenChecked()
    {
        var db = OpenBare();
        try
        {
            db.RunScript(string.Create(CultureInfo.InvariantCulture, $"""
                PRAGMA busy_timeout=5000;
                PRAGMA journal_mode=WAL;
                PRAGMA synchronous=FULL;
                PRAGMA wal_autocheckpoint={options.CheckpointPages};
                PRAGMA temp_store=MEMORY;
                """));
            Check(db);
            SchemaScripts.Apply(db, SchemaScripts.All, Path);
            return db;
        }
        catch
        {
            db.Dispose();
            throw;
        }
    }

    internal DbSession OpenBare()
    {
        Batteries_V2.Init();
        var code = raw.sqlite3_open_v2(Path, out var handle, raw.SQLITE_OPEN_READWRITE | raw.SQLITE_OPEN_CREATE | raw.SQLITE_OPEN_NOMUTEX, null);
        var db = new DbSession(handle);
        if (code == raw.SQLITE_OK)
        {
            return db;
        }

        var failure = db.Failure(code, "open");
        db.Dispose();
        throw failure;
    }

    // The header, the schema, the length and the first page of each table; the rest is met row by row.
    private void Check(DbSession db)
    {
        foreach (var table in db.Query("SELECT name FROM sqlite_schema WHERE type='table'", static row => row.GetString(0)))
        {
            db.Query($"SELECT 1 FROM \"{table}\" LIMIT 1", static _ => 0);
        }

        var size = db.Query("PRAGMA page_count", static row => row.GetInt64(0))[0] * db.Query("PRAGMA page_size", static row => row.GetInt64(0))[0];
        var wal = new FileInfo(Path + "-wal");
        if ((!wal.Exists || wal.Length == 0) && new FileInfo(Path).Length < size)
        {
            throw new SqlException(raw.SQLITE_CORRUPT, "the file is shorter than it says", "check");
        }

        if (File.Exists(SuspectMark))
        {
            CheckWhole(db);
            File.Delete(SuspectMark);
        }
    }

    private static void CheckWhole(DbSession db)
    {
        var verdict = db.Query("PRAGMA quick_check(1)", static row => row.GetString(0))[0];
        if (verdict != "ok")
        {
            throw new SqlException(raw.SQLITE_CORRUPT, verdict, "PRAGMA quick_check");
        }
    }

    private string SetAside()
    {
        var aside = string.Create(CultureInfo.InvariantCulture, $"{Path}.damaged-{time.GetUtcNow():yyyyMMddTHHmmssfffZ}");
        foreach (var suffix in (ReadOnlySpan<string>)["", "-wal", "-shm"])
        {
            if (File.Exists(Path + suffix))
            {
                File.Move(Path + suffix, aside + suffix);
            }
        }

        File.Delete(SuspectMark);
        return aside;
    }

    [LoggerMessage(LogLevel.Error, "DATABASE DAMAGED: {Path} cannot be read and was set aside as {Aside}; the node starts with an empty one. What it held is not on this node any more")]
    private partial void LogSetAside(Exception exception, string path, string aside);
}
