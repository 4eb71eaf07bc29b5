using System.Net.WebSockets;
using System.Text;

namespace EdgeOrleans.Link.Wire;

/// <summary>A link whose other end is a WebSocket in the test's own hands.</summary>
internal sealed class RawPeer : IAsyncDisposable
{
    private static readonly LinkSocketOptions Quiet = new() { PingInterval = TimeSpan.Zero, PongTimeout = Timeout.InfiniteTimeSpan };

    private readonly TestKit.Wire _wire = new();
    private readonly CancellationTokenSource _patience = new(TimeSpan.FromMinutes(1));

    public RawPeer(LinkSocketOptions options, TimeProvider? time = null)
    {
        var (left, right) = _wire.ToWebSockets(Quiet.ForStream(isServer: false), options.ForStream(isServer: true));
        (Socket, Link) = (left, new RunningLink(right, options, time));
    }

    public WebSocket Socket { get; }

    public RunningLink Link { get; }

    public Task SendAsync(string text) => Socket.SendAsync(Encoding.UTF8.GetBytes(text), WebSocketMessageType.Text, endOfMessage: true, _patience.Token);

    public Task IsHeardAsync() => _wire.RightWaitsForMoreAsync(_patience.Token);

    public async Task<(WebSocketMessageType Type, string Text)> HearAsync()
    {
        var buffer = new byte[100_000];
        var result = await Socket.ReceiveAsync(buffer, _patience.Token);
        return (result.MessageType, Encoding.UTF8.GetString(buffer, 0, result.Count));
    }

    public async ValueTask DisposeAsync()
    {
        _wire.Cut();
        await Link.DisposeAsync();
        Socket.Dispose();
        _wire.Dispose();
        _patience.Dispose();
    }
}
