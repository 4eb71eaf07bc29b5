using System.Text;
using System.Text.Unicode;
using EdgeOrleans.Beehive;
using EdgeOrleans.Link;
using EdgeOrleans.Modules;
using MQTTnet.Protocol;

namespace EdgeOrleans.Edge.EventBus;

/// <summary>A message that goes up with the commit of its publish.</summary>
internal sealed class Upload(OutboxEntry entry)
{
    public OutboxEntry Entry { get; } = entry;

    /// <summary>Whether the outbox had no room for it.</summary>
    public bool IsRefused { get; set; }
}

/// <summary>Makes uploads of what is published to the cloud's topics.</summary>
internal sealed class Uploads(Outbox outbox, Refusals refusals, TimeProvider time)
{
    /// <summary>What goes up of a publish: nothing, when it is for somebody else or there is no cloud.</summary>
    public Upload? Of(Outlet outlet, TopicKind kind, ReadOnlyMemory<byte> payload)
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
        });
    }

    /// <summary>What its publisher hears when the commit is done. MQTT 3.1.1 has no way to say that there was no room; it is counted.</summary>
    public MqttPubAckReasonCode ReasonOf(Upload? upload)
    {
        if (upload is not { IsRefused: true })
        {
            return MqttPubAckReasonCode.Success;
        }

        refusals.Count("mqtt.upload-refused");
        return MqttPubAckReasonCode.QuotaExceeded;
    }

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
