using Microsoft.Data.Sqlite;

namespace EdgeOrleans.TestKit;

/// <summary>What Microsoft.Orleans.Persistence.AdoNet needs to work on SQLite: its package holds no scripts.</summary>
public static class AdoNetSqlite
{
    /// <summary>The only spelling under which the provider knows SQLite.</summary>
    public const string Invariant = "System.Data.SQLite";

    private const string Row = """
        GrainIdHash=@GrainIdHash AND GrainTypeHash=@GrainTypeHash AND GrainIdN0=@GrainIdN0 AND GrainIdN1=@GrainIdN1
        AND GrainTypeString=@GrainTypeString AND GrainIdExtensionString=coalesce(@GrainIdExtensionString, '') AND ServiceId=@ServiceId
        """;

    private const string Conflict = "SELECT @GrainStateVersion AS NewGrainStateVersion WHERE changes()=0 AND @GrainStateVersion IS NOT NULL;";

    private const string Tables = """
        PRAGMA journal_mode=WAL;
        CREATE TABLE OrleansQuery (QueryKey TEXT PRIMARY KEY, QueryText TEXT NOT NULL);
        CREATE TABLE OrleansStorage (
            GrainIdHash INT NOT NULL, GrainTypeHash INT NOT NULL, GrainIdN0 BIGINT NOT NULL, GrainIdN1 BIGINT NOT NULL,
            GrainTypeString TEXT NOT NULL, GrainIdExtensionString TEXT NOT NULL, ServiceId TEXT NOT NULL,
            PayloadBinary BLOB, Version INT NOT NULL,
            PRIMARY KEY (GrainIdHash, GrainTypeHash, GrainIdN0, GrainIdN1, GrainTypeString, GrainIdExtensionString, ServiceId)
        );
        """;

    private const string Read = $"SELECT PayloadBinary, Version FROM OrleansStorage WHERE {Row}";

    private const string Write = $"""
        INSERT INTO OrleansStorage(GrainIdHash, GrainTypeHash, GrainIdN0, GrainIdN1, GrainTypeString, GrainIdExtensionString, ServiceId, PayloadBinary, Version)
        SELECT @GrainIdHash, @GrainTypeHash, @GrainIdN0, @GrainIdN1, @GrainTypeString, coalesce(@GrainIdExtensionString, ''), @ServiceId, @PayloadBinary, 1
        WHERE @GrainStateVersion IS NULL ON CONFLICT DO NOTHING RETURNING Version AS NewGrainStateVersion;
        UPDATE OrleansStorage SET PayloadBinary=@PayloadBinary, Version=Version+1
        WHERE {Row} AND Version=@GrainStateVersion RETURNING Version AS NewGrainStateVersion;
        {Conflict}
        """;

    private const string Clear = $"""
        UPDATE OrleansStorage SET PayloadBinary=NULL, Version=Version+1
        WHERE {Row} AND Version=@GrainStateVersion RETURNING Version AS NewGrainStateVersion;
        {Conflict}
        """;

    /// <summary>Makes the tables in a new file.</summary>
    /// <returns>The connection string. Commits are as durable as the node's own: <c>synchronous=FULL</c> is SQLite's default.</returns>
    public static string Create(string path)
    {
        var connectionString = $"Data Source={path};Default Timeout=30";
        using var connection = new SqliteConnection(connectionString);
        connection.Open();
        using var command = connection.CreateCommand();
        command.CommandText = Tables + "INSERT INTO OrleansQuery VALUES('ReadFromStorageKey', $read), ('WriteToStorageKey', $write), ('ClearStorageKey', $clear)";
        command.Parameters.AddWithValue("$read", Read);
        command.Parameters.AddWithValue("$write", Write);
        command.Parameters.AddWithValue("$clear", Clear);
        command.ExecuteNonQuery();
        return connectionString;
    }
}
