using System.ComponentModel.DataAnnotations;

namespace EdgeOrleans.Beehive;

/// <summary>Settings of the beehive. Section: <c>beehive</c>.</summary>
public sealed class BeehiveOptions
{
    /// <summary>How many messages of all entities together, and as many of all modules, wait for their pump; a sender waits when there are more. Default: 4096.</summary>
    [Range(64, 65_536)]
    public int Capacity { get; set; } = 4096;

    /// <summary>How many messages of one address may wait; more are refused, and no other address notices. Default: 256.</summary>
    [Range(1, 65_536)]
    public int PerKey { get; set; } = 256;

    /// <summary>The most messages an entity gets in one call. Default: 64.</summary>
    [Range(1, 1024)]
    public int Batch { get; set; } = 64;

    /// <summary>How long the pump sits in one poll; it only bounds how often an idle node wakes. Default: 30 seconds.</summary>
    [Range(typeof(TimeSpan), "00:00:00.010", "01:00:00")]
    public TimeSpan LongPoll { get; set; } = TimeSpan.FromSeconds(30);

    /// <summary>How long each module may take to stop, and then its queue to be read. What is left is counted and logged. Default: 5 seconds.</summary>
    [Range(typeof(TimeSpan), "00:00:00", "00:01:00")]
    public TimeSpan Drain { get; set; } = TimeSpan.FromSeconds(5);
}
