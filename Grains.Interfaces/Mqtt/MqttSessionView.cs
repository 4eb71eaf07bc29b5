namespace EdgeOrleans.Mqtt;

/// <summary>A session: what the broker knows of a client, connected or not.</summary>
[GenerateSerializer, Immutable, Alias("mqtt.session")]
public sealed record MqttSessionView
{
    /// <summary>Its client's identifier.</summary>
    [Id(0)]
    public required string ClientId { get; init; }

    /// <summary>Whether its client is connected.</summary>
    [Id(1)]
    public bool IsConnected { get; init; }

    /// <summary>Whether it outlives its connection, and the process.</summary>
    [Id(2)]
    public bool IsStored { get; init; }

    /// <summary>How long it outlives its connection; null for ever.</summary>
    [Id(3)]
    public TimeSpan? Expiry { get; init; }

    /// <summary>When its connection ended; null while it has one.</summary>
    [Id(4)]
    public DateTimeOffset? Gone { get; init; }

    /// <summary>How many subscriptions it has.</summary>
    [Id(5)]
    public int Subscriptions { get; init; }

    /// <summary>How many messages with QoS 1 and 2 wait to be sent.</summary>
    [Id(6)]
    public int Waiting { get; init; }

    /// <summary>How many messages with QoS 1 and 2 are sent and not acknowledged to their end.</summary>
    [Id(7)]
    public int InFlight { get; init; }

    /// <summary>The bytes of both together, with what each costs beside its payload.</summary>
    [Id(8)]
    public long Bytes { get; init; }

    /// <summary>How many messages did not reach the client; <see cref="MqttSessionDetail.Losses"/> says why.</summary>
    [Id(9)]
    public long Lost { get; init; }
}

/// <summary>Everything of one client but its subscriptions.</summary>
[GenerateSerializer, Immutable, Alias("mqtt.session-detail")]
public sealed record MqttSessionDetail
{
    /// <summary>The session.</summary>
    [Id(0)]
    public required MqttSessionView Session { get; init; }

    /// <summary>The connection; null while there is none.</summary>
    [Id(1)]
    public MqttClientView? Client { get; init; }

    /// <summary>The age of the message that waits for longest; null when none waits.</summary>
    [Id(2)]
    public TimeSpan? OldestWaiting { get; init; }

    /// <summary>How many retained messages are still to be sent for its newest subscriptions.</summary>
    [Id(3)]
    public int RetainedWaiting { get; init; }

    /// <summary>How many messages with QoS 2 the client has published and not released.</summary>
    [Id(4)]
    public int Unreleased { get; init; }

    /// <summary>What is published when the client is lost; null for nothing.</summary>
    [Id(5)]
    public MqttWillView? Will { get; init; }

    /// <summary>What did not reach the client.</summary>
    [Id(6)]
    public MqttLosses Losses { get; init; } = new();
}

/// <summary>A last will without its payload.</summary>
[GenerateSerializer, Immutable, Alias("mqtt.will")]
public sealed record MqttWillView
{
    /// <summary>Where it is published.</summary>
    [Id(0)]
    public required string Topic { get; init; }

    /// <summary>With which QoS.</summary>
    [Id(1)]
    public int Qos { get; init; }

    /// <summary>Whether it is retained then.</summary>
    [Id(2)]
    public bool Retain { get; init; }

    /// <summary>How long the broker waits for the client to come back before.</summary>
    [Id(3)]
    public TimeSpan Delay { get; init; }

    /// <summary>When it is published, if the client does not come back; null while it is connected.</summary>
    [Id(4)]
    public DateTimeOffset? Due { get; init; }
}

/// <summary>Messages that did not reach a client, since its session began or the node started, whichever was later.</summary>
[GenerateSerializer, Immutable, Alias("mqtt.losses")]
public sealed record MqttLosses
{
    /// <summary>QoS 0, because the client read too slowly.</summary>
    [Id(0)]
    public long SlowReader { get; init; }

    /// <summary>QoS 1 and 2, because its queue was full.</summary>
    [Id(1)]
    public long QueueFull { get; init; }

    /// <summary>QoS 1 and 2, because they had waited too long.</summary>
    [Id(2)]
    public long Expired { get; init; }

    /// <summary>Those that were larger than the client takes.</summary>
    [Id(3)]
    public long TooLarge { get; init; }

    /// <summary>All of them.</summary>
    public long Total => SlowReader + QueueFull + Expired + TooLarge;
}

/// <summary>A subscription.</summary>
[GenerateSerializer, Immutable, Alias("mqtt.subscription")]
public sealed record MqttSubscriptionView
{
    /// <summary>Its topic filter.</summary>
    [Id(0)]
    public required string Filter { get; init; }

    /// <summary>The QoS that was granted.</summary>
    [Id(1)]
    public int Qos { get; init; }

    /// <summary>MQTT 5: whether the client's own messages do not come back to it.</summary>
    [Id(2)]
    public bool NoLocal { get; init; }

    /// <summary>MQTT 5: whether messages keep their retain flag.</summary>
    [Id(3)]
    public bool RetainAsPublished { get; init; }

    /// <summary>MQTT 5: when retained messages are sent: 0 always, 1 for a new subscription, 2 never.</summary>
    [Id(4)]
    public int RetainHandling { get; init; }

    /// <summary>MQTT 5: the identifier that the client gave it; 0 for none.</summary>
    [Id(5)]
    public long Identifier { get; init; }
}
