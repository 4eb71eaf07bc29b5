namespace EdgeOrleans.Mqtt;

/// <summary>A client that is connected.</summary>
[GenerateSerializer, Immutable, Alias("mqtt.client")]
public sealed record MqttClientView
{
    /// <summary>Its identifier.</summary>
    [Id(0)]
    public required string ClientId { get; init; }

    /// <summary>Where it is, as <c>address:port</c>.</summary>
    [Id(1)]
    public string Address { get; init; } = "";

    /// <summary>The MQTT that it speaks: <c>3.1</c>, <c>3.1.1</c> or <c>5</c>.</summary>
    [Id(2)]
    public string Version { get; init; } = "";

    /// <summary>Since when it is connected.</summary>
    [Id(3)]
    public DateTimeOffset Since { get; init; }

    /// <summary>The keep-alive that holds for it; after one and a half of it in silence its connection ends. Zero for none.</summary>
    [Id(4)]
    public TimeSpan KeepAlive { get; init; }

    /// <summary>Whether it began anew: what there was of it before was forgotten.</summary>
    [Id(5)]
    public bool IsClean { get; init; }

    /// <summary>What has gone to and fro on this connection.</summary>
    [Id(6)]
    public MqttTraffic Traffic { get; init; } = new();

    /// <summary>How many messages did not reach it; <see cref="MqttSessionDetail.Losses"/> says why.</summary>
    [Id(7)]
    public long Lost { get; init; }

    /// <summary>Its user, by password or certificate; empty when it has none.</summary>
    [Id(8)]
    public string User { get; init; } = "";

    /// <summary>Whether its connection is encrypted.</summary>
    [Id(9)]
    public bool IsTls { get; init; }
}

/// <summary>What has gone to and fro on one connection since it began. A packet to the client counts when it is given to its connection.</summary>
[GenerateSerializer, Immutable, Alias("mqtt.traffic")]
public sealed record MqttTraffic
{
    /// <summary>All packets of the client.</summary>
    [Id(0)]
    public long PacketsReceived { get; init; }

    /// <summary>Those of them that are messages, each as often as it came.</summary>
    [Id(1)]
    public long MessagesReceived { get; init; }

    /// <summary>The bytes of all its packets.</summary>
    [Id(2)]
    public long BytesReceived { get; init; }

    /// <summary>All packets to the client.</summary>
    [Id(3)]
    public long PacketsSent { get; init; }

    /// <summary>Those of them that are messages, each as often as it went.</summary>
    [Id(4)]
    public long MessagesSent { get; init; }

    /// <summary>The bytes that its socket has taken.</summary>
    [Id(5)]
    public long BytesSent { get; init; }
}
