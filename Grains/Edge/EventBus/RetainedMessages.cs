using Microsoft.Extensions.Options;

namespace EdgeOrleans.Edge.EventBus;

/// <summary>The last retained message of each topic, for clients that subscribe later. Bounded by number and bytes.</summary>
internal sealed class RetainedMessages(IOptions<EventBusOptions> options)
{
    private readonly Lock _gate = new();
    private readonly Dictionary<string, MqttMessage> _byTopic = new(StringComparer.Ordinal);
    private long _bytes;

    /// <summary>How many there are, and their bytes.</summary>
    public (int Messages, long Bytes) Load
    {
        get
        {
            lock (_gate)
            {
                return (_byTopic.Count, _bytes);
            }
        }
    }

    /// <summary>All of them, as they are now, in no order.</summary>
    public IReadOnlyList<MqttMessage> All
    {
        get
        {
            lock (_gate)
            {
                return [.. _byTopic.Values];
            }
        }
    }

    /// <summary>Whether a message may be retained. One that ends another always may.</summary>
    public bool HasRoomFor(MqttMessage message)
    {
        lock (_gate)
        {
            var before = _byTopic.GetValueOrDefault(message.Topic);
            return message.Payload.IsEmpty
                || ((before is not null || _byTopic.Count < options.Value.MaxRetainedMessages)
                    && _bytes + message.Size - (before?.Size ?? 0) <= options.Value.MaxRetainedBytes);
        }
    }

    /// <summary>Retains a message; an empty one ends what was retained on its topic.</summary>
    /// <returns>What it takes the place of.</returns>
    public MqttMessage? Set(MqttMessage message)
    {
        lock (_gate)
        {
            if (_byTopic.Remove(message.Topic, out var before))
            {
                _bytes -= before.Size;
            }

            if (!message.Payload.IsEmpty)
            {
                _byTopic[message.Topic] = message;
                _bytes += message.Size;
            }

            return before;
        }
    }

    /// <summary>Retains a message, and says who listens to it in this moment: who subscribes later finds it here.</summary>
    public (MqttMessage? Replaced, Subscription[] Listeners) Set(MqttMessage message, Outlet outlet)
    {
        lock (_gate)
        {
            return (Set(message), outlet.Subscribers);
        }
    }

    /// <summary>Subscribes, and says what is retained in this moment: what is published later reaches the subscription.</summary>
    public IReadOnlyList<MqttMessage> Match(SubscriptionIndex index, Subscription subscription, bool isWanted)
    {
        lock (_gate)
        {
            index.Add(subscription);
            return isWanted ? Match(subscription.Filter) : [];
        }
    }

    /// <summary>What is retained on a topic.</summary>
    public MqttMessage? Find(string topic)
    {
        lock (_gate)
        {
            return _byTopic.GetValueOrDefault(topic);
        }
    }

    public bool IsCurrent(MqttMessage message) => ReferenceEquals(Find(message.Topic), message);

    /// <summary>What is retained on the topics of a filter.</summary>
    public IReadOnlyList<MqttMessage> Match(string filter)
    {
        lock (_gate)
        {
            if (!SubscriptionIndex.HasWildcard(filter))
            {
                return _byTopic.TryGetValue(filter, out var message) ? [message] : [];
            }

            return [.. _byTopic.Values.Where(message => SubscriptionIndex.Matches(message.Topic, filter)).OrderBy(message => message.Created)];
        }
    }

    /// <summary>Ends what is retained on a topic.</summary>
    /// <returns>What it was; null for nothing.</returns>
    public MqttMessage? Remove(string topic)
    {
        lock (_gate)
        {
            if (_byTopic.Remove(topic, out var message))
            {
                _bytes -= message.Size;
            }

            return message;
        }
    }

    /// <summary>Removes what has expired.</summary>
    /// <returns>What it was.</returns>
    public IReadOnlyList<MqttMessage> Expire(long now)
    {
        lock (_gate)
        {
            List<MqttMessage> expired = [.. _byTopic.Values.Where(message => message.IsExpired(now))];
            foreach (var message in expired)
            {
                _byTopic.Remove(message.Topic);
                _bytes -= message.Size;
            }

            return expired;
        }
    }
}
