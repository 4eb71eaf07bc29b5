using System.Net;
using System.Net.Sockets;

namespace EdgeOrleans.TestKit;

/// <summary>A way over TCP between two programs, on loopback, which a test can cut, block, hold, delay and throttle.</summary>
/// <remarks>Every connection through it is a <see cref="Wire"/>. What is set counts for connections that are there and for those that come.</remarks>
public sealed class Relay : IAsyncDisposable
{
    private readonly Func<IPEndPoint> _target;
    private readonly Socket _listener = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
    private readonly CancellationTokenSource _stopping = new();
    private readonly Lock _gate = new();
    private readonly HashSet<Wire> _wires = [];
    private readonly Task _accepting;
    private TimeSpan _delay;
    private int? _bytesPerSecond;
    private bool _isBlocked;
    private bool _isHeld;

    /// <param name="target">Where it leads, asked for every connection.</param>
    public Relay(Func<IPEndPoint> target)
    {
        _target = target;
        _listener.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        _listener.Listen(64);
        Port = ((IPEndPoint)_listener.LocalEndPoint!).Port;
        _accepting = AcceptAsync();
    }

    /// <summary>Where it listens, on 127.0.0.1.</summary>
    public int Port { get; }

    /// <summary>How many connections go through it now.</summary>
    public int Connections
    {
        get
        {
            lock (_gate)
            {
                return _wires.Count;
            }
        }
    }

    /// <summary>How long a byte is under way. Default: zero.</summary>
    public TimeSpan Delay
    {
        get => _delay;
        set => All(() => _delay = value, wire => wire.Delay = value);
    }

    /// <summary>How many bytes a second pass in each direction; null: any number. Default: null.</summary>
    public int? BytesPerSecond
    {
        get => _bytesPerSecond;
        set => All(() => _bytesPerSecond = value, wire => wire.BytesPerSecond = value);
    }

    /// <summary>Cuts what is there: both ends see a reset. New connections come through.</summary>
    public void Cut() => All(static () => { }, static wire => wire.Cut());

    /// <summary>Cuts what is there, and lets nothing through until <see cref="Unblock"/>.</summary>
    public void Block() => All(() => _isBlocked = true, static wire => wire.Cut());

    /// <summary>Lets connections through again.</summary>
    public void Unblock() => All(() => _isBlocked = false, static _ => { });

    /// <summary>Holds everything back and fails nothing, as a line that has gone silent.</summary>
    public void Hold() => All(() => _isHeld = true, static wire => wire.Hold());

    /// <summary>Ends <see cref="Hold"/>.</summary>
    public void Release() => All(() => _isHeld = false, static wire => wire.Release());

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await _stopping.CancelAsync();
        _listener.Dispose();
        await _accepting;
        Block();
        _stopping.Dispose();
    }

    private async Task AcceptAsync()
    {
        while (!_stopping.IsCancellationRequested)
        {
            try
            {
                _ = ServeAsync(await _listener.AcceptAsync(_stopping.Token));
            }
            catch (Exception e) when (e is OperationCanceledException or ObjectDisposedException or SocketException)
            {
                // It was stopped, or the caller was gone before it was taken.
            }
        }
    }

    private async Task ServeAsync(Socket caller)
    {
        using var wire = new Wire();
        using var left = new NetworkStream(caller, ownsSocket: true);
        using var target = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        caller.NoDelay = true;
        if (!Add(wire))
        {
            caller.Close(0);
            return;
        }

        try
        {
            await target.ConnectAsync(_target(), _stopping.Token);
            using var right = new NetworkStream(target, ownsSocket: false);
            await Task.WhenAny(
                InAsync(left, wire.Left, wire.RightWaitsForMoreAsync),
                wire.Right.CopyToAsync(right, _stopping.Token),
                InAsync(right, wire.Right, wire.LeftWaitsForMoreAsync),
                wire.Left.CopyToAsync(left, _stopping.Token));
        }
        catch (Exception e) when (e is SocketException or OperationCanceledException or IOException)
        {
            // Nobody listens there: the caller sees a reset.
        }
        finally
        {
            lock (_gate)
            {
                _wires.Remove(wire);
            }

            wire.Cut();
            caller.Close(0);
        }
    }

    // Who closes in order is heard to his last byte.
    private async Task InAsync(Stream from, Stream end, Func<CancellationToken, Task> drained)
    {
        await from.CopyToAsync(end, _stopping.Token);
        await drained(_stopping.Token);
    }

    private bool Add(Wire wire)
    {
        lock (_gate)
        {
            if (_isBlocked)
            {
                return false;
            }

            (wire.Delay, wire.BytesPerSecond) = (_delay, _bytesPerSecond);
            if (_isHeld)
            {
                wire.Hold();
            }

            return _wires.Add(wire);
        }
    }

    private void All(Action set, Action<Wire> apply)
    {
        Wire[] wires;
        lock (_gate)
        {
            set();
            wires = [.. _wires];
        }

        foreach (var wire in wires)
        {
            apply(wire);
        }
    }
}
