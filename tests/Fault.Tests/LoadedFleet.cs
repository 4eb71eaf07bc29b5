namespace EdgeOrleans.Fault;

/// <summary>Devices that report and publish at the same time, for a while, and then come to rest.</summary>
internal sealed class LoadedFleet(IReadOnlyList<LoadedDevice> devices)
{
    private Task _running = Task.CompletedTask;
    private TaskCompletionSource _enough = new();
    private int _confirmed;
    private int _awaited = int.MaxValue;

    public IReadOnlyList<LoadedDevice> Devices => devices;

    /// <summary>Lets them all begin.</summary>
    public void Begin() => _running = Task.WhenAll(devices.Select(device => device.RunAsync(Confirmed)));

    /// <summary>Ends when so many more updates were confirmed.</summary>
    public async Task ConfirmedAsync(int more)
    {
        _enough = new(TaskCreationOptions.RunContinuationsAsynchronously);
        Volatile.Write(ref _awaited, Volatile.Read(ref _confirmed) + more);
        await (await Task.WhenAny(_enough.Task, _running)).WaitAsync(Patience.Default);
    }

    /// <summary>Brings them to rest: nothing is open.</summary>
    /// <param name="lastNews">The news that each must have heard before.</param>
    public async Task FinishAsync(Func<LoadedDevice, int> lastNews)
    {
        foreach (var device in devices)
        {
            device.Finish(lastNews(device));
        }

        try
        {
            await _running.WaitAsync(Patience.Default);
        }
        catch (TimeoutException)
        {
            Assert.Fail($"they do not come to rest: {string.Join("; ", devices)}");
        }
    }

    private void Confirmed()
    {
        if (Interlocked.Increment(ref _confirmed) >= Volatile.Read(ref _awaited))
        {
            _enough.TrySetResult();
        }
    }
}
