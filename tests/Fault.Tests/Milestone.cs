namespace EdgeOrleans.Fault;

/// <summary>Counts what happens, and tells when there was so much more of it.</summary>
internal sealed class Milestone
{
    private readonly Lock _gate = new();
    private int _count;
    private int _awaited = int.MaxValue;
    private TaskCompletionSource _reached = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>Ends when it has happened so many more times.</summary>
    public Task ReachedAsync(int more)
    {
        lock (_gate)
        {
            _reached = new(TaskCreationOptions.RunContinuationsAsynchronously);
            _awaited = _count + more;
        }

        return _reached.Task.WaitAsync(Patience.Default);
    }

    /// <summary>It has happened once more.</summary>
    public void Count()
    {
        lock (_gate)
        {
            if (++_count >= _awaited)
            {
                _reached.TrySetResult();
            }
        }
    }
}
