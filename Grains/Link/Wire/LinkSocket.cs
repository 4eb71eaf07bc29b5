using System.Buffers;
using System.Net.WebSockets;
using EdgeOrleans.Beehive;

namespace EdgeOrleans.Link.Wire;

/// <summary>One link in KubeEdge's stock dialect over a WebSocket, for either end: an envelope a text message (kubeedge-cloudlink 1.3 to 1.7).</summary>
/// <remarks>
/// <para>
/// <b>Order.</b> Messages leave in the order in which they were taken, by one writer; they are received one after the other: the next
/// frame is read when the last message was taken, so that TCP holds back who is faster than this end. No message is dropped for
/// another (a stock edge drops the oldest of 100: W17).
/// </para>
/// <para>
/// <b>Time.</b> Pings ask a quiet peer, and a ping without an echo ends the link; so does a frame that does not end, a peer that does
/// not take what is written, and, where that is set, a peer that says no whole message for too long (W24). A slow or dead peer holds
/// up its own link and nothing else.
/// </para>
/// <para>
/// <b>End.</b> It has one reason, the first. Everybody who waits for the link then hears it; sending afterwards fails with it. What had
/// left may have arrived or not: this dialect does not say. A frame that is no envelope is told and passed over; too many in a row, or
/// one that is too large, are the end.
/// </para>
/// </remarks>
internal sealed class LinkSocket : IDisposable
{
    // Most frames are smaller; a larger one doubles it. It is rented only while a frame is being read: a quiet link holds none.
    private const int FirstBuffer = 4096;

    private readonly WebSocket _socket;
    private readonly LinkSocketOptions _options;
    private readonly TimeProvider _time;
    private readonly SendQueue _queue;
    private readonly CancellationTokenSource _abort;
    private readonly TaskCompletionSource<LinkEnd> _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private LinkEnd? _end;
    private int _isRunning;
    private int _refusedInARow;

    public LinkSocket(WebSocket socket, LinkSocketOptions options, TimeProvider time)
    {
        (_socket, _options, _time) = (socket, options, time);
        _queue = new SendQueue(options.QueueLength, options.QueueBytes);
        _abort = new CancellationTokenSource(Timeout.InfiniteTimeSpan, time);
    }

    /// <summary>Completes when the link has ended and nothing of it runs any more.</summary>
    public Task<LinkEnd> Ended => _ended.Task;

    /// <summary>How many messages were taken and have not left.</summary>
    public int Waiting => _queue.Count;

    /// <summary>Reads and writes until the link ends. Called once.</summary>
    /// <param name="receive">
    /// Takes a message; the next is read when it returns, which is soon (<see cref="LinkSocketOptions.ReceiveTimeout"/>): what takes longer
    /// is queued or refused. Its token ends with the link.
    /// </param>
    /// <param name="refused">Hears of a frame that is no envelope.</param>
    /// <param name="cancellation">Ends the link in order: what is queued leaves, the other end is told.</param>
    public async Task<LinkEnd> RunAsync(
        Func<Message, CancellationToken, ValueTask> receive, Action<EnvelopeError> refused, CancellationToken cancellation = default)
    {
        if (Interlocked.Exchange(ref _isRunning, 1) != 0)
        {
            throw new InvalidOperationException("a link runs once");
        }

        await using (cancellation.UnsafeRegister(static link => ((LinkSocket)link!).CloseWith(LinkEndReason.Cancelled, "cancelled here", WebSocketCloseStatus.EndpointUnavailable), this))
        {
            await Task.WhenAll(WriteAllAsync(), ReadAllAsync(receive, refused));
        }

        _abort.Cancel();
        _socket.Dispose();
        var end = _end! with { Unsent = _queue.Count };
        _ended.TrySetResult(end);
        return end;
    }

    /// <summary>Takes a message to be sent, and waits while the queue is full. When it returns, the message is queued, not arrived.</summary>
    /// <exception cref="EnvelopeException">The message cannot become a frame.</exception>
    /// <exception cref="LinkEndedException">The link has ended.</exception>
    public async ValueTask SendAsync(Message message, CancellationToken cancellation = default)
    {
        if (!await _queue.AddAsync(Envelope.Write(message, _options.Limits), cancellation))
        {
            throw new LinkEndedException(Volatile.Read(ref _end)!);
        }
    }

    /// <summary>Takes a message to be sent if there is room now.</summary>
    /// <returns>False: the queue is full, or the link has ended.</returns>
    /// <exception cref="EnvelopeException">The message cannot become a frame.</exception>
    public bool TrySend(Message message) => _queue.TryAdd(Envelope.Write(message, _options.Limits));

    /// <summary>Ends the link in order: what is queued leaves, the other end is told why. Returns at once; <see cref="Ended"/> tells when.</summary>
    public void Close(string detail, WebSocketCloseStatus status = WebSocketCloseStatus.NormalClosure) => CloseWith(LinkEndReason.ClosedHere, detail, status);

    /// <summary>Ends the link at once. One that runs ends with a reason all the same.</summary>
    public void Dispose()
    {
        End(new LinkEnd(LinkEndReason.ClosedHere, "disposed here"));
        _abort.Cancel();
        if (Interlocked.Exchange(ref _isRunning, 1) == 0)
        {
            _socket.Dispose();
            _ended.TrySetResult(_end!);
        }
    }

    private void CloseWith(LinkEndReason reason, string detail, WebSocketCloseStatus status)
    {
        if (End(new LinkEnd(reason, detail) { Status = status }))
        {
            _abort.CancelAfter(_options.CloseTimeout);
        }
    }

    // The first reason counts. From here nothing new is taken; the writer empties the queue if the end still has a status to tell.
    private bool End(LinkEnd end)
    {
        if (Interlocked.CompareExchange(ref _end, end, null) is not null)
        {
            return false;
        }

        _queue.Complete();
        return true;
    }

    private async Task WriteAllAsync()
    {
        using var slow = CancellationTokenSource.CreateLinkedTokenSource(_abort.Token);
        using var deadline = new CancellationTokenSource(Timeout.InfiniteTimeSpan, _time);
        await using var link = deadline.Token.UnsafeRegister(static s => ((CancellationTokenSource)s!).Cancel(), slow);
        try
        {
            while (await _queue.NextAsync(_abort.Token) is { } frame && IsWorthWriting)
            {
                deadline.CancelAfter(_options.WriteTimeout);
                await _socket.SendAsync(frame, WebSocketMessageType.Text, WebSocketMessageFlags.EndOfMessage, slow.Token);
                deadline.CancelAfter(Timeout.InfiniteTimeSpan);
                _queue.Left(frame);
            }

            if (_end!.Status is { } status && _socket.State is (WebSocketState.Open or WebSocketState.CloseReceived))
            {
                await _socket.CloseOutputAsync(status, Brief(_end), _abort.Token);
            }
        }
        catch (Exception) when (_end is not null && !deadline.IsCancellationRequested)
        {
            // It had ended already; what could not be told any more is no second reason.
        }
        catch (Exception exception)
        {
            EndAbruptly(deadline.IsCancellationRequested
                ? new LinkEnd(LinkEndReason.WriteTimeout, $"the other end did not take a frame within {_options.WriteTimeout.TotalSeconds:0.###} s")
                : Broken(exception));
        }
    }

    // An end of our own choice lets out what was taken; to a peer that has closed, or is at fault, it would go for nothing.
    private bool IsWorthWriting => _end is null or { Status: not null, Reason: LinkEndReason.ClosedHere or LinkEndReason.Cancelled };

    private async Task ReadAllAsync(Func<Message, CancellationToken, ValueTask> receive, Action<EnvelopeError> refused)
    {
        using var deadline = new ReadDeadline(_time, _abort.Token);
        try
        {
            while (await ReadOneAsync(deadline, receive, refused))
            {
            }
        }
        catch (ReceiverException failed)
        {
            CloseWithoutWaiting(new LinkEnd(LinkEndReason.ReceiverFailed, $"a message could not be taken: {failed.InnerException!.Message}")
            {
                Exception = failed.InnerException,
                Status = WebSocketCloseStatus.InternalServerError,
            });
        }
        catch (Exception exception)
        {
            EndAbruptly(deadline.Missed is { } missed ? new LinkEnd(LinkEndReason.ReadTimeout, missed) : Broken(exception));
        }
    }

    private async Task<bool> ReadOneAsync(ReadDeadline deadline, Func<Message, CancellationToken, ValueTask> receive, Action<EnvelopeError> refused)
    {
        // A read of nothing returns when there is something: until then no buffer is held.
        deadline.Set(_end is null ? _options.MessageTimeout : null, "no message");
        var result = await _socket.ReceiveAsync(Memory<byte>.Empty, deadline.Token);
        if (result.MessageType == WebSocketMessageType.Close)
        {
            OnClosedByPeer();
            return false;
        }

        deadline.Set(_options.FrameTimeout, "no end of a frame that had begun");
        var buffer = ArrayPool<byte>.Shared.Rent(FirstBuffer);
        try
        {
            var length = 0;
            while (!result.EndOfMessage)
            {
                if (length == buffer.Length)
                {
                    buffer = Larger(buffer);
                }

                result = await _socket.ReceiveAsync(buffer.AsMemory(length), deadline.Token);
                length += result.Count;
                if (length > _options.Limits.MaxBytes)
                {
                    CloseWithoutWaiting(new LinkEnd(LinkEndReason.TooLarge, $"a frame of more than {_options.Limits.MaxBytes} bytes") { Status = WebSocketCloseStatus.MessageTooBig });
                    return false;
                }
            }

            deadline.Set(null, "");
            return await TakeAsync(buffer.AsMemory(0, length), receive, refused);
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    private static byte[] Larger(byte[] buffer)
    {
        var larger = ArrayPool<byte>.Shared.Rent(buffer.Length * 2);
        buffer.CopyTo(larger, 0);
        ArrayPool<byte>.Shared.Return(buffer);
        return larger;
    }

    private async ValueTask<bool> TakeAsync(ReadOnlyMemory<byte> frame, Func<Message, CancellationToken, ValueTask> receive, Action<EnvelopeError> refused)
    {
        if (_end is not null)
        {
            // We have said goodbye; what the other end said before it heard that is not taken any more.
            return true;
        }

        var (message, error) = Envelope.Read(frame, _options.Limits);
        try
        {
            if (message is null)
            {
                refused(error!);
                return !IsTooMuchNonsense(error!);
            }

            _refusedInARow = 0;
            if (ControlMessages.IsControl(message))
            {
                // A peer that asks and does not read what it asked for gets no answer: it does not hold us.
                _queue.TryAdd(Envelope.Write(ControlMessages.Answer(message, _time.GetUtcNow().ToUnixTimeMilliseconds()), _options.Limits));
                return true;
            }

            await InTimeAsync(receive(message, _abort.Token));
            return true;
        }
        catch (Exception exception) when (!_abort.IsCancellationRequested)
        {
            throw new ReceiverException(exception);
        }
    }

    private async ValueTask InTimeAsync(ValueTask receiving)
    {
        if (receiving.IsCompletedSuccessfully)
        {
            return;
        }

        try
        {
            await receiving.AsTask().WaitAsync(_options.ReceiveTimeout, _time, _abort.Token);
        }
        catch (TimeoutException exception)
        {
            throw new TimeoutException($"the receiver did not take it within {_options.ReceiveTimeout.TotalSeconds:0.###} s", exception);
        }
    }

    private bool IsTooMuchNonsense(EnvelopeError error)
    {
        if (++_refusedInARow < _options.MaxRefusedInARow)
        {
            return false;
        }

        CloseWithoutWaiting(new LinkEnd(LinkEndReason.ProtocolError, $"{_refusedInARow} frames in a row were no envelopes; the last: {error.Reason}")
        {
            Status = WebSocketCloseStatus.InvalidPayloadData,
        });
        return true;
    }

    private void OnClosedByPeer()
    {
        var said = _socket.CloseStatus is { } status ? $"the other end closed with {(int)status}{Description()}" : "the other end closed";
        End(new LinkEnd(LinkEndReason.ClosedByPeer, said) { Status = WebSocketCloseStatus.NormalClosure });
        _abort.CancelAfter(_options.CloseTimeout);

        // What a peer writes goes into a log: no line of its own, and at most the 123 bytes that a close frame has.
        string Description() => string.IsNullOrEmpty(_socket.CloseStatusDescription)
            ? ""
            : $" \"{string.Concat(_socket.CloseStatusDescription.Select(c => char.IsControl(c) ? ' ' : c))}\"";
    }

    // The other end is told, but what it still sends is not read: its goodbye is not waited for.
    private void CloseWithoutWaiting(LinkEnd end)
    {
        End(end);
        _abort.CancelAfter(_options.CloseTimeout);
    }

    private void EndAbruptly(LinkEnd end)
    {
        End(end);
        _abort.Cancel();
        _socket.Abort();
    }

    // A ping without an echo shows as a fault within another exception; a peer's fault stands alone.
    private LinkEnd Broken(Exception exception) => exception switch
    {
        { InnerException: not null } when exception.GetBaseException() is WebSocketException { WebSocketErrorCode: WebSocketError.Faulted } =>
            new(LinkEndReason.ReadTimeout, $"a ping had no echo within {_options.PongTimeout.TotalSeconds:0.###} s") { Exception = exception },
        WebSocketException { WebSocketErrorCode: WebSocketError.ConnectionClosedPrematurely } =>
            new(LinkEndReason.Broken, "the connection broke without a goodbye") { Exception = exception },
        WebSocketException { WebSocketErrorCode: WebSocketError.Faulted or WebSocketError.HeaderError } =>
            new(LinkEndReason.ProtocolError, $"the other end does not speak WebSocket: {exception.Message}") { Exception = exception },
        _ => new(LinkEndReason.Broken, $"the connection broke: {exception.GetBaseException().Message}") { Exception = exception },
    };

    // A close frame has room for 123 bytes.
    private static string Brief(LinkEnd end) => end.Reason == LinkEndReason.ClosedByPeer ? "" : end.Detail.Length <= 40 ? end.Detail : end.Detail[..40];

    private sealed class ReceiverException(Exception inner) : Exception(inner.Message, inner);
}
