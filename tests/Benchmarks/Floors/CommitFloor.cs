using System.Diagnostics;
using System.Globalization;
using Microsoft.Data.Sqlite;

namespace EdgeOrleans.Benchmarks.Floors;

/// <summary>The least any durable store can do: rows into one SQLite file, as safe as the node's, so many to a commit.</summary>
internal static class CommitFloor
{
    private const int Rows = 100;
    private static readonly string State = new('s', 300);

    /// <summary>Rows a second, and the median of the milliseconds of a commit.</summary>
    public static (double Rate, double P50) Measure(string folder, int rowsOfACommit, TimeSpan length)
    {
        using var connection = new SqliteConnection($"Data Source={Path.Combine(folder, $"floor-{rowsOfACommit}.db")};Pooling=False");
        connection.Open();
        Run(connection, "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; CREATE TABLE state (id TEXT PRIMARY KEY, json TEXT) WITHOUT ROWID;");
        using var upsert = connection.CreateCommand();
        upsert.CommandText = "INSERT INTO state VALUES ($id, $json) ON CONFLICT (id) DO UPDATE SET json = excluded.json";
        var id = upsert.Parameters.Add("$id", SqliteType.Text);
        var json = upsert.Parameters.Add("$json", SqliteType.Text);
        var commits = new List<double>();
        var begin = Stopwatch.GetTimestamp();
        for (var row = 0; Stopwatch.GetElapsedTime(begin) < length;)
        {
            var commit = Stopwatch.GetTimestamp();
            using var transaction = connection.BeginTransaction();
            upsert.Transaction = transaction;
            for (var end = row + rowsOfACommit; row < end; row++)
            {
                id.Value = string.Create(CultureInfo.InvariantCulture, $"default/bench-{row % Rows}");
                json.Value = State + row.ToString(CultureInfo.InvariantCulture);
                upsert.ExecuteNonQuery();
            }

            transaction.Commit();
            commits.Add(Stopwatch.GetElapsedTime(commit).TotalMilliseconds);
        }

        var rate = commits.Count * rowsOfACommit / Stopwatch.GetElapsedTime(begin).TotalSeconds;
        commits.Sort();
        return (rate, commits[commits.Count / 2]);
    }

    private static void Run(SqliteConnection connection, string sql)
    {
        using var command = connection.CreateCommand();
        command.CommandText = sql;
        command.ExecuteNonQuery();
    }
}
