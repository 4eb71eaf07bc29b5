using System.Collections.Concurrent;

namespace EdgeOrleans.Cloud.CloudHub;

/// <summary>Stops grain calls at a door of the test's choice, so that what meets only by chance meets for sure.</summary>
internal sealed class CallGates : IIncomingGrainCallFilter, IOutgoingGrainCallFilter
{
    private readonly ConcurrentDictionary<string, CallGate> _gates = new(StringComparer.Ordinal);

    /// <summary>The next calls of this method, such as <c>INodeSession.AttachAsync</c>, wait before it.</summary>
    public CallGate Hold(string method) => _gates[method] = new CallGate(opened: false);

    /// <summary>The next call of this method is told and goes on.</summary>
    public CallGate Watch(string method) => _gates[method] = new CallGate(opened: true);

    public async Task Invoke(IIncomingGrainCallContext context)
    {
        if (_gates.TryGetValue(Name(context), out var gate))
        {
            await gate.PassAsync();
        }

        await context.Invoke();
    }

    public async Task Invoke(IOutgoingGrainCallContext context)
    {
        if (_gates.TryGetValue($"out {Name(context)}", out var gate))
        {
            await gate.PassAsync();
        }

        await context.Invoke();
    }

    private static string Name(IGrainCallContext context) => $"{context.InterfaceMethod?.DeclaringType?.Name}.{context.InterfaceMethod?.Name}";
}

/// <summary>A place where calls wait until it is opened.</summary>
internal sealed class CallGate
{
    private readonly TaskCompletionSource _arrived = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource _opened = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public CallGate(bool opened)
    {
        if (opened)
        {
            _opened.SetResult();
        }
    }

    /// <summary>Completes when the first call is there.</summary>
    public Task Arrived => _arrived.Task.WaitAsync(TestKit.Patience.Default);

    public void Open() => _opened.TrySetResult();

    public Task PassAsync()
    {
        _arrived.TrySetResult();
        return _opened.Task;
    }
}
