using System.IO.Hashing;

namespace EdgeOrleans.Edge.EventBus;

/// <summary>
/// What the node has published itself on topics that it also listens to, so that it is not taken for somebody else's when the broker
/// outside sends it back. For brokers of MQTT 3.1.1 that know no bridges: the others can be asked not to.
/// </summary>
internal sealed class Echoes(TimeProvider time)
{
    /// <summary>How long an echo is expected.</summary>
    public static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    private const int Most = 65_536;
    private readonly Lock _gate = new();
    private readonly Dictionary<UInt128, Queue<long>> _expected = [];
    private readonly Queue<(UInt128 Key, long At)> _order = new();

    /// <summary>The node publishes this.</summary>
    public void Sent(ReadOnlySpan<byte> topic, ReadOnlySpan<byte> payload)
    {
        var key = KeyOf(topic, payload);
        lock (_gate)
        {
            Forget();
            var now = time.GetTimestamp();
            if (!_expected.TryGetValue(key, out var sent))
            {
                _expected[key] = sent = new Queue<long>(1);
            }

            sent.Enqueue(now);
            _order.Enqueue((key, now));
        }
    }

    /// <summary>Whether a message is one that the node has published; each counts once.</summary>
    public bool TryTake(ReadOnlySpan<byte> topic, ReadOnlySpan<byte> payload)
    {
        var key = KeyOf(topic, payload);
        lock (_gate)
        {
            Forget();
            return _expected.TryGetValue(key, out var sent) && Take(key, sent);
        }
    }

    private void Forget()
    {
        while (_order.TryPeek(out var oldest) && (_order.Count >= Most || time.GetElapsedTime(oldest.At) > Patience))
        {
            _order.Dequeue();
            if (_expected.TryGetValue(oldest.Key, out var sent) && sent.Peek() == oldest.At)
            {
                Take(oldest.Key, sent);
            }
        }
    }

    private bool Take(UInt128 key, Queue<long> sent)
    {
        sent.Dequeue();
        if (sent.Count == 0)
        {
            _expected.Remove(key);
        }

        return true;
    }

    private static UInt128 KeyOf(ReadOnlySpan<byte> topic, ReadOnlySpan<byte> payload)
    {
        var hash = new XxHash128();
        hash.Append(topic);
        hash.Append([0]);
        hash.Append(payload);
        return hash.GetCurrentHashAsUInt128();
    }
}
