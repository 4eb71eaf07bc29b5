using System.ComponentModel.DataAnnotations;
using EdgeOrleans.Settings;

namespace EdgeOrleans.Edge.EventBus;

/// <summary>Settings of the MQTT door. Section: <c>modules.eventBus</c>, with edgecore's names where it has them.</summary>
public sealed class EventBusOptions
{
    /// <summary>0: the broker inside. 1 (both) and 2 (a broker outside alone) are not built. Default: 0; edgecore's is 2.</summary>
    [Range(0, 2)]
    public int MqttMode { get; init; }

    /// <summary>
    /// Where the broker inside listens, as <c>tcp://host:port</c>; <c>localhost</c> means both loopback addresses, port 0 any free one.
    /// Default: tcp://127.0.0.1:1883.
    /// </summary>
    [Required]
    public string MqttServerInternal { get; init; } = "tcp://127.0.0.1:1883";

    /// <summary>A broker outside, for modes 1 and 2. Default: none.</summary>
    public string MqttServerExternal { get; init; } = "";

    /// <summary>The QoS of what the node itself publishes; a subscriber gets the lower of this and its own. Default: 0.</summary>
    [Range(0, 2)]
    public int MqttQOS { get; init; }

    /// <summary>Whether the node's own publications are retained. Default: false.</summary>
    public bool MqttRetain { get; init; }

    /// <summary>How many messages wait for one client at the most; the oldest gives way. Default: 1,000; edgecore's is 100.</summary>
    [Range(1, 1_000_000)]
    public int MqttSessionQueueSize { get; init; } = 1_000;

    /// <summary>
    /// The largest packet a client may send, in bytes; a larger one ends its connection before anything is allocated for it. It is larger
    /// than what a twin reads (<c>modules.deviceTwin.maxPayload</c>), so that a request that is too large is answered. Default: 4 MiB.
    /// </summary>
    [Size]
    [Range(1_024, 256 * 1_024 * 1_024)]
    public int MaxPacketSize { get; init; } = 4 * 1_024 * 1_024;

    /// <summary>
    /// How many bytes may wait to be sent to one client; beyond it QoS 0 messages for it are dropped and counted. Default: 1 MiB.
    /// </summary>
    [Size]
    [Range(16 * 1_024, 256 * 1_024 * 1_024)]
    public int MaxPendingBytes { get; init; } = 1_024 * 1_024;

    /// <summary>How many clients may be connected. Default: 10,000.</summary>
    [Range(1, 1_000_000)]
    public int MaxConnections { get; init; } = 10_000;

    /// <summary>How many requests of one client are under way at once; beyond it the client is held back at its socket. Default: 64.</summary>
    [Range(1, 256)]
    public int MaxRequestsUnderWay { get; init; } = 64;

    /// <summary>How long a connection may take until its CONNECT packet is here. Default: 10 seconds.</summary>
    [Range(typeof(TimeSpan), "00:00:01", "00:05:00")]
    public TimeSpan ConnectTimeout { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>How long a request may stay without an answer of its twin, before it counts as failed. Default: 10 seconds.</summary>
    [Range(typeof(TimeSpan), "00:00:01", "00:05:00")]
    public TimeSpan RequestTimeout { get; init; } = TimeSpan.FromSeconds(10);
}
