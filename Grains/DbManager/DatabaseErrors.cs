namespace EdgeOrleans.DbManager;

/// <summary>A change did not reach the disk: no space, an I/O error, or no answer in time. The same change may succeed later.</summary>
[GenerateSerializer, Alias("database-failed")]
public sealed class DatabaseFailedException : Exception
{
    public DatabaseFailedException(string what)
        : base(what)
    {
    }

    public DatabaseFailedException(string what, Exception cause)
        : base(what, cause)
    {
    }
}

/// <summary>SQLite refused one statement.</summary>
public sealed class SqlException(int code, string message, string sql) : Exception($"{message} (SQLite error {code}) in: {sql}")
{
    /// <summary>SQLite's extended result code.</summary>
    public int Code { get; } = code;

    /// <summary>SQLite's own words.</summary>
    public string Reason { get; } = message;

    /// <summary>Whether the file or the disk is at fault and not the statement.</summary>
    public bool IsOfTheWorld => (Code & 0xff) is
        5 or 6 or 7 or 8 or 10 or 11 or 13 or 14 or 15 or 26; // busy, locked, no memory, read-only, I/O, corrupt, full, cannot open, protocol, not a database
}
