namespace EdgeOrleans.Edge.EventBus;

/// <summary>How fast connections are accepted: a twentieth of a second's worth at once, then evenly.</summary>
internal sealed class AcceptPace(int rate, TimeProvider time)
{
    private const int BurstsPerSecond = 20;
    private static readonly TimeSpan Step = TimeSpan.FromMilliseconds(20);

    private readonly double _most = Math.Max(1, rate / (double)BurstsPerSecond);
    private double _left = Math.Max(1, rate / (double)BurstsPerSecond);
    private long _last = time.GetTimestamp();

    /// <summary>Waits until the next may be accepted.</summary>
    public async ValueTask NextAsync(CancellationToken cancellation)
    {
        Refill();
        while (_left < 1)
        {
            await Task.Delay(Step, time, cancellation);
            Refill();
        }

        _left--;
    }

    private void Refill()
    {
        var now = time.GetTimestamp();
        _left = Math.Min(_most, _left + (time.GetElapsedTime(_last, now).TotalSeconds * rate));
        _last = now;
    }
}
