using EdgeOrleans.Beehive;
using EdgeOrleans.Link;
using EdgeOrleans.Link.Wire;
using EdgeOrleans.Modules;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace EdgeOrleans.Edge.EdgeHub;

/// <summary>Keeps the node linked to its cloud: joins, dials, dials again, and changes certificates without a gap.</summary>
/// <remarks>
/// A break is noticed when it happens (by the socket or by a ping without an echo) and the first try comes a moment later; further ones with
/// growing pauses, by chance. A new certificate is used on a second link, and the first one is closed when that one is up (W23).
/// </remarks>
internal sealed partial class CloudLink(
    Enrolment enrolment,
    CloudDialer dialer,
    CloudMessages messages,
    HubStatus status,
    Outbox outbox,
    Refusals refusals,
    IMessageContext beehive,
    IOptions<EdgeHubOptions> options,
    TimeProvider time,
    ILogger<CloudLink> logger) : IAsyncDisposable
{
    private static readonly TimeSpan Moment = TimeSpan.FromSeconds(2);

    private readonly CancellationTokenSource _stopping = new();
    private readonly ILogger _logger = logger;
    private volatile HubSession? _current;
    private Task _running = Task.CompletedTask;
    private string _said = "";

    /// <summary>The link, if one is up.</summary>
    public HubSession? Current => _current;

    /// <summary>Begins to dial.</summary>
    public void Start()
    {
        status.Begin();
        _running = Task.Run(RunAsync);
    }

    /// <summary>Lets out what waits, for a moment, and ends the link in order.</summary>
    public async Task StopAsync(CancellationToken cancellation)
    {
        if (_current is { } session)
        {
            await session.QuietAsync(Moment, cancellation);
        }

        await _stopping.CancelAsync();
        await _running.WaitAsync(cancellation);
    }

    public async ValueTask DisposeAsync()
    {
        await _stopping.CancelAsync();
        await _running;
        _stopping.Dispose();
    }

    private async Task RunAsync()
    {
        var stop = _stopping.Token;
        var backoff = new Backoff();
        while (!stop.IsCancellationRequested)
        {
            var (lived, reason, why) = await TryOnceAsync(stop);
            backoff = backoff.After(lived);
            var wait = backoff.Wait(Random.Shared.NextDouble());
            if (!stop.IsCancellationRequested)
            {
                Say(reason, why, lived, wait);
                status.Down(reason, why);
                await Task.Delay(wait, time, stop).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }
        }
    }

    /// <summary>One try, and the life of its link if there was one. What goes wrong is told, never thrown.</summary>
    private async Task<(TimeSpan Lived, string Reason, string Why)> TryOnceAsync(CancellationToken stop)
    {
        try
        {
            var credentials = await enrolment.GetAsync(stop);
            var session = Open(await dialer.DialAsync(credentials, stop));
            var since = time.GetTimestamp();
            var end = await ServeAsync(session, credentials, stop);
            return (time.GetElapsedTime(since), "broken", end.Detail);
        }
        catch (JoinException e)
        {
            return (TimeSpan.Zero, "join", e.Message);
        }
        catch (DialException e)
        {
            return (TimeSpan.Zero, e.Reason, e.Message);
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested)
        {
            return (TimeSpan.Zero, "stopped", "the node stops");
        }
        catch (Exception e)
        {
            LogFault(e);
            return (TimeSpan.Zero, "fault", e.Message);
        }
    }

    private HubSession Open(DialedLink link)
    {
        var session = new HubSession(link, new UplinkPump(outbox, refusals, time, _logger), options.Value.Heartbeat, time);
        session.Begin(messages.ReceiveAsync, messages.Refuse);
        return session;
    }

    private async Task<LinkEnd> ServeAsync(HubSession session, NodeCredentials credentials, CancellationToken stop)
    {
        try
        {
            await UpAsync(session);
            while (await NextLinkAsync(session, credentials, stop) is { } next)
            {
                (var before, session, credentials) = (session, next.Session, next.Credentials);
                await SwitchAsync(before, session);
            }

            if (stop.IsCancellationRequested)
            {
                session.Close("the node stops");
            }

            return await session.Ended;
        }
        finally
        {
            _current = null;
            await session.DisposeAsync();
            await TellAsync("cloud_disconnected", "");
        }
    }

    private async Task UpAsync(HubSession session)
    {
        _current = session;
        _said = "";
        session.BeginPump();
        status.Up(dialer.Address, session.Server, () => session.UnderWay);
        LogUp(dialer.Address, session.Server.Length > 0 ? session.Server : "unknown");
        await TellAsync("cloud_connected", session.Server);
    }

    // From here on the new link takes everything. What is under way over the old one has a moment to be answered; the cloud may close it itself.
    private async Task SwitchAsync(HubSession before, HubSession session)
    {
        _current = session;
        await before.StopPumpAsync(Moment);
        await UpAsync(session);
        before.Close("replaced by a link with the next certificate");
        _ = DisposeWhenEndedAsync(before);
    }

    private static async Task DisposeWhenEndedAsync(HubSession session)
    {
        await session.Ended;
        await session.DisposeAsync();
    }

    /// <summary>Waits for the end of a link, or until its certificate has been replaced and a link with the next one is up.</summary>
    /// <returns>The next link; null: this one has ended, or the node stops.</returns>
    private async Task<NextLink?> NextLinkAsync(HubSession session, NodeCredentials credentials, CancellationToken stop)
    {
        using var either = CancellationTokenSource.CreateLinkedTokenSource(stop);
        var next = options.Value.RotateCertificates ? RotateAsync(credentials, either.Token) : WaitAsync(either.Token);
        await Task.WhenAny(session.Ended, next);
        await either.CancelAsync();
        return await next;
    }

    private static async Task<NextLink?> WaitAsync(CancellationToken cancellation)
    {
        await Task.Delay(Timeout.Infinite, cancellation).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        return null;
    }

    private async Task<NextLink?> RotateAsync(NodeCredentials present, CancellationToken cancellation)
    {
        var backoff = new Backoff { First = TimeSpan.FromSeconds(1), Longest = TimeSpan.FromMinutes(1) };
        var credentials = present;
        try
        {
            await UntilAsync(present.RenewAt, cancellation);
            while (true)
            {
                try
                {
                    if (ReferenceEquals(credentials, present))
                    {
                        credentials = await enrolment.RenewAsync(present, cancellation);
                        status.Rotated();
                    }

                    return new NextLink(Open(await dialer.DialAsync(credentials, cancellation)), credentials);
                }
                catch (Exception e) when (e is JoinException or DialException)
                {
                    backoff = backoff.After(TimeSpan.Zero);
                    var wait = backoff.Wait(Random.Shared.NextDouble());
                    LogNotRotated(e.Message, wait, present.Certificate.NotAfter.ToUniversalTime());
                    await Task.Delay(wait, time, cancellation);
                }
            }
        }
        catch (OperationCanceledException) when (cancellation.IsCancellationRequested)
        {
            return null;
        }
        catch (Exception e)
        {
            LogFault(e);
            return await WaitAsync(cancellation);
        }
    }

    // A timer waits 49 days at most.
    private async Task UntilAsync(DateTimeOffset at, CancellationToken cancellation)
    {
        while (at - time.GetUtcNow() is var wait && wait > TimeSpan.Zero)
        {
            await Task.Delay(wait < TimeSpan.FromDays(1) ? wait : TimeSpan.FromDays(1), time, cancellation);
        }
    }

    private async Task TellAsync(string what, string server)
    {
        foreach (var group in Groups.All.Where(static g => g != Groups.Hub))
        {
            var message = Message.Create("edgehub", group, Operations.Connect, "node/connection", Message.Text(what), time.GetUtcNow().ToUnixTimeMilliseconds());
            try
            {
                await beehive.SendToGroupAsync(group, message with { Route = message.Route with { Destination = server } });
            }
            catch (Exception e)
            {
                LogNotTold(e, group, what);
            }
        }
    }

    // The same trouble is told once, however often it is met.
    private void Say(string reason, string why, TimeSpan lived, TimeSpan wait)
    {
        if (lived > TimeSpan.Zero)
        {
            LogLost(dialer.Address, lived, why, wait);
        }
        else if (_said != reason + why)
        {
            _said = reason + why;
            LogNoLink(dialer.Address, why);
        }
    }

    [LoggerMessage(LogLevel.Information, "Linked to the cloud at {Cloud} ({Server})")]
    private partial void LogUp(Uri cloud, string server);

    [LoggerMessage(LogLevel.Warning, "Lost the link to the cloud at {Cloud} after {Lived}: {Why}; next try in {Wait}")]
    private partial void LogLost(Uri cloud, TimeSpan lived, string why, TimeSpan wait);

    [LoggerMessage(LogLevel.Warning, "No link to the cloud at {Cloud}: {Why}; the node works on, tries again, and says so when it is linked")]
    private partial void LogNoLink(Uri cloud, string why);

    [LoggerMessage(LogLevel.Warning, "The next certificate is not in use yet: {Why}; next try in {Wait}, the present one ends at {Until:u}")]
    private partial void LogNotRotated(string why, TimeSpan wait, DateTime until);

    [LoggerMessage(LogLevel.Warning, "Group {Group} could not be told {What}")]
    private partial void LogNotTold(Exception exception, string group, string what);

    [LoggerMessage(LogLevel.Error, "The link to the cloud failed on this node")]
    private partial void LogFault(Exception exception);

    private sealed record NextLink(HubSession Session, NodeCredentials Credentials);
}
