using System.Net.WebSockets;
using Microsoft.AspNetCore.Http;

namespace EdgeOrleans.Link.Wire;

/// <summary>The measures of one link. Made by code from the settings of a hub; both ends use the same.</summary>
internal sealed record LinkSocketOptions
{
    /// <summary>How large a frame may be, both ways.</summary>
    public EnvelopeLimits Limits { get; init; } = EnvelopeLimits.Default;

    /// <summary>How long nothing is heard before a ping asks (WebSocket pings: stock edges and clouds answer, reference 1.4). Default: 10 seconds.</summary>
    public TimeSpan PingInterval { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>How long a ping waits for anything before the link is dead. Default: 20 seconds.</summary>
    public TimeSpan PongTimeout { get; init; } = TimeSpan.FromSeconds(20);

    /// <summary>
    /// How long no whole message may arrive, pongs not counted; null: for ever. A cloud sets it, as a node says that it is alive
    /// (cloudcore: 30 seconds); a node does not, since a stock cloud may never say anything. Default: null.
    /// </summary>
    public TimeSpan? MessageTimeout { get; init; }

    /// <summary>How long the rest of a frame that has begun may take. Default: 30 seconds.</summary>
    public TimeSpan FrameTimeout { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>
    /// How long this end's receiver may take for a message. While it does, nothing is read, no ping is answered, and the other end would
    /// have to think us dead: it is said here first, with its name. So it is shorter than <see cref="PongTimeout"/>. Default: 15 seconds.
    /// </summary>
    public TimeSpan ReceiveTimeout { get; init; } = TimeSpan.FromSeconds(15);

    /// <summary>How long the other end may take to take a frame. Default: 15 seconds, edgecore's <c>writeDeadline</c>.</summary>
    public TimeSpan WriteTimeout { get; init; } = TimeSpan.FromSeconds(15);

    /// <summary>How long an orderly end may take: what is queued leaves, the other end says goodbye. Default: 5 seconds.</summary>
    public TimeSpan CloseTimeout { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>How many messages may wait to be sent; then a sender waits. Default: 64.</summary>
    public int QueueLength { get; init; } = 64;

    /// <summary>How many bytes may wait to be sent; a single message may always. Default: 4 MiB.</summary>
    public long QueueBytes { get; init; } = 4L * 1024 * 1024;

    /// <summary>How many frames in a row may be no envelope before the link ends. One bad message stops nothing else; nothing but bad ones is no peer. Default: 16.</summary>
    public int MaxRefusedInARow { get; init; } = 16;

    /// <summary>For a server: how an upgrade is accepted. No subprotocol, no compression: the stock dialect has neither (reference 1.1).</summary>
    public WebSocketAcceptContext ForAccept() => new()
    {
        KeepAliveInterval = PingInterval,
        KeepAliveTimeout = PongTimeout,
        DangerousEnableCompression = false,
    };

    /// <summary>For a client: the pings of a socket that dials.</summary>
    public void Apply(ClientWebSocketOptions client)
    {
        client.KeepAliveInterval = PingInterval;
        client.KeepAliveTimeout = PongTimeout;
        client.DangerousDeflateOptions = null;
    }

    /// <summary>For a stream that is a WebSocket already.</summary>
    public WebSocketCreationOptions ForStream(bool isServer) => new()
    {
        IsServer = isServer,
        KeepAliveInterval = PingInterval,
        KeepAliveTimeout = PongTimeout,
    };
}
