using EdgeOrleans.Modules;
using Microsoft.Extensions.Options;
using MQTTnet.Packets;
using MQTTnet.Protocol;

namespace EdgeOrleans.Edge.EventBus;

/// <summary>Who comes in, and what he may do: the one place where a CONNECT, a publish and a subscription are allowed or refused.</summary>
internal sealed class Admission(Refusals refusals, IOptions<EventBusOptions> options)
{
    private const int LongestClientId = 1_024;

    /// <summary>Whether a client is let in.</summary>
    public static MqttConnectReasonCode Admit(MqttConnectPacket connect)
    {
        if (!string.IsNullOrEmpty(connect.AuthenticationMethod))
        {
            return MqttConnectReasonCode.BadAuthenticationMethod;
        }

        if (connect.ClientId is { Length: > LongestClientId } or Session.Outside)
        {
            return MqttConnectReasonCode.ClientIdentifierNotValid;
        }

        return connect.WillFlag && !MqttRules.IsTopic(connect.WillTopic) ? MqttConnectReasonCode.TopicNameInvalid : MqttConnectReasonCode.Success;
    }

    /// <summary>Whether a client may publish to a topic; a will counts as published by its client.</summary>
    public bool MayPublish(RequestTopic topic)
    {
        if (topic.Kind != TopicKind.Reserved)
        {
            return true;
        }

        refusals.Count("mqtt.reserved-topic");
        return false;
    }

    /// <summary>What a client is granted for a filter: a QoS, or a reason why not.</summary>
    /// <param name="filter">What it wishes for.</param>
    /// <param name="count">How many subscriptions it has besides.</param>
    public MqttSubscribeReasonCode Grant(MqttTopicFilter filter, int count)
    {
        if (filter.Topic.StartsWith("$share/", StringComparison.Ordinal))
        {
            refusals.Count("mqtt.shared-subscription");
            return MqttSubscribeReasonCode.SharedSubscriptionsNotSupported;
        }

        if (!MqttRules.IsFilter(filter.Topic))
        {
            refusals.Count("mqtt.bad-filter");
            return MqttSubscribeReasonCode.TopicFilterInvalid;
        }

        if (count >= options.Value.MaxSubscriptions)
        {
            refusals.Count("mqtt.too-many-subscriptions");
            return MqttSubscribeReasonCode.QuotaExceeded;
        }

        return (MqttSubscribeReasonCode)filter.QualityOfServiceLevel;
    }
}
