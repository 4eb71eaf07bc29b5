namespace EdgeOrleans.Edge.EventBus;

/// <summary>One after the other, for each key.</summary>
internal sealed class Turns
{
    private readonly Dictionary<string, Queue<TaskCompletionSource>?> _taken = new(StringComparer.Ordinal);

    /// <summary>Waits for the key's turn. Disposing ends it.</summary>
    public async ValueTask<Turn> EnterAsync(string key)
    {
        Task? before = null;
        lock (_taken)
        {
            if (_taken.TryGetValue(key, out var waiting))
            {
                var next = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
                (_taken[key] = waiting ?? new()).Enqueue(next);
                before = next.Task;
            }
            else
            {
                _taken[key] = null;
            }
        }

        if (before is not null)
        {
            await before;
        }

        return new Turn(this, key);
    }

    private void Leave(string key)
    {
        lock (_taken)
        {
            if (_taken[key] is { Count: > 0 } waiting)
            {
                waiting.Dequeue().SetResult();
            }
            else
            {
                _taken.Remove(key);
            }
        }
    }

    internal readonly struct Turn(Turns owner, string key) : IDisposable
    {
        public void Dispose() => owner.Leave(key);
    }
}
