using System.Buffers;
using System.Buffers.Binary;
using System.Net.Sockets;
using MQTTnet.Formatter;
using MQTTnet.Packets;
using MQTTnet.Protocol;

namespace EdgeOrleans.Edge.EventBus;

/// <summary>What became of a PUBLISH that was to be written.</summary>
internal enum Written
{
    /// <summary>It leaves with the next bytes.</summary>
    Yes,

    /// <summary>Too much waits already.</summary>
    Full,

    /// <summary>The client takes no packet of this size.</summary>
    TooLarge,

    /// <summary>The connection is over.</summary>
    Closed,
}

/// <summary>What stands before the payload of a PUBLISH.</summary>
/// <param name="Qos">Its QoS for this receiver.</param>
/// <param name="Id">Its packet identifier; 0 with QoS 0.</param>
/// <param name="Dup">Whether it may have been sent before.</param>
/// <param name="Retain">Whether it is a retained message, or the receiver wants the flag as it was published.</param>
/// <param name="Properties">What goes through unchanged.</param>
/// <param name="Expiry">What is left of its expiry interval.</param>
/// <param name="Identifiers">The identifiers of the subscriptions that it matches.</param>
internal readonly record struct PublishHead(
    int Qos,
    ushort Id,
    bool Dup,
    bool Retain,
    byte[] Properties,
    uint? Expiry,
    uint[] Identifiers);

/// <summary>
/// What waits to be sent on one connection. Writers append and never wait; one flush at a time takes everything that has gathered with
/// one system call.
/// </summary>
internal sealed class MqttSender(Stream stream, int maxPending, MqttPacketFormatterAdapter formatter, MqttSender.IOwner owner)
{
    private const int FirstBuffer = 2_048;
    private const int LargestKeptBuffer = 16_384;

    private readonly Lock _writing = new();
    private ArrayBufferWriter<byte> _pending = new(FirstBuffer);
    private ArrayBufferWriter<byte> _leaving = new(FirstBuffer);
    private bool _flushing;
    private bool _closed;
    private bool _starved;
    private TaskCompletionSource? _drained;
    private TaskCompletionSource? _written;

    /// <summary>Whose bytes these are.</summary>
    internal interface IOwner : IThreadPoolWorkItem
    {
        /// <summary>Whether more is likely to be written in the next moment.</summary>
        bool IsBusy { get; }

        CancellationToken Closing { get; }

        /// <summary>There is room again for somebody who found it full.</summary>
        void Drained();

        /// <summary>The socket takes no more.</summary>
        void Abort();
    }

    public long BytesSent { get; private set; }

    /// <summary>How large its buffers are, in bytes.</summary>
    public long Buffers => _pending.Capacity + (long)_leaving.Capacity;

    /// <summary>Packets that were given to it, those that still wait included.</summary>
    public long PacketsSent { get; private set; }

    /// <summary>Those of them that are messages.</summary>
    public long MessagesSent { get; private set; }

    /// <summary>The largest packet that the client takes; 0 for any.</summary>
    public uint LargestPacket { get; set; }

    public bool IsVersion5 => formatter.ProtocolVersion == MqttProtocolVersion.V500;

    public void Write(MqttPacket packet)
    {
        bool begins;
        lock (_writing)
        {
            if (packet is MqttPubAckPacket { ReasonCode: MqttPubAckReasonCode.Success, UserProperties: null, ReasonString: null } ack)
            {
                var span = _pending.GetSpan(4);
                (span[0], span[1]) = (0x40, 2);
                BinaryPrimitives.WriteUInt16BigEndian(span[2..], ack.PacketIdentifier);
                _pending.Advance(4);
            }
            else
            {
                Encode(packet);
            }

            PacketsSent++;
            begins = BeginsFlush();
        }

        Flush(begins);
    }

    public void WriteRaw(ReadOnlySpan<byte> bytes)
    {
        bool begins;
        lock (_writing)
        {
            _pending.Write(bytes);
            PacketsSent++;
            begins = BeginsFlush();
        }

        Flush(begins);
    }

    /// <summary>Appends a PUBLISH, and leaves it to the caller to let it go.</summary>
    /// <param name="topic">Its topic.</param>
    /// <param name="payload">Its payload.</param>
    /// <param name="head">The rest.</param>
    /// <param name="waits">Whether the caller comes back when there is room.</param>
    /// <param name="begins">Set when the caller has to call <see cref="Flush"/>.</param>
    public Written Append(ReadOnlySpan<byte> topic, ReadOnlySpan<byte> payload, in PublishHead head, bool waits, ref bool begins)
    {
        var inner = IsVersion5 ? PropertyLength(head) : 0;
        var properties = IsVersion5 ? VariableLength(inner) + inner : 0;
        var body = 2 + topic.Length + (head.Qos > 0 ? 2 : 0) + properties + payload.Length;
        var length = 1 + VariableLength(body) + body;
        if (LargestPacket > 0 && length > LargestPacket)
        {
            return Written.TooLarge;
        }

        lock (_writing)
        {
            if (_closed)
            {
                return Written.Closed;
            }

            if (_pending.WrittenCount > 0 && _pending.WrittenCount + length > maxPending)
            {
                _starved |= waits;
                return Written.Full;
            }

            var span = _pending.GetSpan(length);
            span[0] = (byte)(0x30 | (head.Dup ? 0x08 : 0) | (head.Qos << 1) | (head.Retain ? 1 : 0));
            var at = 1 + WriteVariable(span[1..], body);
            BinaryPrimitives.WriteUInt16BigEndian(span[at..], (ushort)topic.Length);
            at += 2;
            topic.CopyTo(span[at..]);
            at += topic.Length;
            if (head.Qos > 0)
            {
                BinaryPrimitives.WriteUInt16BigEndian(span[at..], head.Id);
                at += 2;
            }

            if (properties > 0)
            {
                at += WriteVariable(span[at..], inner);
                at += WriteProperties(span[at..], head);
            }

            payload.CopyTo(span[at..]);
            _pending.Advance(length);
            PacketsSent++;
            MessagesSent++;
            begins |= BeginsFlush();
        }

        return Written.Yes;
    }

    // With others under way it is left to the pool: what is written in the same moment goes out with the same system call. A single
    // answer goes at once: nothing would join it, and a thread less has to wake.
    public void Flush(bool begins)
    {
        if (!begins)
        {
            return;
        }

        if (owner.IsBusy)
        {
            ThreadPool.UnsafeQueueUserWorkItem(owner, preferLocal: false);
        }
        else
        {
            _ = FlushAsync();
        }
    }

    public async Task FlushAsync()
    {
        try
        {
            while (TakePending(out var starved))
            {
                if (starved)
                {
                    owner.Drained();
                }

                await stream.WriteAsync(_leaving.WrittenMemory, owner.Closing);
                BytesSent += _leaving.WrittenCount;
                _leaving.ResetWrittenCount();
                if (_leaving.Capacity > LargestKeptBuffer)
                {
                    _leaving = new ArrayBufferWriter<byte>(FirstBuffer);
                }
            }
        }
        catch (Exception e) when (e is IOException or SocketException or ObjectDisposedException or OperationCanceledException)
        {
            owner.Abort();
        }
    }

    /// <summary>Ends when less than the most that may wait is waiting.</summary>
    public Task Drained()
    {
        lock (_writing)
        {
            return _closed || _pending.WrittenCount < maxPending ? Task.CompletedTask : (_drained ??= NewSignal()).Task;
        }
    }

    /// <summary>Ends when everything has been given to the socket.</summary>
    public Task WrittenOut()
    {
        lock (_writing)
        {
            return _flushing && !_closed ? (_written ??= NewSignal()).Task : Task.CompletedTask;
        }
    }

    /// <summary>Nothing is written any more, and nobody waits for it.</summary>
    public void Close()
    {
        lock (_writing)
        {
            _closed = true;
            _drained?.TrySetResult();
            _written?.TrySetResult();
        }
    }

    private static TaskCompletionSource NewSignal() => new(TaskCreationOptions.RunContinuationsAsynchronously);

    private void Encode(MqttPacket packet)
    {
        var encoded = formatter.Encode(packet);
        _pending.Write(encoded.Packet);
        foreach (var part in encoded.Payload)
        {
            _pending.Write(part.Span);
        }

        formatter.Cleanup();
    }

    private bool BeginsFlush() => !_flushing && !_closed && (_flushing = true);

    private bool TakePending(out bool starved)
    {
        lock (_writing)
        {
            (starved, _starved) = (_starved, false);
            _drained?.TrySetResult();
            _drained = null;
            if (_pending.WrittenCount == 0)
            {
                _flushing = false;
                _written?.TrySetResult();
                return false;
            }

            (_pending, _leaving) = (_leaving, _pending);
            return true;
        }
    }

    private static int PropertyLength(in PublishHead head)
    {
        var length = head.Properties.Length + (head.Expiry is null ? 0 : 5);
        foreach (var identifier in head.Identifiers)
        {
            length += 1 + VariableLength((int)identifier);
        }

        return length;
    }

    private static int WriteProperties(Span<byte> span, in PublishHead head)
    {
        head.Properties.CopyTo(span);
        var at = head.Properties.Length;
        if (head.Expiry is { } expiry)
        {
            span[at++] = 0x02;
            BinaryPrimitives.WriteUInt32BigEndian(span[at..], expiry);
            at += 4;
        }

        foreach (var identifier in head.Identifiers)
        {
            span[at++] = 0x0B;
            at += WriteVariable(span[at..], (int)identifier);
        }

        return at;
    }

    private static int VariableLength(int value) => value switch { < 128 => 1, < 16_384 => 2, < 2_097_152 => 3, _ => 4 };

    private static int WriteVariable(Span<byte> span, int value)
    {
        var at = 0;
        do
        {
            span[at++] = (byte)((value & 0x7F) | (value > 127 ? 0x80 : 0));
            value >>= 7;
        }
        while (value > 0);
        return at;
    }
}
