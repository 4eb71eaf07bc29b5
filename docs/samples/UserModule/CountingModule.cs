using EdgeOrleans.Beehive;
using EdgeOrleans.Modules;
using Microsoft.Extensions.Logging;

namespace UserModule;

/// <summary>Counts what is sent to group <c>user</c>, and answers who asks with the count.</summary>
public sealed partial class CountingModule(IMessageContext beehive, TimeProvider time, ILogger<CountingModule> logger) : IModule
{
    private long _count;
    private Task _counting = Task.CompletedTask;

    public string Name => "counting";

    public string Group => Groups.User;

    public Task StartAsync(CancellationToken cancellation)
    {
        _counting = Task.Run(CountAsync, CancellationToken.None);
        return Task.CompletedTask;
    }

    // The node drains the queue after this, and then receiving ends.
    public Task StopAsync(CancellationToken cancellation) => Task.CompletedTask;

    private async Task CountAsync()
    {
        try
        {
            while (true)
            {
                var message = await beehive.ReceiveAsync(Name);
                _count++;
                if (message.Header.Sync)
                {
                    await beehive.SendRespAsync(message.Respond(Name, Message.Text($"{_count}"), time.GetUtcNow().ToUnixTimeMilliseconds()));
                }
            }
        }
        catch (ModuleUnavailableException)
        {
            LogCounted(_count);
        }
    }

    [LoggerMessage(LogLevel.Information, "{Count} messages came for group user")]
    private partial void LogCounted(long count);
}
