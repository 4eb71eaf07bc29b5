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

    /// <summary>
    /// How many messages with QoS 1 or 2 wait for one client at the most, those that it has not acknowledged included. Default: 1,000;
    /// edgecore's is 100.
    /// </summary>
    [Range(1, 60_000)]
    public int MqttSessionQueueSize { get; init; } = 1_000;

    /// <summary>How many bytes of such messages wait for one client at the most. Default: 16 MiB.</summary>
    [Size]
    [Range(64 * 1_024, 1_024 * 1_024 * 1_024)]
    public int SessionQueueBytes { get; init; } = 16 * 1_024 * 1_024;

    /// <summary>How long a message waits for a client that is away; older ones are dropped and counted. Zero for ever. Default: 7 days.</summary>
    [Range(typeof(TimeSpan), "00:00:00", "3650.00:00:00")]
    public TimeSpan SessionQueueAge { get; init; } = TimeSpan.FromDays(7);

    /// <summary>What gives way when a client's queue is full: <c>oldest</c>, as in edgecore, or <c>newest</c>. Default: oldest.</summary>
    public QueuePolicy SessionQueueFull { get; init; } = QueuePolicy.Oldest;

    /// <summary>How many messages are sent to a client before it has acknowledged the first; a client of MQTT 5 may want fewer. Default: 256.</summary>
    [Range(1, 10_000)]
    public int MaxUnacknowledged { get; init; } = 256;

    /// <summary>How many sessions there may be, those of clients that are away included. Default: 20,000.</summary>
    [Range(1, 1_000_000)]
    public int MaxSessions { get; init; } = 20_000;

    /// <summary>How long a session outlives its connection at the most, whatever its client wants. Zero for ever. Default: zero.</summary>
    [Range(typeof(TimeSpan), "00:00:00", "3650.00:00:00")]
    public TimeSpan MaxSessionExpiry { get; init; }

    /// <summary>How many subscriptions one client may have. Default: 1,000.</summary>
    [Range(1, 100_000)]
    public int MaxSubscriptions { get; init; } = 1_000;

    /// <summary>How many topics may have a retained message; on more the message is passed on and not retained. Default: 10,000.</summary>
    [Range(1, 10_000_000)]
    public int MaxRetainedMessages { get; init; } = 10_000;

    /// <summary>How many bytes the retained messages may have together. Default: 64 MiB.</summary>
    [Size]
    [Range(64 * 1_024, 1_024 * 1_024 * 1_024)]
    public int MaxRetainedBytes { get; init; } = 64 * 1_024 * 1_024;

    /// <summary>The longest keep-alive of a client of MQTT 5; one that wants a longer one or none is given this. Zero for any. Default: zero.</summary>
    [Range(typeof(TimeSpan), "00:00:00", "18:12:15")]
    public TimeSpan MaxKeepAlive { get; init; }

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

    /// <summary>How many clients may be connected from one address. Default: 5,000.</summary>
    [Range(1, 1_000_000)]
    public int MaxConnectionsPerAddress { get; init; } = 5_000;

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

/// <summary>What gives way when a queue is full.</summary>
public enum QueuePolicy
{
    /// <summary>The message that has waited for longest.</summary>
    Oldest,

    /// <summary>The message that comes.</summary>
    Newest,
}
