namespace EdgeOrleans.TestKit;

/// <summary>One direction of a wire: bytes with the moment at which they arrive.</summary>
internal sealed class WireDirection(TimeProvider time, int window)
{
    private readonly Lock _gate = new();
    private readonly Queue<Packet> _underWay = new();
    private TaskCompletionSource _changed = NewSignal();
    private DateTimeOffset _lineIsFree;
    private int _offset;
    private int _bytes;
    private long _written;
    private bool _isHeld;
    private bool _hasEnded;
    private bool _isUnread;
    private bool _isReaderWaiting;

    public TimeSpan Delay { get; set; }

    public int? BytesPerSecond { get; set; }

    public bool IsCut { get; private set; }

    public long Written => Interlocked.Read(ref _written);

    public bool IsHeld
    {
        get => _isHeld;
        set => Change(() => _isHeld = value);
    }

    public void Cut() => Change(() => (IsCut, _bytes) = (true, 0));

    // The writer has gone: after the last byte the reader reads the end.
    public void End() => Change(() => _hasEnded = true);

    // The reader has gone: who still writes fails.
    public void Abandon() => Change(() => _isUnread = true);

    public Task WrittenAsync(long count, CancellationToken cancellation) => UntilAsync(() => Written >= count, cancellation);

    public Task WaitsForMoreAsync(CancellationToken cancellation) => UntilAsync(() => _isReaderWaiting && _underWay.Count == 0, cancellation);

    public async ValueTask WriteAsync(ReadOnlyMemory<byte> bytes, CancellationToken cancellation)
    {
        while (bytes.Length > 0)
        {
            Task changed;
            lock (_gate)
            {
                ThrowIfBroken();
                var taken = Math.Min(window - _bytes, bytes.Length);
                if (taken > 0)
                {
                    Put(bytes[..taken]);
                    bytes = bytes[taken..];
                    continue;
                }

                changed = _changed.Task;
            }

            await changed.WaitAsync(cancellation);
        }
    }

    public async ValueTask<int> ReadAsync(Memory<byte> into, CancellationToken cancellation)
    {
        while (true)
        {
            Task changed;
            var wait = Timeout.InfiniteTimeSpan;
            lock (_gate)
            {
                if (IsCut || _isUnread)
                {
                    throw new IOException(IsCut ? "the wire was cut" : "this end was disposed");
                }

                if (_underWay.TryPeek(out var packet))
                {
                    wait = packet.Arrives - time.GetUtcNow();
                    if (!_isHeld && wait <= TimeSpan.Zero)
                    {
                        _isReaderWaiting = false;
                        return into.Length == 0 ? 0 : Take(into);
                    }
                }
                else if (_hasEnded && !_isHeld)
                {
                    return 0;
                }

                if (!_isReaderWaiting)
                {
                    _isReaderWaiting = true;
                    Signal();
                }

                changed = _changed.Task;
            }

            await WaitAsync(changed, wait, cancellation);
        }
    }

    private async Task UntilAsync(Func<bool> condition, CancellationToken cancellation)
    {
        while (true)
        {
            Task changed;
            lock (_gate)
            {
                if (condition())
                {
                    return;
                }

                changed = _changed.Task;
            }

            await changed.WaitAsync(cancellation);
        }
    }

    private async Task WaitAsync(Task changed, TimeSpan wait, CancellationToken cancellation)
    {
        if (wait <= TimeSpan.Zero)
        {
            await changed.WaitAsync(cancellation);
            return;
        }

        using var over = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        await Task.WhenAny(changed, Task.Delay(wait, time, over.Token));
        await over.CancelAsync();
        cancellation.ThrowIfCancellationRequested();
    }

    private void Put(ReadOnlyMemory<byte> bytes)
    {
        var now = time.GetUtcNow();
        _lineIsFree = (_lineIsFree > now ? _lineIsFree : now) + (BytesPerSecond is { } rate ? TimeSpan.FromSeconds((double)bytes.Length / rate) : TimeSpan.Zero);
        _underWay.Enqueue(new Packet(bytes.ToArray(), _lineIsFree + Delay));
        _bytes += bytes.Length;
        Interlocked.Add(ref _written, bytes.Length);
        Signal();
    }

    private int Take(Memory<byte> into)
    {
        var packet = _underWay.Peek().Bytes;
        var count = Math.Min(packet.Length - _offset, into.Length);
        packet.AsMemory(_offset, count).CopyTo(into);
        _bytes -= count;
        _offset += count;
        if (_offset == packet.Length)
        {
            _underWay.Dequeue();
            _offset = 0;
        }

        Signal();
        return count;
    }

    private void ThrowIfBroken()
    {
        if (IsCut || _isUnread)
        {
            throw new IOException(IsCut ? "the wire was cut" : "the other end has gone");
        }

        ObjectDisposedException.ThrowIf(_hasEnded, this);
    }

    private void Change(Action change)
    {
        lock (_gate)
        {
            change();
            Signal();
        }
    }

    private void Signal()
    {
        var before = _changed;
        _changed = NewSignal();
        before.TrySetResult();
    }

    private static TaskCompletionSource NewSignal() => new(TaskCreationOptions.RunContinuationsAsynchronously);

    private readonly record struct Packet(byte[] Bytes, DateTimeOffset Arrives);
}
