using System.Net.WebSockets;

namespace EdgeOrleans.TestKit;

/// <summary>A wire between two programs in one process, which a test can cut, hold, delay and throttle. Each end is a stream of bytes.</summary>
/// <remarks>
/// It behaves as TCP does: bytes arrive in order and once, an end that is not read holds back the other (<see cref="Window"/>), an end
/// that is disposed says so after its last byte. A cut is a reset: both ends fail at once and what was on the way is lost. A held wire
/// is the half-open connection: nothing arrives, nothing fails, until it is released or cut.
/// </remarks>
public sealed class Wire : IDisposable
{
    private readonly WireDirection _toRight;
    private readonly WireDirection _toLeft;

    /// <param name="time">The clock of delays and throttles. Default: the system's.</param>
    /// <param name="window">How many bytes may be on the way in each direction. Default: 64 KiB.</param>
    public Wire(TimeProvider? time = null, int window = 64 * 1024)
    {
        Window = window;
        _toRight = new WireDirection(time ?? TimeProvider.System, window);
        _toLeft = new WireDirection(time ?? TimeProvider.System, window);
        Left = new WireEnd(_toLeft, _toRight);
        Right = new WireEnd(_toRight, _toLeft);
    }

    /// <summary>One end; by custom the one that dialled.</summary>
    public Stream Left { get; }

    /// <summary>The other end; by custom the one that accepted.</summary>
    public Stream Right { get; }

    /// <summary>How many bytes may be on the way in each direction; a writer waits beyond.</summary>
    public int Window { get; }

    /// <summary>How long a byte is under way. Default: zero.</summary>
    public TimeSpan Delay
    {
        get => _toRight.Delay;
        set => _toRight.Delay = _toLeft.Delay = value;
    }

    /// <summary>How many bytes a second pass in each direction; null: any number. Default: null.</summary>
    public int? BytesPerSecond
    {
        get => _toRight.BytesPerSecond;
        set => _toRight.BytesPerSecond = _toLeft.BytesPerSecond = value;
    }

    /// <summary>How many bytes were written at the left end.</summary>
    public long BytesToRight => _toRight.Written;

    /// <summary>How many bytes were written at the right end.</summary>
    public long BytesToLeft => _toLeft.Written;

    /// <summary>Whether the wire was cut.</summary>
    public bool IsCut => _toRight.IsCut;

    /// <summary>Two WebSockets over this wire, as if the upgrade were done: the left one is the client.</summary>
    /// <param name="client">Options of the left end; its role is set here.</param>
    /// <param name="server">Options of the right end; its role is set here.</param>
    public (WebSocket Left, WebSocket Right) ToWebSockets(WebSocketCreationOptions? client = null, WebSocketCreationOptions? server = null)
    {
        (client, server) = (client ?? new(), server ?? new());
        (client.IsServer, server.IsServer) = (false, true);
        return (WebSocket.CreateFromStream(Left, client), WebSocket.CreateFromStream(Right, server));
    }

    /// <summary>Waits until at least so many bytes were written at the left end.</summary>
    public Task BytesToRightAsync(long count, CancellationToken cancellation) => _toRight.WrittenAsync(count, cancellation);

    /// <summary>Waits until at least so many bytes were written at the right end.</summary>
    public Task BytesToLeftAsync(long count, CancellationToken cancellation) => _toLeft.WrittenAsync(count, cancellation);

    /// <summary>Waits until the right end has read everything and waits for more.</summary>
    public Task RightWaitsForMoreAsync(CancellationToken cancellation) => _toRight.WaitsForMoreAsync(cancellation);

    /// <summary>Waits until the left end has read everything and waits for more.</summary>
    public Task LeftWaitsForMoreAsync(CancellationToken cancellation) => _toLeft.WaitsForMoreAsync(cancellation);

    /// <summary>Cuts the wire for good: whoever reads or writes at either end fails with an <see cref="IOException"/>.</summary>
    public void Cut()
    {
        _toRight.Cut();
        _toLeft.Cut();
    }

    /// <summary>Holds everything back, in both directions, and fails nothing.</summary>
    public void Hold() => _toRight.IsHeld = _toLeft.IsHeld = true;

    /// <summary>Holds back what the left end writes alone.</summary>
    public void HoldToRight() => _toRight.IsHeld = true;

    /// <summary>Holds back what the right end writes alone.</summary>
    public void HoldToLeft() => _toLeft.IsHeld = true;

    /// <summary>Lets everything go again: what was held back arrives, in its order.</summary>
    public void Release() => _toRight.IsHeld = _toLeft.IsHeld = false;

    /// <inheritdoc/>
    public void Dispose() => Cut();
}
