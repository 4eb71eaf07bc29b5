using System.Globalization;
using EdgeOrleans.Beehive;
using EdgeOrleans.Modules;

namespace NewsModule;

/// <summary>
/// Publishes numbers to the topics of devices, as a user's module or the cloud does, several at once, and writes down which of them the
/// bus has confirmed. A number is published once: after a kill it goes on far above all that may have been published.
/// </summary>
/// <remarks><c>NEWS_LEDGER</c> is the file of what was confirmed; once there is a file of that name with <c>.end</c>, nothing more is published. <c>NEWS_TOPICS</c> are the topics, separated by commas.</remarks>
public sealed class NewsModule(IMessageContext beehive, TimeProvider time) : IModule, IDisposable
{
    private const int AtOnce = 8;
    private const int Leap = 1_000;

    // A rate, not a wait: it leaves mosquitto, which writes all it has to disk at every change, the time for it.
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(200);

    private readonly CancellationTokenSource _stopping = new();
    private readonly string _ledger = Environment.GetEnvironmentVariable("NEWS_LEDGER") ?? throw new InvalidOperationException("NEWS_LEDGER is not set");
    private readonly string[] _topics = (Environment.GetEnvironmentVariable("NEWS_TOPICS") ?? "").Split(',', StringSplitOptions.RemoveEmptyEntries);
    private Task _telling = Task.CompletedTask;

    public string Name => "news";

    public string Group => "";

    public Task StartAsync(CancellationToken cancellation)
    {
        _telling = Task.Run(TellAsync, CancellationToken.None);
        return Task.CompletedTask;
    }

    public async Task StopAsync(CancellationToken cancellation)
    {
        await _stopping.CancelAsync();
        await _telling.WaitAsync(cancellation);
    }

    public void Dispose() => _stopping.Dispose();

    private async Task TellAsync()
    {
        var number = File.Exists(_ledger) && File.ReadLines(_ledger).LastOrDefault() is { Length: > 0 } last
            ? int.Parse(last.Split(' ')[0], CultureInfo.InvariantCulture) + Leap
            : 0;
        await using var ledger = new StreamWriter(_ledger, append: true) { AutoFlush = true };
        while (!_stopping.IsCancellationRequested && !File.Exists(_ledger + ".end"))
        {
            var under = Enumerable.Range(0, AtOnce).Select(_ => TellAsync(++number)).ToList();
            foreach (var told in under)
            {
                if (await told is { } confirmed)
                {
                    await ledger.WriteLineAsync(confirmed);
                }
            }

            await Task.Delay(Pause, time, _stopping.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }

        await ledger.WriteLineAsync(File.Exists(_ledger + ".end") ? $"{number} end" : $"{number} stopped");
    }

    private async Task<string?> TellAsync(int number)
    {
        var topic = _topics[number % _topics.Length];
        try
        {
            await beehive.SendSyncAsync(
                Address.Module(ModuleNames.EventBus),
                Message.Create("news", Groups.User, Operations.Publish, topic, Message.Text($"n{number}"), time.GetUtcNow().ToUnixTimeMilliseconds()));
            return $"{number} {topic}";
        }
        catch (Exception e) when (e is ModuleUnavailableException or BeehiveTimeoutException)
        {
            // The node stops: it was not confirmed.
            return null;
        }
    }
}
