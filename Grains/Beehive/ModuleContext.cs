using EdgeOrleans.Modules;
using Microsoft.Extensions.Logging;

namespace EdgeOrleans.Beehive;

/// <summary>Lets modules of this process join and leave the beehive.</summary>
internal sealed partial class ModuleContext(
    BeehiveAdapter streams, ModuleQueues modules, Responses responses, Refusals refusals, TimeProvider time, ILogger<ModuleContext> logger) : IModuleContext
{
    public ValueTask AddModuleAsync(string module, CancellationToken cancellation = default)
    {
        modules.Add(module);
        return ValueTask.CompletedTask;
    }

    public ValueTask AddModuleGroupAsync(string module, string group, CancellationToken cancellation = default)
    {
        modules.Join(module, group);
        return ValueTask.CompletedTask;
    }

    public async ValueTask<int> CleanupAsync(string module, TimeSpan drain, CancellationToken cancellation = default)
    {
        var queue = modules.Find(module) ?? throw modules.Unavailable(module);
        if (modules.Close(queue) is not { } end)
        {
            return 0;
        }

        try
        {
            await DrainAsync(queue, end, cancellation).WaitAsync(drain, time, cancellation);
        }
        catch (Exception e) when (e is TimeoutException or OperationCanceledException)
        {
            // What is left is counted below.
        }

        var left = queue.End();
        foreach (var message in left)
        {
            GiveUp(queue.Name, message);
        }

        if (left.Count > 0)
        {
            LogLeft(queue.Name, left.Count);
        }

        return left.Count;
    }

    private async Task DrainAsync(ModuleQueue queue, Message end, CancellationToken cancellation)
    {
        foreach (var stream in queue.Streams)
        {
            await streams.PublishLastAsync(stream, end, cancellation);
        }

        await queue.Drained;
    }

    private void GiveUp(string module, Message message)
    {
        refusals.Count("beehive.left");
        if (message.Header.Sync)
        {
            responses.Complete(message.Refuse("beehive", 503, $"module {module} is stopped", time.GetUtcNow().ToUnixTimeMilliseconds()));
        }
    }

    [LoggerMessage(LogLevel.Warning, "Module {Module} is stopped with {Count} messages that it did not receive")]
    private partial void LogLeft(string module, int count);
}
