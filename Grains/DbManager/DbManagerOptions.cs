using System.ComponentModel.DataAnnotations;
using EdgeOrleans.Settings;

namespace EdgeOrleans.DbManager;

/// <summary>Settings of the node's database. Section: <c>modules.dbManager</c>.</summary>
public sealed class DbManagerOptions
{
    /// <summary>The name of the database file inside the data folder.</summary>
    public const string FileName = "edgeorleans.db";

    /// <summary>The folder that holds the database and nothing else's files. It is made when it is not there. Default: <c>data</c>.</summary>
    [Required]
    [NotASetting]
    public string DataFolder { get; set; } = "data";

    /// <summary>How long a change may take to reach the disk; then its caller is told that it failed. It stays below Orleans' own time-out of 30 seconds. Default: 10 seconds.</summary>
    [Range(typeof(TimeSpan), "00:00:00.1", "00:00:20")]
    public TimeSpan CommitTimeout { get; set; } = TimeSpan.FromSeconds(10);

    /// <summary>How many changes may wait for the disk; who comes later waits until there is room. Default: 4,096.</summary>
    [Range(1, 1_000_000)]
    public int MaxWaiting { get; set; } = 4096;

    /// <summary>How many changes one commit takes before it goes to the disk. Default: 512.</summary>
    [Range(1, 100_000)]
    public int MaxBatch { get; set; } = 512;

    /// <summary>How many pages of 4 KiB the log may hold before they are moved into the database file. Default: 1,000.</summary>
    [Range(100, 1_000_000)]
    public int CheckpointPages { get; set; } = 1000;

    /// <summary>The whole path of the database file.</summary>
    public string Path => System.IO.Path.Combine(DataFolder, FileName);
}
