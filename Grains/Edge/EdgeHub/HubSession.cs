using EdgeOrleans.Beehive;
using EdgeOrleans.Link.Wire;

namespace EdgeOrleans.Edge.EdgeHub;

/// <summary>One link of the node to its cloud: it says that the node is alive, sends what waits, and gives on what comes in.</summary>
internal sealed class HubSession : IAsyncDisposable
{
    /// <summary>How a cloud that is ours calls itself; it hears when a membership was taken.</summary>
    private const string Ours = "EdgeOrleans/";

    private readonly LinkSocket _socket;
    private readonly UplinkPump _pump;
    private readonly TimeSpan _heartbeat;
    private readonly TimeProvider _time;
    private readonly CancellationTokenSource _life = new();
    private CancellationTokenSource? _pumpLife;
    private Task _keepAlive = Task.CompletedTask;
    private Task _pumping = Task.CompletedTask;

    public HubSession(DialedLink link, UplinkPump pump, TimeSpan heartbeat, TimeProvider time)
    {
        (_socket, _pump, _heartbeat, _time) = (link.Socket, pump, heartbeat, time);
        Server = link.Server;
    }

    /// <summary>What the cloud calls itself; empty for nothing.</summary>
    public string Server { get; }

    public bool IsOurs => Server.StartsWith(Ours, StringComparison.Ordinal);

    /// <summary>Completes with the link.</summary>
    public Task<LinkEnd> Ended => _socket.Ended;

    /// <summary>How many messages of the outbox are under way.</summary>
    public int UnderWay => _pump.UnderWay;

    /// <summary>Takes an answer to something of the outbox that left over this link.</summary>
    public bool TryEnd(Message answer) => _pump.TryEnd(answer);

    /// <summary>Reads, writes and says that the node is alive, until the link ends.</summary>
    public void Begin(Func<HubSession, Message, CancellationToken, ValueTask> receive, Action<EnvelopeError> refused)
    {
        _ = _socket.RunAsync((message, cancellation) => receive(this, message, cancellation), refused, CancellationToken.None);
        _keepAlive = KeepAliveAsync();
        _ = EndWithLinkAsync();
    }

    /// <summary>Sends what waits in the outbox. Only one session does at a time.</summary>
    public void BeginPump()
    {
        _pumpLife = CancellationTokenSource.CreateLinkedTokenSource(_life.Token);
        _pumping = _pump.RunAsync(SendAsync, _pumpLife.Token);
    }

    /// <summary>Ends when nothing of the outbox waits or is under way, or the link has ended, or the time is over.</summary>
    public async Task QuietAsync(TimeSpan within, CancellationToken cancellation)
    {
        using var deadline = new CancellationTokenSource(within, _time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(deadline.Token, cancellation, _life.Token);
        try
        {
            await _pump.QuietAsync(either.Token);
        }
        catch (OperationCanceledException)
        {
        }
    }

    /// <summary>Sends nothing more of the outbox, and gives what is under way a moment to be answered.</summary>
    public async Task StopPumpAsync(TimeSpan moment)
    {
        if (_pumpLife is null)
        {
            return;
        }

        await QuietAsync(moment, CancellationToken.None);
        await _pumpLife.CancelAsync();
        await _pumping;
    }

    /// <inheritdoc cref="LinkSocket.SendAsync"/>
    public ValueTask SendAsync(Message message, CancellationToken cancellation) => _socket.SendAsync(message, cancellation);

    /// <summary>Ends the link in order.</summary>
    public void Close(string why) => _socket.Close(why);

    public async ValueTask DisposeAsync()
    {
        _socket.Dispose();
        await _life.CancelAsync();
        await _keepAlive;
        await _pumping;
        _pumpLife?.Dispose();
        _pump.Dispose();
        _life.Dispose();
    }

    private async Task EndWithLinkAsync()
    {
        await _socket.Ended;
        try
        {
            await _life.CancelAsync();
        }
        catch (ObjectDisposedException)
        {
            // It was disposed in the same moment.
        }
    }

    private async Task KeepAliveAsync()
    {
        try
        {
            while (true)
            {
                var now = _time.GetUtcNow().ToUnixTimeMilliseconds();
                await _socket.SendAsync(Message.Create("websocket", "resource", "keepalive", "node", "\"ping\""u8.ToArray(), now), _life.Token);
                await Task.Delay(_heartbeat, _time, _life.Token);
            }
        }
        catch (Exception e) when (e is OperationCanceledException or LinkEndedException)
        {
        }
    }
}
