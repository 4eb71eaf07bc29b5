using SQLitePCL;

namespace EdgeOrleans.DbManager;

/// <summary>A connection as an operation sees it. Statements are prepared once a text; parameters are <c>?1</c>, <c>?2</c> … in order.</summary>
public sealed class DbSession : IDisposable
{
    private const int PersistentStatement = 1;
    private readonly Dictionary<string, DbStatement> _statements = new(StringComparer.Ordinal);

    internal DbSession(sqlite3 handle) => Handle = handle;

    internal sqlite3 Handle { get; }

    /// <summary>Whether a transaction is open. SQLite ends one by itself after some errors.</summary>
    internal bool InTransaction => raw.sqlite3_get_autocommit(Handle) == 0;

    /// <summary>Rises with every row that is changed, and with what a participant keeps in memory until the commit.</summary>
    internal long Changes => raw.sqlite3_total_changes(Handle) + _marks;

    private long _marks;

    /// <summary>Runs a statement that returns nothing.</summary>
    /// <returns>How many rows it changed.</returns>
    public int Execute(string sql, params ReadOnlySpan<object?> args)
    {
        using var statement = Bound(sql, args);
        return statement.Run();
    }

    /// <summary>Runs a query. The mapper must not run the same statement again.</summary>
    public List<T> Query<T>(string sql, Func<DbRow, T> map, params ReadOnlySpan<object?> args)
    {
        using var statement = Bound(sql, args);
        var rows = new List<T>();
        while (statement.Step())
        {
            rows.Add(map(statement.Row));
        }

        return rows;
    }

    /// <summary>The key of the row that was inserted last.</summary>
    public long LastRowId => raw.sqlite3_last_insert_rowid(Handle);

    /// <summary>A statement out of the cache. Dispose it after use.</summary>
    internal DbStatement Prepare(string sql)
    {
        if (_statements.TryGetValue(sql, out var statement))
        {
            return statement;
        }

        var code = raw.sqlite3_prepare_v3(Handle, sql, PersistentStatement, out var handle);
        if (code != raw.SQLITE_OK)
        {
            throw Failure(code, sql);
        }

        return _statements[sql] = new DbStatement(this, handle, sql);
    }

    /// <summary>Runs a script of several statements, none of them prepared for later.</summary>
    internal void RunScript(string sql)
    {
        var code = raw.sqlite3_exec(Handle, sql);
        if (code != raw.SQLITE_OK)
        {
            throw Failure(code, sql);
        }
    }

    /// <summary>Notes that the running operation changed something that is in memory until the commit.</summary>
    internal void MarkChanged() => _marks++;

    internal SqlException Failure(int code, string sql) =>
        new(raw.sqlite3_extended_errcode(Handle) is var extended and not 0 ? extended : code, raw.sqlite3_errmsg(Handle).utf8_to_string(), sql);

    public void Dispose()
    {
        foreach (var statement in _statements.Values)
        {
            statement.Close();
        }

        _statements.Clear();
        _ = raw.sqlite3_close_v2(Handle);
    }

    private DbStatement Bound(string sql, ReadOnlySpan<object?> args)
    {
        var statement = Prepare(sql);
        for (var i = 0; i < args.Length; i++)
        {
            statement.Bind(i + 1, args[i]);
        }

        return statement;
    }
}
