using System.ComponentModel.DataAnnotations;

namespace EdgeOrleans.Settings;

/// <summary>The node's folders. Section: the root.</summary>
public sealed class DataOptions
{
    /// <summary>The folder of the database. Relative to the working directory; made when it is missing. Default: <c>./data</c>.</summary>
    [Required]
    public string Data { get; init; } = "./data";

    /// <summary>The folder of the settings' files; not to be set in one of them. Default: <c>conf</c> below the data folder.</summary>
    public string? Conf { get; init; }
}
