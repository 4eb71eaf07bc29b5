using System.Text;
using System.Text.Unicode;
using EdgeOrleans.Beehive;
using EdgeOrleans.Link;
using EdgeOrleans.Modules;
using MQTTnet.Protocol;

namespace EdgeOrleans.Edge.EventBus;

/// <summary>A message that goes up with the commit of its publish.</summary>
internal sealed class Upload(OutboxEntry entry, bool isHeard)
{
    public OutboxEntry Entry { get; } = entry;

    /// <summary>Whether its publisher hears when there is no room. With QoS 2 that ends the exchange, and its identifier is free for another message.</summary>
    public bool IsHeard { get; } = isHeard;

    /// <summary>Whether the outbox had no room for it.</summary>
    public bool IsRefused { get; set; }
}

/// <summary>Makes uploads of what is published to the cloud's topics.</summary>
internal sealed class Uploads(Outbox outbox, Refusals refusals, TimeProvider time)
{
    /// <summary>What goes up of a publish: nothing, when it is for somebody else or there is no cloud.</summary>
    /// <param name="outlet">Its topic.</param>
    /// <param name="kind">What its topic means.</param>
    /// <param name="payload">The message.</param>
    /// <param name="isHeard">Whether its publisher hears when there is no room.</param>
    public Upload? Of(Outlet outlet, TopicKind kind, ReadOnlyMemory<byte> payload, bool isHeard = false)
    {
        if (kind != TopicKind.Free || !outlet.GoesUp)
        {
            return null;
        }

        if (!outbox.Enabled)
        {
            outbox.CountNoCloud(OutboxClasses.Telemetry);
            return null;
        }

        return new Upload(new OutboxEntry
        {
            Class = OutboxClasses.Telemetry,
            Source = "bus",
            Group = Groups.User,
            Operation = Operations.Upload,
            Resource = outlet.Topic,
            Content = Text(payload),
            IsText = true,
            Created = time.GetUtcNow().ToUnixTimeMilliseconds(),
        }, isHeard);
    }

    /// <summary>What its publisher hears when the commit is done. MQTT 3.1.1 has no way to say that there was no room.</summary>
    public static MqttPubAckReasonCode ReasonOf(Upload? upload) =>
        upload is { IsRefused: true } ? MqttPubAckReasonCode.QuotaExceeded : MqttPubAckReasonCode.Success;

    // On the wire it is a JSON string. What is no text is damaged by that, as in KubeEdge, but not in silence.
    private ReadOnlyMemory<byte> Text(ReadOnlyMemory<byte> payload)
    {
        if (Utf8.IsValid(payload.Span))
        {
            return payload;
        }

        refusals.Count("mqtt.upload-not-text");
        return Encoding.UTF8.GetBytes(Encoding.UTF8.GetString(payload.Span));
    }
}
