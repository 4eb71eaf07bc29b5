using System.Net;
using System.Net.Sockets;

namespace EdgeOrleans.Cloud.CloudHub;

/// <summary>How often one address may ask: so many a minute, saved up for at most a minute. A network of IPv6 (/64) is one address.</summary>
internal sealed class AddressLimit(int perMinute, TimeProvider time)
{
    // Who has more addresses than this drives out his own first.
    private const int MostAddresses = 10_000;

    private readonly Lock _lock = new();
    private readonly Dictionary<IPAddress, Bucket> _buckets = [];

    /// <summary>How many addresses are remembered.</summary>
    internal int Count => _buckets.Count;

    /// <summary>Takes one; false when there is none left. <paramref name="isFirst"/> says that there was one the time before.</summary>
    public bool TryTake(IPAddress address, out bool isFirst)
    {
        lock (_lock)
        {
            var bucket = Find(Network(address));
            var now = time.GetTimestamp();
            bucket.Left = Math.Min(perMinute, bucket.Left + perMinute * time.GetElapsedTime(bucket.At, now).TotalMinutes);
            bucket.At = now;
            var taken = bucket.Left >= 1;
            isFirst = !taken && !bucket.IsEmpty;
            (bucket.IsEmpty, bucket.Left) = (!taken, taken ? bucket.Left - 1 : bucket.Left);
            return taken;
        }
    }

    private Bucket Find(IPAddress network)
    {
        if (_buckets.TryGetValue(network, out var bucket))
        {
            return bucket;
        }

        if (_buckets.Count >= MostAddresses)
        {
            Forget();
        }

        return _buckets[network] = new Bucket { Left = perMinute, At = time.GetTimestamp() };
    }

    // A full bucket is as good as none; when all are in use, those least recently asked for go.
    private void Forget()
    {
        foreach (var (network, _) in _buckets.OrderBy(static b => b.Value.At).Take(MostAddresses / 2).ToList())
        {
            _buckets.Remove(network);
        }
    }

    private static IPAddress Network(IPAddress address)
    {
        if (address.IsIPv4MappedToIPv6)
        {
            return address.MapToIPv4();
        }

        if (address.AddressFamily != AddressFamily.InterNetworkV6)
        {
            return address;
        }

        Span<byte> bytes = stackalloc byte[16];
        address.TryWriteBytes(bytes, out _);
        bytes[8..].Clear();
        return new IPAddress(bytes);
    }

    private sealed class Bucket
    {
        public double Left;
        public long At;
        public bool IsEmpty;
    }
}
