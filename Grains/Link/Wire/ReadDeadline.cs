namespace EdgeOrleans.Link.Wire;

/// <summary>A deadline that is moved, and knows which one was missed.</summary>
internal sealed class ReadDeadline : IDisposable
{
    private readonly CancellationTokenSource _timer;
    private readonly CancellationTokenSource _either;
    private readonly CancellationTokenRegistration _link;
    private string _what = "";

    public ReadDeadline(TimeProvider time, CancellationToken abort)
    {
        _timer = new CancellationTokenSource(Timeout.InfiniteTimeSpan, time);
        _either = CancellationTokenSource.CreateLinkedTokenSource(abort);
        _link = _timer.Token.UnsafeRegister(static s => ((CancellationTokenSource)s!).Cancel(), _either);
    }

    public CancellationToken Token => _either.Token;

    public string? Missed => _timer.IsCancellationRequested ? _what : null;

    public void Set(TimeSpan? within, string what)
    {
        _what = within is { } span ? $"{what} within {span.TotalSeconds:0.###} s" : "";
        _timer.CancelAfter(within ?? Timeout.InfiniteTimeSpan);
    }

    public void Dispose()
    {
        _link.Dispose();
        _timer.Dispose();
        _either.Dispose();
    }
}
