using System.Threading.Channels;
using EdgeOrleans.Beehive;
using EdgeOrleans.Link;
using EdgeOrleans.Link.Wire;
using EdgeOrleans.Modules;
using Microsoft.Extensions.Logging;

namespace EdgeOrleans.Edge.EdgeHub;

/// <summary>Sends what waits in the outbox over one link, in order, and ends what the cloud has answered.</summary>
/// <remarks>
/// It begins with the oldest entry, so what was under way over the link before goes again: reports carry versions, twice is harmless. At most
/// <see cref="Window"/> messages are unanswered. A cloud does not answer everything (a stock one says nothing of devices it does not know):
/// after <see cref="Patience"/> such a message gives its place to others, and what it carried goes again <see cref="BeforeAgain"/> later.
/// Uploads have no answer at all: a control ping goes behind them, and its echo says that the cloud has read them.
/// </remarks>
internal sealed partial class UplinkPump(Outbox outbox, Refusals refusals, TimeProvider time, ILogger logger) : IDisposable
{
    public const int Window = 64;
    private const int Batch = 256;
    private const int MostRemembered = 4_096;
    private const long Never = long.MaxValue;
    private const string NotAccepted = "not-accepted";

    public static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);
    public static readonly TimeSpan BeforeAgain = TimeSpan.FromMinutes(5);

    private static readonly TimeSpan BetweenSweeps = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan AfterFault = TimeSpan.FromSeconds(1);

    private readonly UplinkWindow _window = new(Window, Patience, MostRemembered, time);
    private readonly Channel<Ending> _endings = Channel.CreateUnbounded<Ending>(new() { SingleReader = true });
    private readonly Lock _waking = new();
    private TaskCompletionSource _quiet = NewSignal();
    private CancellationTokenSource? _wake;
    private bool _isCalled;
    private long _after;
    private long _againAt = Never;
    private int _endingsOpen;
    private volatile bool _hasRead;
    private volatile bool _hasEnded;

    /// <summary>How many messages are under way.</summary>
    public int UnderWay => _window.Count;

    /// <summary>Sends until it is cancelled or the link has ended; returns when what was answered is written down.</summary>
    public async Task RunAsync(Func<Message, CancellationToken, ValueTask> send, CancellationToken cancellation)
    {
        var writing = WriteEndingsAsync();
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        var sweeping = SweepAsync(stop.Token);
        try
        {
            await SendAllAsync(send, cancellation);
        }
        catch (Exception e) when (e is OperationCanceledException or LinkEndedException)
        {
            // What is under way goes again over the next link.
        }
        finally
        {
            await stop.CancelAsync();
            await sweeping;
            _endings.Writer.TryComplete();
            await writing;

            // Nothing leaves any more: whoever waits for quiet, now or later, waits for nothing.
            _hasEnded = true;
            Volatile.Read(ref _quiet).TrySetResult();
        }
    }

    /// <summary>Takes an answer of the cloud.</summary>
    /// <returns>False: it is no answer to anything of this pump.</returns>
    public bool TryEnd(Message answer)
    {
        if (answer.Header.ParentId is not { } parent || _window.Remove(parent) is not { } ended)
        {
            return false;
        }

        // A cloud that answers with an error will always do so: what may succeed later it does not answer.
        var reason = answer.IsError && ended.Outcome == UplinkOutcome.Delivered ? ReasonIn(answer.ContentAsText()) : null;
        if (reason is not null)
        {
            refusals.Count("edgeHub.refused-by-cloud");
            LogRefused(reason, BootstrapClient.Sentence(answer.Content.Span));
        }

        Interlocked.Increment(ref _endingsOpen);
        if (!_endings.Writer.TryWrite(new Ending(ended.Numbers, ended.Outcome, reason)))
        {
            Interlocked.Decrement(ref _endingsOpen);
        }

        return true;
    }

    /// <summary>Ends when nothing that waited when it was called waits any more, and nothing is under way; or when the pump has ended.</summary>
    public async Task QuietAsync(CancellationToken cancellation)
    {
        Wake();
        // The signal is taken before the look: one that comes between wakes us.
        for (var quiet = Volatile.Read(ref _quiet).Task; !IsQuiet && !_hasEnded; quiet = Volatile.Read(ref _quiet).Task)
        {
            await quiet.WaitAsync(cancellation);
        }
    }

    public void Dispose() => _window.Dispose();

    private bool IsQuiet => _hasRead && _window.Count == 0 && Volatile.Read(ref _endingsOpen) == 0;

    private async Task SendAllAsync(Func<Message, CancellationToken, ValueTask> send, CancellationToken cancellation)
    {
        while (true)
        {
            cancellation.ThrowIfCancellationRequested();
            StartOverIfDue();
            var rows = await ReadAsync(cancellation);
            if (rows.Count == 0)
            {
                await WaitAsync(cancellation);
                continue;
            }

            await SendAsync(rows, send, cancellation);
            _after = rows[^1].Seq;
        }
    }

    // A disk that is busy or full says so to whoever writes; here it is asked again.
    private async Task<IReadOnlyList<OutboxRow>> ReadAsync(CancellationToken cancellation)
    {
        while (true)
        {
            try
            {
                return await outbox.ReadAsync(_after, Batch);
            }
            catch (Exception e) when (!cancellation.IsCancellationRequested)
            {
                LogNotRead(e);
                await Task.Delay(AfterFault, time, cancellation);
            }
        }
    }

    private async Task SendAsync(IReadOnlyList<OutboxRow> rows, Func<Message, CancellationToken, ValueTask> send, CancellationToken cancellation)
    {
        List<long>? uploads = null;
        var areUploads = rows.Where(static r => r.Entry.Class == OutboxClasses.Telemetry).Select(static r => r.Seq).ToHashSet();
        foreach (var (message, numbers) in outbox.ToMessages([.. rows.Where(r => !_window.Has(r.Seq))]))
        {
            if (areUploads.Contains(numbers[0]))
            {
                if (await TrySendAsync(message, numbers, send, cancellation))
                {
                    (uploads ??= []).AddRange(numbers);
                }
            }
            else
            {
                await _window.TakeAsync(message.Header.Id, numbers, UplinkOutcome.Delivered, cancellation);
                if (!await TrySendAsync(message, numbers, send, cancellation))
                {
                    _window.Remove(message.Header.Id);
                }
            }
        }

        if (uploads is not null)
        {
            var ping = Message.Create("", "", "ping", "/control/ping", "\"\""u8.ToArray(), Now);
            await _window.TakeAsync(ping.Header.Id, uploads, UplinkOutcome.Unconfirmed, cancellation);
            await send(ping, cancellation);
        }
    }

    private async Task<bool> TrySendAsync(Message message, IReadOnlyList<long> numbers, Func<Message, CancellationToken, ValueTask> send, CancellationToken cancellation)
    {
        try
        {
            await send(message, cancellation);
            return true;
        }
        catch (EnvelopeException e)
        {
            LogNoEnvelope(message.Route.Resource, e.Message);
            await outbox.RefusedAsync(numbers, "no-envelope");
            return false;
        }
    }

    // Until something is appended, or somebody calls. While something was not answered it looks by itself from time to time.
    private async Task WaitAsync(CancellationToken cancellation)
    {
        using var wake = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        using var timer = new CancellationTokenSource(Timeout.InfiniteTimeSpan, time);
        await using var link = timer.Token.UnsafeRegister(static s => ((CancellationTokenSource)s!).Cancel(), wake);
        if (_window.Count > 0 || Volatile.Read(ref _againAt) != Never)
        {
            timer.CancelAfter(BetweenSweeps);
        }

        if (!TryRest(wake))
        {
            return;
        }

        TellIfQuiet();
        try
        {
            await outbox.WaitAsync(wake.Token);
        }
        catch (OperationCanceledException) when (!cancellation.IsCancellationRequested)
        {
        }
        finally
        {
            Rise();
        }
    }

    // Who calls while it reads is heard when it wants to rest.
    private bool TryRest(CancellationTokenSource wake)
    {
        lock (_waking)
        {
            if (_isCalled)
            {
                _isCalled = false;
                return false;
            }

            (_wake, _hasRead) = (wake, true);
            return true;
        }
    }

    private void Rise()
    {
        lock (_waking)
        {
            (_wake, _hasRead, _isCalled) = (null, false, false);
        }
    }

    private void Wake()
    {
        lock (_waking)
        {
            (_hasRead, _isCalled) = (false, true);
            _wake?.Cancel();
        }
    }

    private void StartOverIfDue()
    {
        if (Now >= Volatile.Read(ref _againAt))
        {
            Volatile.Write(ref _againAt, Never);
            _after = 0;
        }
    }

    private void StartOverLater() => Interlocked.CompareExchange(ref _againAt, Now + (long)BeforeAgain.TotalMilliseconds, Never);

    private async Task SweepAsync(CancellationToken cancellation)
    {
        using var timer = new PeriodicTimer(BetweenSweeps, time);
        try
        {
            while (await timer.WaitForNextTickAsync(cancellation))
            {
                if (_window.Sweep() is > 0 and var count)
                {
                    StartOverLater();
                    refusals.Count("edgeHub.unanswered");
                    LogUnanswered(count, Patience, BeforeAgain);
                    TellIfQuiet();
                }
            }
        }
        catch (OperationCanceledException)
        {
        }
    }

    // What was answered together is written together.
    private async Task WriteEndingsAsync()
    {
        while (await _endings.Reader.WaitToReadAsync())
        {
            var endings = new List<Ending>();
            while (endings.Count < Batch && _endings.Reader.TryRead(out var ending))
            {
                endings.Add(ending);
            }

            try
            {
                await WriteAsync(endings);
            }
            catch (Exception e)
            {
                // The entries are still there and go again, which is harmless.
                StartOverLater();
                LogNotWritten(e, endings.Count);
            }

            Interlocked.Add(ref _endingsOpen, -endings.Count);
            TellIfQuiet();
        }
    }

    private async Task WriteAsync(List<Ending> endings)
    {
        await outbox.DeliveredAsync([.. endings.Where(static e => e is { Outcome: UplinkOutcome.Delivered, Reason: null }).SelectMany(static e => e.Numbers)]);
        await outbox.UnconfirmedAsync([.. endings.Where(static e => e.Outcome == UplinkOutcome.Unconfirmed).SelectMany(static e => e.Numbers)]);
        foreach (var refused in endings.Where(static e => e.Reason is not null))
        {
            await outbox.RefusedAsync(refused.Numbers, refused.Reason!);
        }
    }

    /// <summary>The word before the first colon, if it is one: <c>not-of-this-node: device … is on another node</c>.</summary>
    private static string ReasonIn(string text)
    {
        var word = text.Split(':', 2)[0];
        return word.Length is > 0 and <= 32 && word.All(static c => char.IsAsciiLetterLower(c) || c == '-') ? word : NotAccepted;
    }

    private long Now => time.GetUtcNow().ToUnixTimeMilliseconds();

    private void TellIfQuiet()
    {
        if (IsQuiet)
        {
            Interlocked.Exchange(ref _quiet, NewSignal()).TrySetResult();
        }
    }

    private static TaskCompletionSource NewSignal() => new(TaskCreationOptions.RunContinuationsAsynchronously);

    [LoggerMessage(LogLevel.Warning, "The outbox could not be read; trying again")]
    private partial void LogNotRead(Exception exception);

    [LoggerMessage(LogLevel.Warning, "The cloud has answered {Count} messages and that could not be written down; what they carried goes again")]
    private partial void LogNotWritten(Exception exception, int count);

    [LoggerMessage(LogLevel.Warning, "What waited for {Resource} cannot be sent and is refused: {Reason}")]
    private partial void LogNoEnvelope(string resource, string reason);

    [LoggerMessage(LogLevel.Debug, "The cloud refused a report ({Reason}): {Sentence}")]
    private partial void LogRefused(string reason, string sentence);

    [LoggerMessage(LogLevel.Information, "The cloud has not answered {Count} reports within {Patience}; others go on, and these go again {Again} later")]
    private partial void LogUnanswered(int count, TimeSpan patience, TimeSpan again);

    private sealed record Ending(IReadOnlyList<long> Numbers, UplinkOutcome Outcome, string? Reason);
}
