namespace EdgeOrleans.Cloud.CloudHub;

/// <summary>How much and how fast goes down a link.</summary>
/// <remarks>
/// A stock edge holds a hundred messages and drops the oldest beyond (kubeedge-cloudlink 4.8), and it handles those that it holds in any order. So there are never
/// more than <see cref="Window"/> messages without an answer, and never two about one device or object.
/// </remarks>
internal sealed record DeliveryPace
{
    /// <summary>How many messages may be without an answer. Default: 32.</summary>
    public int Window { get; init; } = 32;

    /// <summary>How many devices go into one membership. Default: 50.</summary>
    public int DevicesInMessage { get; init; } = 50;

    /// <summary>How large the devices of one membership may be together; a single one may always. Default: 64 KiB.</summary>
    public int BytesInMessage { get; init; } = 64 * 1024;

    /// <summary>How large the list of all devices may be with their twins; above it the twins follow in memberships. Default: 1 MiB.</summary>
    public int BytesInList { get; init; } = 1024 * 1024;

    /// <summary>How long the node may stay silent about the question for its devices before what waits goes down without it. Default: 2 seconds.</summary>
    public TimeSpan Question { get; init; } = TimeSpan.FromSeconds(2);

    /// <summary>How often the list of all devices is sent at the most. Default: 2 seconds.</summary>
    public TimeSpan BetweenLists { get; init; } = TimeSpan.FromSeconds(2);

    /// <summary>How long an answer may take before the message goes again. cloudcore: 5 seconds.</summary>
    public TimeSpan Answer { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>How long the answer to the list of all devices may take. Default: 30 seconds.</summary>
    public TimeSpan ListAnswer { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>How long after a desired value the edge is asked whether it has it, when it did not say so. Default: 1.5 seconds.</summary>
    public TimeSpan Probe { get; init; } = TimeSpan.FromSeconds(1.5);

    /// <summary>The longest pause between two tries. Default: 30 seconds.</summary>
    public TimeSpan Longest { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>How often a node may answer an object with an error before the object is refused. Default: 10.</summary>
    public int Tries { get; init; } = 10;

    /// <summary>How many devices and objects are kept in mind at once; the others wait in the outbox. Default: 4,096.</summary>
    public int InMind { get; init; } = 4_096;

    /// <summary>The pause before a try: it doubles from the first.</summary>
    public TimeSpan Pause(TimeSpan first, int tries) => TimeSpan.FromTicks((long)Math.Min(Longest.Ticks, first.Ticks * Math.Pow(2, Math.Min(tries, 20))));
}
