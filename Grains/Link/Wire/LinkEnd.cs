using System.Net.WebSockets;

namespace EdgeOrleans.Link.Wire;

/// <summary>Why a link ended.</summary>
internal enum LinkEndReason
{
    /// <summary>The other end closed it.</summary>
    ClosedByPeer,

    /// <summary>This end closed it.</summary>
    ClosedHere,

    /// <summary>Who ran the link cancelled it.</summary>
    Cancelled,

    /// <summary>The connection broke without a word.</summary>
    Broken,

    /// <summary>Nothing was heard in time: no frame, no pong, or not the rest of a frame that had begun.</summary>
    ReadTimeout,

    /// <summary>The other end did not take a frame in time.</summary>
    WriteTimeout,

    /// <summary>The other end sent a frame with more bytes than a frame may have.</summary>
    TooLarge,

    /// <summary>The other end does not speak WebSocket, or nothing but frames that are no envelopes.</summary>
    ProtocolError,

    /// <summary>Who takes the messages at this end failed.</summary>
    ReceiverFailed,
}

/// <summary>How a link ended: the reason, a sentence for the log, and what did not leave any more.</summary>
internal sealed record LinkEnd(LinkEndReason Reason, string Detail)
{
    /// <summary>The exception behind it, if one was.</summary>
    public Exception? Exception { get; init; }

    /// <summary>What the other end is told when it can still be told; null: it cannot.</summary>
    public WebSocketCloseStatus? Status { get; init; }

    /// <summary>How many messages were queued and have not left.</summary>
    public int Unsent { get; init; }

    public override string ToString() => $"{Reason}: {Detail}";
}

/// <summary>The link has ended; what was to be sent was not.</summary>
internal sealed class LinkEndedException(LinkEnd end) : Exception($"the link has ended: {end.Detail}", end.Exception)
{
    public LinkEnd End { get; } = end;
}
