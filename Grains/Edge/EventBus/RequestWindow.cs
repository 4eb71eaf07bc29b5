namespace EdgeOrleans.Edge.EventBus;

/// <summary>How many requests of one client are under way. One reader enters, whoever answers leaves.</summary>
internal sealed class RequestWindow(int size)
{
    private readonly Lock _gate = new();
    private int _taken;
    private TaskCompletionSource? _room;

    /// <summary>Takes a place; waits while there is none.</summary>
    public ValueTask EnterAsync(CancellationToken cancellation)
    {
        lock (_gate)
        {
            if (_taken < size)
            {
                _taken++;
                return ValueTask.CompletedTask;
            }

            _room = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            return new ValueTask(_room.Task.WaitAsync(cancellation));
        }
    }

    /// <summary>Gives a place back: to the reader that waits for it, else to the next.</summary>
    public void Leave()
    {
        lock (_gate)
        {
            if (_room is { } waiting)
            {
                _room = null;
                if (waiting.TrySetResult())
                {
                    return;
                }
            }

            _taken--;
        }
    }

    /// <summary>How many places are taken.</summary>
    public int Taken
    {
        get
        {
            lock (_gate)
            {
                return _taken;
            }
        }
    }
}
