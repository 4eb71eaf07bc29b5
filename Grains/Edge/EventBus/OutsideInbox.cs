using MQTTnet.Packets;
using MQTTnet.Protocol;

namespace EdgeOrleans.Edge.EventBus;

/// <summary>What comes from a broker outside: requests go to the twins, the topics of the cloud go up, and nothing else was asked for.</summary>
internal sealed class OutsideInbox(TwinRequests requests, TimeProvider time)
{
    // So often in a row one topic may fail before its message is given up.
    private const int MostFailures = 3;
    private const int MostRemembered = 256;

    // Those of the reference (4.1); the devices' also without a namespace, as KubeEdge had them up to v1.16.
    private static readonly string[] Requests =
    [
        "$hw/events/device/+/+/state/update",
        "$hw/events/device/+/+/twin/+",
        "$hw/events/device/+/state/update",
        "$hw/events/device/+/twin/+",
        "$hw/events/node/+/membership/get",
    ];

    private readonly Lock _gate = new();
    private readonly Dictionary<string, int> _failures = new(StringComparer.Ordinal);

    public Echoes Echoes { get; } = new(time);

    public bool IsBusy => requests.UnderWay > 1;

    /// <summary>What the node listens to.</summary>
    public IReadOnlyList<string> Filters { get; } = Requests;

    public bool Listens(string topic)
    {
        foreach (var filter in Filters)
        {
            if (SubscriptionIndex.Matches(topic, filter))
            {
                return true;
            }
        }

        return false;
    }

    /// <summary>Takes a message. It returns when the next may be read.</summary>
    public ValueTask TakeAsync(IMqttPeer broker, MqttPublishPacket publish, Acknowledgements.Owed? owed, CancellationToken cancellation)
    {
        var topic = requests.Read(publish.Topic);
        switch (topic.Kind)
        {
            case TopicKind.Request or TopicKind.BadDevice:
                return requests.TakeAsync(broker, topic, publish, owed, cancellation);
            default:
                broker.Acknowledge(owed, MqttPubAckReasonCode.Success);
                return ValueTask.CompletedTask;
        }
    }

    /// <summary>A message to a topic was carried out.</summary>
    public void Done(string topic)
    {
        lock (_gate)
        {
            _failures.Remove(topic);
        }
    }

    /// <summary>A message to a topic was not carried out.</summary>
    /// <returns>Whether this was the last time that it was tried.</returns>
    public bool Fails(string topic)
    {
        lock (_gate)
        {
            var failures = _failures.GetValueOrDefault(topic) + 1;
            if (failures < MostFailures && _failures.Count >= MostRemembered)
            {
                _failures.Clear();
            }

            _failures[topic] = failures;
            return failures >= MostFailures;
        }
    }
}
