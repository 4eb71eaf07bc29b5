using SQLitePCL;

namespace EdgeOrleans.DbManager;

/// <summary>The current row of a query. Valid until the next row.</summary>
public readonly struct DbRow
{
    private readonly sqlite3_stmt _statement;

    internal DbRow(sqlite3_stmt statement) => _statement = statement;

    public bool IsNull(int column) => raw.sqlite3_column_type(_statement, column) == raw.SQLITE_NULL;

    public long GetInt64(int column) => raw.sqlite3_column_int64(_statement, column);

    public string GetString(int column) => raw.sqlite3_column_text(_statement, column).utf8_to_string() ?? "";

    public string? GetStringOrNull(int column) => IsNull(column) ? null : GetString(column);

    /// <summary>A copy of a blob.</summary>
    public byte[] GetBytes(int column) => raw.sqlite3_column_blob(_statement, column).ToArray();

    /// <summary>A blob in SQLite's own memory.</summary>
    public ReadOnlySpan<byte> GetSpan(int column) => raw.sqlite3_column_blob(_statement, column);
}
