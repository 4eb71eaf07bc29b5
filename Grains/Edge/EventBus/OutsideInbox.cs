using MQTTnet.Packets;
using MQTTnet.Protocol;

namespace EdgeOrleans.Edge.EventBus;

/// <summary>What comes from a broker outside: requests go to the twins, the topics of the cloud go up, and nothing else was asked for.</summary>
internal sealed class OutsideInbox(TwinRequests requests, HubTopics hubTopics, Outlets outlets, Publisher publisher, Uploads uploads, TimeProvider time)
{
    // So often in a row one topic may fail before its message is given up.
    private const int MostFailures = 3;
    private const int MostRemembered = 256;

    // Those of the reference (4.1); the devices' also without a namespace, as KubeEdge had them up to v1.16.
    private static readonly string[] Requested =
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
    public IEnumerable<string> Filters => Requested.Concat(hubTopics.Filters);

    public bool Listens(string topic) => hubTopics.Has(topic) || Array.Exists(Requested, filter => SubscriptionIndex.Matches(topic, filter));

    /// <summary>Takes a message. It returns when the next may be read.</summary>
    public ValueTask TakeAsync(IMqttPeer broker, MqttPublishPacket publish, Acknowledgements.Owed? owed, CancellationToken cancellation)
    {
        var topic = requests.Read(publish.Topic);
        switch (topic.Kind)
        {
            case TopicKind.Request or TopicKind.BadDevice:
                return requests.TakeAsync(broker, topic, publish, owed, cancellation);
            default:
                return UploadAsync(broker, topic, publish, owed, cancellation);
        }
    }

    private async ValueTask UploadAsync(
        IMqttPeer broker, RequestTopic topic, MqttPublishPacket publish, Acknowledgements.Owed? owed, CancellationToken cancellation)
    {
        var outlet = outlets.OfTopic(publish.Topic);
        var message = MqttMessage.Of(publish, outlet, retain: false, expiry: null, time.GetUtcNow().ToUnixTimeMilliseconds());
        if (uploads.Of(outlet, topic.Kind, message.Payload) is not { } upload)
        {
            broker.Acknowledge(owed, MqttPubAckReasonCode.Success);
            return;
        }

        await broker.Window.EnterAsync(cancellation);
        _ = AcknowledgeAsync(broker, owed, upload, publisher.UploadAsync(message, upload));
    }

    private static async Task AcknowledgeAsync(IMqttPeer broker, Acknowledgements.Owed? owed, Upload upload, Task<bool> storing)
    {
        if (await storing)
        {
            broker.Acknowledge(owed, Uploads.ReasonOf(upload));
        }
        else
        {
            broker.NotDone(owed);
        }

        broker.Window.Leave();
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
