using Microsoft.Data.Sqlite;

namespace EdgeOrleans.TestKit;

/// <summary>What waits in the outbox of a node that does not run.</summary>
public static class OutboxFile
{
    /// <summary>The uploads, in their order.</summary>
    /// <param name="data">The node's data folder.</param>
    public static IReadOnlyList<(string Topic, string Text)> Uploads(string data)
    {
        using var connection = new SqliteConnection($"Data Source={Directory.GetFiles(data, "*.db").Single()};Pooling=False");
        connection.Open();
        using var command = connection.CreateCommand();
        command.CommandText = "SELECT resource, CAST(content AS TEXT) FROM outbox WHERE operation='upload' ORDER BY seq";
        using var rows = command.ExecuteReader();
        var uploads = new List<(string, string)>();
        while (rows.Read())
        {
            uploads.Add((rows.GetString(0), rows.GetString(1)));
        }

        return uploads;
    }
}
