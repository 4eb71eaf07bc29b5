namespace EdgeOrleans.Link.Wire;

/// <summary>
/// How long to wait before the next try of a link: 0.2 s to 30 s, by chance, so that nodes that lost their cloud together do not come
/// back together. (A stock edge waits 30 s without chance after every loss: weaknesses W23 of the reference.)
/// </summary>
/// <remarks>
/// The n-th wait in a row lies anywhere between <see cref="First"/> and twice that to the power of n, at most <see cref="Longest"/>.
/// A link that lived for <see cref="LongEnough"/> proves that its way works: after it the count begins anew. One that is refused
/// or falls at once, again and again, does not.
/// </remarks>
internal sealed record Backoff
{
    /// <summary>The shortest wait. Default: 0.2 seconds.</summary>
    public TimeSpan First { get; init; } = TimeSpan.FromMilliseconds(200);

    /// <summary>The longest wait. Default: 30 seconds.</summary>
    public TimeSpan Longest { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>How long a link lives that counts as a good one. Default: 30 seconds, two of a stock edge's heartbeats.</summary>
    public TimeSpan LongEnough { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>How many tries have failed in a row.</summary>
    public int Failures { get; private init; }

    /// <summary>After a try that ended: how long its link lived, zero when there was none.</summary>
    public Backoff After(TimeSpan lived) => this with { Failures = lived >= LongEnough ? 1 : Math.Min(Failures + 1, int.MaxValue - 1) };

    /// <summary>The wait before the next try; none before anything has failed.</summary>
    /// <param name="chance">0 inclusive to 1 exclusive, such as <see cref="Random.NextDouble"/>.</param>
    public TimeSpan Wait(double chance)
    {
        if (Failures == 0)
        {
            return TimeSpan.Zero;
        }

        var most = Math.Min(Longest.TotalSeconds, First.TotalSeconds * Math.Pow(2, Math.Min(Failures, 62)));
        return TimeSpan.FromSeconds(First.TotalSeconds + (Math.Max(0, most - First.TotalSeconds) * Math.Clamp(chance, 0, 1)));
    }
}
