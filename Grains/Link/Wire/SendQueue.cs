using System.Threading.Channels;

namespace EdgeOrleans.Link.Wire;

/// <summary>Frames that wait for the one writer of a link: bounded in number and bytes, in the order in which they came.</summary>
/// <remarks>A frame that is being written counts until it has left. One frame alone always has room, however large.</remarks>
internal sealed class SendQueue(int length, long bytes)
{
    private readonly Channel<ReadOnlyMemory<byte>> _frames = Channel.CreateUnbounded<ReadOnlyMemory<byte>>(new() { SingleReader = true });
    private readonly Queue<Waiter> _waiters = new();
    private readonly Lock _gate = new();
    private int _count;
    private long _bytes;
    private bool _hasEnded;

    /// <summary>How many frames have not left.</summary>
    public int Count => Volatile.Read(ref _count);

    /// <summary>Puts a frame in, unless there is no room now or the queue has ended.</summary>
    public bool TryAdd(ReadOnlyMemory<byte> frame)
    {
        lock (_gate)
        {
            return !_hasEnded && _waiters.Count == 0 && TryPut(frame);
        }
    }

    /// <summary>Puts a frame in, and waits for room behind those who wait already.</summary>
    /// <returns>Whether it is in: false after the end.</returns>
    public ValueTask<bool> AddAsync(ReadOnlyMemory<byte> frame, CancellationToken cancellation)
    {
        Waiter waiter;
        lock (_gate)
        {
            if (_hasEnded)
            {
                return ValueTask.FromResult(false);
            }

            if (_waiters.Count == 0 && TryPut(frame))
            {
                return ValueTask.FromResult(true);
            }

            waiter = new Waiter(frame);
            _waiters.Enqueue(waiter);
        }

        return WaitAsync(waiter, cancellation);
    }

    /// <summary>The next frame; null after the end.</summary>
    public async ValueTask<ReadOnlyMemory<byte>?> NextAsync(CancellationToken cancellation)
    {
        if (await _frames.Reader.WaitToReadAsync(cancellation) && _frames.Reader.TryRead(out var frame))
        {
            return frame;
        }

        return null;
    }

    /// <summary>A frame has left: its room is free.</summary>
    public void Left(ReadOnlyMemory<byte> frame)
    {
        lock (_gate)
        {
            _count--;
            _bytes -= frame.Length;
            while (_waiters.TryPeek(out var waiter) && (waiter.Task.IsCompleted || HasRoom(waiter.Frame)))
            {
                _waiters.Dequeue();
                if (waiter.TrySetResult(true))
                {
                    TryPut(waiter.Frame);
                }
            }
        }
    }

    /// <summary>Takes nothing more. What is in can still be had.</summary>
    public void Complete()
    {
        lock (_gate)
        {
            _hasEnded = true;
            _frames.Writer.TryComplete();
            while (_waiters.TryDequeue(out var waiter))
            {
                waiter.TrySetResult(false);
            }
        }
    }

    private static async ValueTask<bool> WaitAsync(Waiter waiter, CancellationToken cancellation)
    {
        await using var registration = cancellation.UnsafeRegister(static (state, token) => ((Waiter)state!).TrySetCanceled(token), waiter);
        return await waiter.Task;
    }

    private bool HasRoom(ReadOnlyMemory<byte> frame) => _count == 0 || (_count < length && _bytes + frame.Length <= bytes);

    private bool TryPut(ReadOnlyMemory<byte> frame)
    {
        if (!HasRoom(frame))
        {
            return false;
        }

        _count++;
        _bytes += frame.Length;
        return _frames.Writer.TryWrite(frame);
    }

    private sealed class Waiter(ReadOnlyMemory<byte> frame) : TaskCompletionSource<bool>(TaskCreationOptions.RunContinuationsAsynchronously)
    {
        public ReadOnlyMemory<byte> Frame => frame;
    }
}
