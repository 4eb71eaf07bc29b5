namespace EdgeOrleans.TestKit;

/// <summary>Things that arrive one after the other. A test looks at them, or waits for one; what is already there counts.</summary>
public sealed class Arrivals<T>
{
    private readonly Lock _gate = new();
    private readonly List<T> _all = [];
    private TaskCompletionSource _news = NewNews();
    private bool _ended;

    /// <summary>All so far, in their order.</summary>
    public IReadOnlyList<T> All
    {
        get
        {
            lock (_gate)
            {
                return [.. _all];
            }
        }
    }

    /// <summary>How many there are so far.</summary>
    public int Count
    {
        get
        {
            lock (_gate)
            {
                return _all.Count;
            }
        }
    }

    /// <summary>Waits for the first one that is wanted.</summary>
    /// <param name="wanted">Which.</param>
    /// <param name="what">What it is, for the message of the exception.</param>
    /// <param name="within">How long. Default: <see cref="Patience.Default"/>.</param>
    /// <param name="after">How many of the first ones do not count.</param>
    /// <exception cref="TimeoutException">It did not come.</exception>
    /// <exception cref="EndOfStreamException">Nothing comes any more.</exception>
    public async Task<T> FirstAsync(Func<T, bool> wanted, string what, TimeSpan? within = null, int after = 0)
    {
        using var patience = new CancellationTokenSource(within ?? Patience.Default);
        for (var next = after; ; next++)
        {
            if (await AtAsync(next, what, patience.Token) is var arrived && wanted(arrived))
            {
                return arrived;
            }
        }
    }

    /// <summary>Waits until there are that many.</summary>
    public async Task<IReadOnlyList<T>> ManyAsync(int count, string what, TimeSpan? within = null)
    {
        using var patience = new CancellationTokenSource(within ?? Patience.Default);
        await AtAsync(count - 1, $"{count} × {what}", patience.Token);
        return All;
    }

    /// <summary>One more has arrived.</summary>
    public void Add(T arrived) => Change(() => _all.Add(arrived));

    /// <summary>Nothing more comes.</summary>
    public void End() => Change(() => _ended = true);

    private void Change(Action change)
    {
        TaskCompletionSource news;
        lock (_gate)
        {
            change();
            news = _news;
            _news = NewNews();
        }

        news.SetResult();
    }

    private async Task<T> AtAsync(int index, string what, CancellationToken patience)
    {
        while (true)
        {
            Task news;
            lock (_gate)
            {
                if (index < _all.Count)
                {
                    return _all[index];
                }

                if (_ended)
                {
                    throw new EndOfStreamException($"it ended without {what}; there was:\n{Newest()}");
                }

                news = _news.Task;
            }

            try
            {
                await news.WaitAsync(patience);
            }
            catch (OperationCanceledException)
            {
                throw new TimeoutException($"there was no {what}; there was:\n{Newest()}");
            }
        }
    }

    private string Newest()
    {
        const int Shown = 100;
        var all = All;
        return string.Join('\n', all.Skip(all.Count - Shown)) is { Length: > 0 } text ? text : "(nothing)";
    }

    private static TaskCompletionSource NewNews() => new(TaskCreationOptions.RunContinuationsAsynchronously);
}
