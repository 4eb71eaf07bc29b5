using System.Text;
using EdgeOrleans.Devices;

namespace EdgeOrleans.Edge.EventBus;

/// <summary>A topic that the node publishes to, with who listens there as of the last change of the subscriptions.</summary>
internal sealed class Outlet(string topic, SubscriptionIndex index, HubTopics hub)
{
    private volatile Found _found = new(0, []);
    private volatile Way _way = new(-1, false);

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

    /// <summary>Whether what is published here goes to the cloud.</summary>
    public bool GoesUp
    {
        get
        {
            var way = _way;
            var version = hub.Version;
            return way.Version == version ? way.IsUp : (_way = new Way(version, hub.Has(Topic))).IsUp;
        }
    }

    private sealed record Way(int Version, bool IsUp);

    private sealed record Found(int Version, Subscription[] Subscribers);
}

/// <summary>The topics of a resource: the one with the namespace, and for the default namespace the one without.</summary>
internal sealed record ResourceOutlets(Outlet Full, Outlet? OneLevel, bool IsAnswer);

/// <summary>Makes topics of resources, and remembers them.</summary>
internal sealed class Outlets(SubscriptionIndex index, HubTopics hub)
{
    private const string DefaultDevice = $"device/{DeviceId.DefaultNamespace}/";
    private readonly TopicCache<ResourceOutlets> _resources = new();
    private readonly TopicCache<Outlet> _topics = new();

    /// <summary>Who gets everything that the node itself publishes.</summary>
    public Subscription? Own => index.Own;

    public ResourceOutlets Of(string resource) => _resources.TryGet(resource, out var outlets) ? outlets : _resources.Add(resource, Make(resource));

    /// <summary>The outlet of a topic that a client publishes to.</summary>
    public Outlet OfTopic(string topic) => _topics.TryGet(topic, out var outlet) ? outlet : _topics.Add(topic, Once(topic));

    /// <summary>The outlet of a topic, not remembered.</summary>
    public Outlet Once(string topic) => new(topic, index, hub);

    private ResourceOutlets Make(string resource)
    {
        var oneLevel = resource.StartsWith(DefaultDevice, StringComparison.Ordinal)
            ? new Outlet($"{RequestTopics.Events}device/{resource[DefaultDevice.Length..]}", index, hub)
            : null;
        return new ResourceOutlets(new Outlet(RequestTopics.Events + resource, index, hub), oneLevel, resource.EndsWith("/result", StringComparison.Ordinal));
    }
}
