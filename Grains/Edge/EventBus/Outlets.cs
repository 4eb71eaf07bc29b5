using System.Collections.Concurrent;
using System.Text;
using EdgeOrleans.Devices;

namespace EdgeOrleans.Edge.EventBus;

/// <summary>A topic that the node publishes to, with who listens there as of the last change of the subscriptions.</summary>
internal sealed class Outlet(string topic, SubscriptionIndex index)
{
    private volatile Found _found = new(0, []);

    public string Topic { get; } = topic;

    public byte[] TopicUtf8 { get; } = Encoding.UTF8.GetBytes(topic);

    public Subscription[] Subscribers
    {
        get
        {
            var found = _found;
            var version = index.Version;
            return found.Version == version ? found.Subscribers : (_found = new Found(version, index.Match(Topic))).Subscribers;
        }
    }

    private sealed record Found(int Version, Subscription[] Subscribers);
}

/// <summary>The topics of a resource: the one with the namespace, and for the default namespace the one without.</summary>
internal sealed record ResourceOutlets(Outlet Full, Outlet? OneLevel, bool IsAnswer);

/// <summary>Makes topics of resources, and remembers them.</summary>
internal sealed class Outlets(SubscriptionIndex index)
{
    private const int Most = 200_000;
    private const string DefaultDevice = $"device/{DeviceId.DefaultNamespace}/";
    private readonly ConcurrentDictionary<string, ResourceOutlets> _known = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<string, Outlet> _topics = new(StringComparer.Ordinal);

    public ResourceOutlets Of(string resource)
    {
        if (_known.TryGetValue(resource, out var outlets))
        {
            return outlets;
        }

        if (_known.Count >= Most)
        {
            _known.Clear();
        }

        return _known.GetOrAdd(resource, Make(resource));
    }

    /// <summary>The outlet of a topic that a client publishes to.</summary>
    public Outlet OfTopic(string topic)
    {
        if (_topics.TryGetValue(topic, out var outlet))
        {
            return outlet;
        }

        if (_topics.Count >= Most)
        {
            _topics.Clear();
        }

        return _topics.GetOrAdd(topic, static (name, subscriptions) => new Outlet(name, subscriptions), index);
    }

    private ResourceOutlets Make(string resource)
    {
        var oneLevel = resource.StartsWith(DefaultDevice, StringComparison.Ordinal)
            ? new Outlet($"{RequestTopics.Events}device/{resource[DefaultDevice.Length..]}", index)
            : null;
        return new ResourceOutlets(new Outlet(RequestTopics.Events + resource, index), oneLevel, resource.EndsWith("/result", StringComparison.Ordinal));
    }
}
