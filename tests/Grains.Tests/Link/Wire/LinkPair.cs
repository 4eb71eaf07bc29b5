using System.Collections.Concurrent;
using System.Net.WebSockets;
using System.Threading.Channels;
using EdgeOrleans.Beehive;

namespace EdgeOrleans.Link.Wire;

/// <summary>A link that runs, with what it has heard.</summary>
internal sealed class RunningLink : IAsyncDisposable
{
    private readonly Channel<Message> _heard = Channel.CreateUnbounded<Message>();
    private readonly CancellationTokenSource _stop = new();

    public RunningLink(WebSocket socket, LinkSocketOptions? options = null, TimeProvider? time = null, Func<Message, CancellationToken, ValueTask>? receive = null)
    {
        Link = new LinkSocket(socket, options ?? new LinkSocketOptions(), time ?? TimeProvider.System);
        Run = Link.RunAsync(receive ?? ((message, cancellation) => _heard.Writer.WriteAsync(message, cancellation)), Refused.Enqueue, _stop.Token);
    }

    public LinkSocket Link { get; }

    public Task<LinkEnd> Run { get; }

    public ConcurrentQueue<EnvelopeError> Refused { get; } = new();

    public bool HasHeardNothing => _heard.Reader.Count == 0;

    public Task<Message> HearAsync() => _heard.Reader.ReadAsync().AsTask().WaitAsync(TimeSpan.FromMinutes(1));

    public Task<LinkEnd> EndAsync() => Run.WaitAsync(TimeSpan.FromMinutes(1));

    public void Cancel() => _stop.Cancel();

    public async ValueTask DisposeAsync()
    {
        Link.Dispose();
        await Run;
        _stop.Dispose();
    }
}

/// <summary>Two links over one wire.</summary>
internal sealed class LinkPair : IAsyncDisposable
{
    public LinkPair(LinkSocketOptions? options = null, TimeProvider? time = null, Func<Message, CancellationToken, ValueTask>? receiveRight = null)
    {
        options ??= new LinkSocketOptions();
        var (left, right) = Wire.ToWebSockets(options.ForStream(isServer: false), options.ForStream(isServer: true));
        (Left, Right) = (new RunningLink(left, options, time), new RunningLink(right, options, time, receiveRight));
    }

    public TestKit.Wire Wire { get; } = new();

    public RunningLink Left { get; }

    public RunningLink Right { get; }

    public async ValueTask DisposeAsync()
    {
        Wire.Cut();
        await Left.DisposeAsync();
        await Right.DisposeAsync();
        Wire.Dispose();
    }
}
