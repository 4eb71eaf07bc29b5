using System.Collections.Concurrent;

namespace EdgeOrleans.Beehive;

/// <summary>Who waits for an answer. Called on the thread of whoever answers: short, without waiting, without exceptions.</summary>
public interface IResponseHandler
{
    /// <summary>The answer is there. It is called at most once a message, and never after <see cref="OnTimeout"/>.</summary>
    void OnResponse(Message response);

    /// <summary>No answer came in time.</summary>
    void OnTimeout(string messageId);
}

/// <summary>The waiters of this process by the id of their question. A waiter is there before its question leaves, so no answer comes too early.</summary>
public sealed class Responses(TimeProvider time) : IDisposable
{
    private static readonly TimeSpan SweepPeriod = TimeSpan.FromSeconds(1);
    private readonly ConcurrentDictionary<string, Waiter> _open = new(StringComparer.Ordinal);
    private readonly Lock _starting = new();
    private ITimer? _sweep;

    /// <summary>How many questions are open.</summary>
    public int Open => _open.Count;

    /// <summary>Registers a waiter, before its question is sent.</summary>
    /// <param name="messageId">The question's id.</param>
    /// <param name="handler">Who waits.</param>
    /// <param name="timeout">How long; it is checked once a second.</param>
    public void Expect(string messageId, IResponseHandler handler, TimeSpan timeout)
    {
        if (!_open.TryAdd(messageId, new Waiter(handler, time.GetTimestamp(), timeout)))
        {
            throw new InvalidOperationException($"message {messageId} is waited for already; every question needs an id of its own");
        }

        if (_sweep is null)
        {
            lock (_starting)
            {
                _sweep ??= time.CreateTimer(static self => ((Responses)self!).Sweep(), this, SweepPeriod, SweepPeriod);
            }
        }
    }

    /// <summary>Takes a waiter away again: its question never left, or nobody wants the answer any more.</summary>
    public bool Forget(string messageId) => _open.TryRemove(messageId, out _);

    /// <summary>Gives an answer to who waits for it.</summary>
    /// <returns>Whether somebody waited.</returns>
    public bool Complete(Message response)
    {
        if (response.Header.ParentId is not { } parent || !_open.TryRemove(parent, out var waiter))
        {
            return false;
        }

        waiter.Handler.OnResponse(response);
        return true;
    }

    public void Dispose() => _sweep?.Dispose();

    private void Sweep()
    {
        foreach (var (id, waiter) in _open)
        {
            if (time.GetElapsedTime(waiter.Since) >= waiter.Timeout && _open.TryRemove(id, out _))
            {
                waiter.Handler.OnTimeout(id);
            }
        }
    }

    private readonly record struct Waiter(IResponseHandler Handler, long Since, TimeSpan Timeout);
}
