namespace EdgeOrleans.Mqtt;

/// <summary>A retained message without its payload.</summary>
[GenerateSerializer, Immutable, Alias("mqtt.retained")]
public sealed record MqttRetainedView
{
    /// <summary>Its topic.</summary>
    [Id(0)]
    public required string Topic { get; init; }

    /// <summary>The QoS that it was published with.</summary>
    [Id(1)]
    public int Qos { get; init; }

    /// <summary>The bytes of its payload.</summary>
    [Id(2)]
    public int Bytes { get; init; }

    /// <summary>When it was published.</summary>
    [Id(3)]
    public DateTimeOffset Published { get; init; }

    /// <summary>When it ends; null for never.</summary>
    [Id(4)]
    public DateTimeOffset? Expires { get; init; }
}

/// <summary>A retained message with its payload.</summary>
[GenerateSerializer, Immutable, Alias("mqtt.retained-detail")]
public sealed record MqttRetainedDetail
{
    /// <summary>The most bytes of a payload that are shown: 64 KiB.</summary>
    public const int MaxPayload = 64 * 1_024;

    /// <summary>The message.</summary>
    [Id(0)]
    public required MqttRetainedView Message { get; init; }

    /// <summary>Its payload, or the first <see cref="MaxPayload"/> bytes of it.</summary>
    [Id(1)]
    public ReadOnlyMemory<byte> Payload { get; init; }

    /// <summary>Whether the payload is longer than what is here.</summary>
    [Id(2)]
    public bool IsCut { get; init; }
}
