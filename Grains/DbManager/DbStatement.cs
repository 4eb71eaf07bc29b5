using System.Text;
using SQLitePCL;

namespace EdgeOrleans.DbManager;

/// <summary>A prepared statement in use. Disposing it makes it ready for its next use; the statement itself stays in the session's cache.</summary>
internal sealed class DbStatement(DbSession session, sqlite3_stmt statement, string sql) : IDisposable
{
    public DbRow Row { get; } = new(statement);

    public DbStatement Bind(int index, long value) => Check(raw.sqlite3_bind_int64(statement, index, value));

    public DbStatement Bind(int index, ReadOnlySpan<byte> value) => Check(raw.sqlite3_bind_blob(statement, index, value));

    public DbStatement BindText(int index, ReadOnlySpan<byte> utf8) => Check(raw.sqlite3_bind_text(statement, index, utf8));

    public DbStatement BindText(int index, string? text)
    {
        if (text is null)
        {
            return Check(raw.sqlite3_bind_null(statement, index));
        }

        if (text.Length > 256)
        {
            return Check(raw.sqlite3_bind_text(statement, index, Encoding.UTF8.GetBytes(text).AsSpan()));
        }

        Span<byte> utf8 = stackalloc byte[768];
        return Check(raw.sqlite3_bind_text(statement, index, utf8[..Encoding.UTF8.GetBytes(text, utf8)]));
    }

    public DbStatement Bind(int index, object? value) => value switch
    {
        null => Check(raw.sqlite3_bind_null(statement, index)),
        string text => BindText(index, text),
        long number => Bind(index, number),
        int number => Bind(index, (long)number),
        bool flag => Bind(index, flag ? 1L : 0L),
        byte[] blob => Bind(index, blob.AsSpan()),
        ReadOnlyMemory<byte> blob => Bind(index, blob.Span),
        double number => Check(raw.sqlite3_bind_double(statement, index, number)),
        _ => throw new ArgumentException($"a {value.GetType().Name} is no value of a column", nameof(value)),
    };

    /// <summary>Moves to the next row.</summary>
    public bool Step()
    {
        var code = raw.sqlite3_step(statement);
        return code switch
        {
            raw.SQLITE_ROW => true,
            raw.SQLITE_DONE => false,
            _ => throw session.Failure(code, sql),
        };
    }

    /// <summary>Runs it to its end.</summary>
    /// <returns>How many rows it changed.</returns>
    public int Run()
    {
        while (Step())
        {
        }

        return raw.sqlite3_changes(session.Handle);
    }

    public void Dispose()
    {
        _ = raw.sqlite3_reset(statement);
        _ = raw.sqlite3_clear_bindings(statement);
    }

    internal void Close() => _ = raw.sqlite3_finalize(statement);

    private DbStatement Check(int code) => code == raw.SQLITE_OK ? this : throw session.Failure(code, sql);
}
