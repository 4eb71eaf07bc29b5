using EdgeOrleans.Modules;
using Microsoft.Extensions.Options;

namespace EdgeOrleans.Edge.EventBus;

/// <summary>
/// Gives messages to those who listen, whoever has published them. With QoS 0 a message goes straight into the client's connection;
/// with QoS 1 and 2 it takes its place in the client's session, and waits there for the commit where something of it is to survive.
/// </summary>
internal sealed class Publisher(
    Outlets outlets, MqttStore store, RetainedMessages retained, Refusals refusals, IOptions<EventBusOptions> options, TimeProvider time)
{
    private static readonly PublishHead Plain = new(0, 0, false, false, [], null, []);
    private int _underWay;

    /// <summary>How many messages are on their way to the disk.</summary>
    public int UnderWay => _underWay;

    /// <summary>Whether anybody would get a publication of this resource. What is retained is always made.</summary>
    public bool IsHeard(ResourceOutlets resource) =>
        options.Value.MqttRetain || outlets.Own is not null || resource.Full.Subscribers.Length > 0 || resource.OneLevel?.Subscribers.Length > 0;

    /// <summary>Publishes a resource: an answer in the form of its request, everything else in both forms.</summary>
    /// <returns>Ends when what survives is on disk, with whether it is; null when there is nothing to wait for.</returns>
    public Task<bool>? Publish(string resource, bool oneLevel, ReadOnlyMemory<byte> payload)
    {
        var found = outlets.Of(resource);
        Task<bool>? storing = null;
        if (!found.IsAnswer || !oneLevel || found.OneLevel is null)
        {
            storing = PublishOwn(found.Full, payload);
        }

        if (found.OneLevel is { } withoutNamespace && (!found.IsAnswer || oneLevel))
        {
            storing = Both(storing, PublishOwn(withoutNamespace, payload));
        }

        return storing;
    }

    /// <summary>Publishes to a topic that somebody else has chosen.</summary>
    /// <returns>Ends when what survives is on disk, with whether it is; null when there is nothing to wait for.</returns>
    public Task<bool>? PublishTopic(string topic, ReadOnlyMemory<byte> payload) => PublishOwn(outlets.OfTopic(topic), payload);

    /// <summary>Sends up what comes from a broker outside: who listens there has heard it.</summary>
    public Task<bool> UploadAsync(MqttMessage message, Upload upload) => CommitAsync(new MqttChange(message) { Upload = upload }, replaced: null);

    /// <summary>Publishes to a topic that is not worth remembering: nobody can say how many there are of its kind.</summary>
    public void PublishOnce(string resource, ReadOnlyMemory<byte> payload)
    {
        if (resource.Length > 0)
        {
            var outlet = outlets.Once(RequestTopics.Events + resource);
            Deliver(outlet, payload, options.Value.MqttQOS, sender: null);
            PublishOutside(outlet, payload);
        }
    }

    /// <summary>Gives a message to each subscriber with the lower of both QoS.</summary>
    /// <param name="outlet">The topic and who listens.</param>
    /// <param name="payload">The message.</param>
    /// <param name="qos">Its QoS.</param>
    /// <param name="sender">The session of the client that published it; null when the node did.</param>
    /// <returns>Ends when what survives is on disk, with whether it is; null when there is nothing to wait for.</returns>
    public Task<bool>? Deliver(Outlet outlet, ReadOnlyMemory<byte> payload, int qos, Session? sender)
    {
        if (qos > 0)
        {
            return Publish(NewMessage(outlet, payload, qos, retain: false), outlet, sender);
        }

        foreach (var subscription in outlet.Subscribers)
        {
            if (For(subscription, sender) is { Session.Connection: { } connection } wish)
            {
                connection.TryPublish(outlet.TopicUtf8, payload.Span, wish.Identifiers.Length == 0 ? Plain : Plain with { Identifiers = wish.Identifiers });
            }
        }

        return null;
    }

    /// <summary>Whether a publish of this kind has something to wait for.</summary>
    public static bool Survives(Outlet outlet, int qos, bool retain)
    {
        if (qos == 0)
        {
            return false;
        }

        if (retain)
        {
            return true;
        }

        foreach (var subscription in outlet.Subscribers)
        {
            if (subscription.Qos > 0 && subscription.Session.IsStored)
            {
                return true;
            }
        }

        return false;
    }

    /// <summary>Whether a publication of this resource is on disk for somebody before what it answers is acknowledged.</summary>
    public bool IsPromised(ResourceOutlets resource) =>
        outlets.Own is not null || IsPromised(resource.Full) || (resource.OneLevel is { } oneLevel && IsPromised(oneLevel));

    private bool IsPromised(Outlet outlet) => Survives(outlet, options.Value.MqttQOS, options.Value.MqttRetain);

    /// <summary>Publishes a message.</summary>
    /// <param name="message">The message.</param>
    /// <param name="outlet">Its topic and who listens.</param>
    /// <param name="sender">The session of the client that published it; null when the node did.</param>
    /// <param name="received">Its identifier when a session that survives has published it with QoS 2; 0 otherwise.</param>
    /// <param name="upload">What goes to the cloud with it.</param>
    /// <param name="will">The number of the last will that it is; 0 for any other message. Its row goes with what it changes, or behind it.</param>
    /// <returns>Ends when what survives is on disk, with whether it is; null when there is nothing to wait for.</returns>
    public Task<bool>? Publish(MqttMessage message, Outlet outlet, Session? sender = null, ushort received = 0, Upload? upload = null, long will = 0)
    {
        var (replaced, listeners) = message.Retain ? retained.Set(message, outlet) : (null, outlet.Subscribers);
        var isPromised = received != 0 || upload is not null || (will != 0 && message.Retain);
        var change = isPromised || Survives(outlet, message.Qos, message.Retain) ? NewChange(message, sender, received, upload) : null;
        if (message.Retain && change is null)
        {
            RetainLater(message, replaced);
        }

        foreach (var subscription in listeners)
        {
            if (For(subscription, sender) is { } wish)
            {
                Give(message, wish, ref change);
            }
        }

        if (change is not null)
        {
            change.Will = will;
            return CommitAsync(change, replaced);
        }

        if (will != 0)
        {
            _ = store.ForgetWillAsync(will);
        }

        return null;
    }

    /// <summary>Both, where there are two.</summary>
    public static Task<bool>? Both(Task<bool>? one, Task<bool>? other)
    {
        return one is null ? other : other is null ? one : TogetherAsync(one, other);

        static async Task<bool> TogetherAsync(Task<bool> one, Task<bool> other) => await one & await other;
    }

    private Task<bool>? PublishOwn(Outlet outlet, ReadOnlyMemory<byte> payload) =>
        outlets.Own is null ? PublishInside(outlet, payload) : Both(PublishOutside(outlet, payload), PublishInside(outlet, payload));

    // With QoS 1 and not retained, whatever the broker inside does: as edgecore.
    private Task<bool>? PublishOutside(Outlet outlet, ReadOnlyMemory<byte> payload)
    {
        MqttChange? change = null;
        if (outlets.Own is { } wish)
        {
            Give(NewMessage(outlet, payload, qos: 1, retain: false), wish, ref change);
        }

        return change is null ? null : CommitAsync(change, replaced: null);
    }

    private Task<bool>? PublishInside(Outlet outlet, ReadOnlyMemory<byte> payload)
    {
        var (qos, retain) = (options.Value.MqttQOS, options.Value.MqttRetain);
        if (!retain)
        {
            return Deliver(outlet, payload, qos, sender: null);
        }

        var message = NewMessage(outlet, payload, qos, retain: true);
        return Publish(retained.HasRoomFor(message) ? message : NewMessage(outlet, payload, qos, retain: false), outlet);
    }

    private static Subscription? For(Subscription subscription, Session? sender) =>
        ReferenceEquals(subscription.Session, sender) ? subscription.Own : subscription;

    private static void Give(MqttMessage message, Subscription wish, ref MqttChange? change)
    {
        var (session, qos) = (wish.Session, Math.Min(message.Qos, wish.Qos));
        if (qos == 0)
        {
            session.Connection?.TryPublish(
                message.TopicUtf8,
                message.Payload.Span,
                new PublishHead(0, 0, false, wish.RetainAsPublished && message.Retain, message.Properties, message.SecondsLeft(message.Created), wish.Identifiers));
            return;
        }

        // With QoS 2 nobody hears of it before its sender's promise is kept: the sender would send it again as if it was new.
        if (session.IsStored)
        {
            change ??= new MqttChange(message);
        }

        var isHeld = session.IsStored || (change is not null && message.Qos == 2);
        if (!session.TryAdd(message, qos, wish, isHeld, out var delivery))
        {
            return;
        }

        if (!isHeld)
        {
            session.Pump();
        }
        else if (session.IsStored)
        {
            change!.Deliveries.Add(delivery);
        }
        else
        {
            change!.Held.Add(delivery);
        }
    }

    private static MqttChange NewChange(MqttMessage message, Session? sender, ushort received, Upload? upload)
    {
        if (received != 0)
        {
            sender!.Incoming.StoredWithItsMessage(received);
        }

        return new MqttChange(message) { Retains = message.Retain, Upload = upload, Received = received == 0 ? null : (sender!, received) };
    }

    private async Task<bool> CommitAsync(MqttChange change, MqttMessage? replaced)
    {
        Interlocked.Increment(ref _underWay);
        var isStored = await store.CommitAsync(change);
        if (change.Retains && !isStored)
        {
            store.RetainLater(change.Message.Topic);
        }

        if (replaced is not null)
        {
            store.Replaced(replaced);
        }

        if (!isStored && change.Will != 0)
        {
            // It has reached those who hear it now; said again it would reach them twice.
            refusals.Count("mqtt.not-stored");
            _ = store.ForgetWillAsync(change.Will);
        }

        if (isStored && change.Upload is { IsRefused: true })
        {
            refusals.Count("mqtt.upload-refused");
        }

        foreach (var delivery in change.Deliveries.Concat(change.Held))
        {
            if (isStored)
            {
                delivery.Session.Release(delivery);
            }
            else
            {
                delivery.Session.Withdraw(delivery);
            }
        }

        Interlocked.Decrement(ref _underWay);
        return isStored;
    }

    private void RetainLater(MqttMessage message, MqttMessage? replaced)
    {
        store.RetainLater(message.Topic);
        if (replaced is not null)
        {
            store.Replaced(replaced);
        }
    }

    private MqttMessage NewMessage(Outlet outlet, ReadOnlyMemory<byte> payload, int qos, bool retain) => new()
    {
        Topic = outlet.Topic,
        TopicUtf8 = outlet.TopicUtf8,
        Payload = payload,
        Qos = qos,
        Retain = retain,
        Created = time.GetUtcNow().ToUnixTimeMilliseconds(),
    };
}
