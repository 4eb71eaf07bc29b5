using EdgeOrleans.Beehive;
using Microsoft.Extensions.Logging;

namespace EdgeOrleans.Modules;

/// <summary>A module that handles its messages one after the other, from its start until its queue is drained.</summary>
public abstract partial class ReceivingModule(IMessageContext beehive, TimeProvider time, ILogger logger) : IModule, IDisposable
{
    private readonly CancellationTokenSource _abandoned = new();

    /// <inheritdoc/>
    public abstract string Name { get; }

    /// <inheritdoc/>
    public abstract string Group { get; }

    /// <summary>Ends when the last message has been handled, after the queue was cleaned up.</summary>
    public Task Completion { get; private set; } = Task.CompletedTask;

    /// <summary>How it answers and tells.</summary>
    protected IMessageContext Beehive => beehive;

    /// <inheritdoc/>
    public virtual Task StartAsync(CancellationToken cancellation)
    {
        Completion = Task.Run(ReceiveAsync, CancellationToken.None);
        return Task.CompletedTask;
    }

    /// <summary>Ends the module's own work. Messages are still received: the host drains the queue after this.</summary>
    public virtual Task StopAsync(CancellationToken cancellation) => Task.CompletedTask;

    /// <summary>Gives up what is still being handled.</summary>
    public void Dispose()
    {
        Dispose(true);
        GC.SuppressFinalize(this);
    }

    /// <summary>Gives up what is still being handled.</summary>
    protected virtual void Dispose(bool disposing)
    {
        if (disposing)
        {
            _abandoned.Cancel();
        }
    }

    /// <summary>Handles one message. An exception is logged, and answered when the sender waits.</summary>
    protected abstract Task HandleAsync(Message message, CancellationToken cancellation);

    private async Task ReceiveAsync()
    {
        while (true)
        {
            Message message;
            try
            {
                message = await beehive.ReceiveAsync(Name, _abandoned.Token);
            }
            catch (Exception e) when (e is ModuleUnavailableException or OperationCanceledException)
            {
                return;
            }

            await HandleOneAsync(message);
        }
    }

    private async Task HandleOneAsync(Message message)
    {
        try
        {
            await HandleAsync(message, _abandoned.Token);
        }
        catch (Exception e)
        {
            LogFailed(e, Name, message.Route.Operation, message.Route.Resource, message.Route.Source);
            if (message.Header.Sync)
            {
                var (code, reason) = e is RefusedException refused ? (refused.Code, refused.Message) : (500, $"module {Name} failed: {e.Message}");
                await beehive.SendRespAsync(message.Refuse(Name, code, reason, time.GetUtcNow().ToUnixTimeMilliseconds()));
            }
        }
    }

    [LoggerMessage(LogLevel.Error, "Module {Module} failed on {Operation} of {Resource} from {Source}")]
    private partial void LogFailed(Exception exception, string module, string operation, string resource, string source);
}
