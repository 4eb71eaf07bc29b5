using System.Collections.Concurrent;
using MQTTnet;
using MQTTnet.Protocol;
using Microsoft.Extensions.Options;

namespace EdgeOrleans.Edge.EventBus;

/// <summary>Publishes what the node says to those who listen. A QoS 0 message goes straight to the client's connection, others through its session.</summary>
internal sealed class Publisher(SubscriptionIndex subscriptions, Outlets outlets, IOptions<EventBusOptions> options)
{
    private readonly Lock _retaining = new();
    private readonly ConcurrentDictionary<string, MqttConnection> _connected = new(StringComparer.Ordinal);
    private Task _retained = Task.CompletedTask;

    /// <summary>Keeps a message for later subscribers; set while the broker runs.</summary>
    internal Func<MqttApplicationMessage, Task>? Retain { get; set; }

    /// <summary>A client was accepted. Without a session it has wished for nothing yet, whatever a client of its name did before.</summary>
    public void Connected(string clientId, MqttConnection connection, bool hasSession)
    {
        if (!hasSession)
        {
            subscriptions.RemoveClient(clientId);
        }

        _connected[clientId] = connection;
    }

    public void Disconnected(string clientId, MqttConnection connection) => _connected.TryRemove(KeyValuePair.Create(clientId, connection));

    public MqttConnection? Find(string clientId) => _connected.GetValueOrDefault(clientId);

    /// <summary>Whether anybody would get a publication of this resource. What is retained is always made.</summary>
    public bool IsHeard(ResourceOutlets resource) =>
        options.Value.MqttRetain || resource.Full.Subscribers.Length > 0 || resource.OneLevel?.Subscribers.Length > 0;

    /// <summary>Publishes a resource: an answer in the form of its request, everything else in both forms.</summary>
    public void Publish(string resource, bool oneLevel, ReadOnlyMemory<byte> payload)
    {
        var found = outlets.Of(resource);
        if (!found.IsAnswer || !oneLevel || found.OneLevel is null)
        {
            Publish(found.Full, payload, options.Value.MqttQOS);
        }

        if (found.OneLevel is { } withoutNamespace && (!found.IsAnswer || oneLevel))
        {
            Publish(withoutNamespace, payload, options.Value.MqttQOS);
        }
    }

    private void Publish(Outlet outlet, ReadOnlyMemory<byte> payload, int qos)
    {
        if (options.Value.MqttRetain && Retain is { } retain)
        {
            // One after the other: the broker would let a later one overtake.
            lock (_retaining)
            {
                _retained = RetainAsync(_retained, retain, NewMessage(outlet, payload, qos, retained: true));
            }

            return;
        }

        Deliver(outlet, payload, qos, sender: null);
    }

    private static async Task RetainAsync(Task before, Func<MqttApplicationMessage, Task> retain, MqttApplicationMessage message)
    {
        await before.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        await retain(message).ConfigureAwait(false);
    }

    /// <summary>Publishes to a topic that is not worth remembering: nobody can say how many there are of its kind.</summary>
    public void PublishOnce(string resource, ReadOnlyMemory<byte> payload)
    {
        if (resource.Length > 0)
        {
            Deliver(outlets.Once(RequestTopics.Events + resource), payload, options.Value.MqttQOS, sender: null);
        }
    }

    /// <summary>Gives a message to each subscriber with the lower of both QoS.</summary>
    /// <param name="outlet">The topic and who listens.</param>
    /// <param name="payload">The message.</param>
    /// <param name="qos">Its QoS.</param>
    /// <param name="sender">The client that published it; null when the node did.</param>
    public void Deliver(Outlet outlet, ReadOnlyMemory<byte> payload, int qos, string? sender)
    {
        foreach (var subscription in outlet.Subscribers)
        {
            if (subscription.NoLocal && subscription.ClientId == sender)
            {
                continue;
            }

            var lower = Math.Min(qos, subscription.Qos);
            if (lower > 0)
            {
                subscription.Session.TryEnqueueApplicationMessage(NewMessage(outlet, payload, lower, retained: false), out _);
            }
            else if (_connected.TryGetValue(subscription.ClientId, out var connection))
            {
                connection.TryPublish(outlet.TopicUtf8, payload.Span, subscription.Identifier);
            }
        }
    }

    private static MqttApplicationMessage NewMessage(Outlet outlet, ReadOnlyMemory<byte> payload, int qos, bool retained) => new()
    {
        Topic = outlet.Topic,
        Payload = new(payload),
        QualityOfServiceLevel = (MqttQualityOfServiceLevel)qos,
        Retain = retained,
    };
}
