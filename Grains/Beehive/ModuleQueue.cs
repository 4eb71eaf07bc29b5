using System.Threading.Channels;

namespace EdgeOrleans.Beehive;

/// <summary>What has arrived for one module of this process and was not received yet.</summary>
/// <remarks>
/// Its bound is kept where messages enter: a sender is refused while <see cref="IsFull"/>. What was accepted before always finds room,
/// so the stream never waits for a module (a delivery that waits longer than Orleans' call time-out would be repeated).
/// </remarks>
internal sealed class ModuleQueue(string name, int limit)
{
    private const string EndOperation = "beehive.end";
    private readonly Channel<Message> _messages = Channel.CreateUnbounded<Message>();
    private readonly string _endId = $"{name}/end/{Guid.NewGuid():N}";
    private volatile bool _closed;
    private volatile StreamId[] _streams = [StreamId.Create(Groups.User, name)];
    private volatile bool _joined;
    private int _count;
    private int _ends;

    public string Name => name;

    /// <summary>Where messages to the module's name go: its first group; a module without a group listens, as no member, beside the user's.</summary>
    public StreamId Home => _streams[0];

    /// <summary>All streams the module listens at.</summary>
    public IReadOnlyList<StreamId> Streams => _streams;

    /// <summary>Whether nothing new is taken.</summary>
    public bool IsClosed => _closed;

    public bool IsFull => Volatile.Read(ref _count) >= limit;

    /// <summary>How many messages wait to be received.</summary>
    public int Count => Volatile.Read(ref _count);

    /// <summary>Ends when the queue was ended and everything in it received.</summary>
    public Task Drained => _messages.Reader.Completion;

    /// <summary>Adds a stream that the module listens at. Only the registry calls it, one call at a time.</summary>
    public StreamId Listen(string group)
    {
        var stream = StreamId.Create(group, name);
        var streams = _streams;
        if (Array.IndexOf(streams, stream) < 0 || !_joined)
        {
            _streams = _joined ? [.. streams, stream] : [stream, .. streams.Where(s => s != stream)];
        }

        _joined = true;
        return stream;
    }

    /// <summary>Takes a message that has arrived.</summary>
    /// <returns>False when the queue has ended: the message is not in it.</returns>
    public bool Put(Message message)
    {
        if (message.Route.Operation == EndOperation)
        {
            if (message.Header.Id != _endId)
            {
                return false;
            }

            if (Interlocked.Decrement(ref _ends) == 0)
            {
                _messages.Writer.TryComplete();
            }

            return true;
        }

        Interlocked.Increment(ref _count);
        if (_messages.Writer.TryWrite(message))
        {
            return true;
        }

        Interlocked.Decrement(ref _count);
        return false;
    }

    public ValueTask<Message> ReceiveAsync(CancellationToken cancellation) =>
        cancellation.IsCancellationRequested ? ValueTask.FromCanceled<Message>(cancellation)
        : TryReceive(out var message) ? ValueTask.FromResult(message!)
        : WaitAsync(cancellation);

    /// <summary>Takes nothing new from now on; what is on its way still arrives. Only the registry calls it, one call at a time.</summary>
    /// <returns>The message that ends the queue once each of <see cref="Streams"/> has carried it behind all that was sent before; null when it is closed already.</returns>
    public Message? Close()
    {
        if (_closed)
        {
            return null;
        }

        _closed = true;
        _ends = _streams.Length;
        return new Message { Header = new MessageHeader { Id = _endId }, Route = new MessageRoute { Operation = EndOperation } };
    }

    /// <summary>Ends the queue and gives back what nobody received.</summary>
    public IReadOnlyList<Message> End()
    {
        _messages.Writer.TryComplete();
        var left = new List<Message>();
        while (TryReceive(out var message))
        {
            left.Add(message!);
        }

        return left;
    }

    private bool TryReceive(out Message? message)
    {
        if (!_messages.Reader.TryRead(out message))
        {
            return false;
        }

        Interlocked.Decrement(ref _count);
        return true;
    }

    private async ValueTask<Message> WaitAsync(CancellationToken cancellation)
    {
        while (await _messages.Reader.WaitToReadAsync(cancellation))
        {
            if (TryReceive(out var message))
            {
                return message!;
            }
        }

        throw new ModuleUnavailableException(name, "stopped");
    }
}
