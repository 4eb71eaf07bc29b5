using System.ComponentModel.DataAnnotations;
using EdgeOrleans.Settings;
using Microsoft.Extensions.Configuration;

namespace EdgeOrleans.Edge.EventBus;

/// <summary>Settings of the MQTT door. Section: <c>modules.eventBus</c>, with edgecore's names where it has them.</summary>
public sealed class EventBusOptions : IValidatableObject
{
    /// <summary>0: the broker inside. 1: the broker inside and a broker outside. 2: a broker outside alone. Default: 0; edgecore's is 2.</summary>
    [Range(0, 2)]
    public int MqttMode { get; init; }

    /// <summary>
    /// Where the broker inside listens, as <c>tcp://host:port</c>; <c>localhost</c> means both loopback addresses, port 0 any free one.
    /// Default: tcp://127.0.0.1:1883.
    /// </summary>
    [Required]
    public string MqttServerInternal { get; init; } = "tcp://127.0.0.1:1883";

    /// <summary>
    /// Where the broker inside listens with TLS, as <c>ssl://host:port</c>, such as ssl://127.0.0.1:8883. Without <see cref="TlsCertFile"/> the
    /// node makes its own certificate authority in <c>mqtt</c> below the data folder. Default: none.
    /// </summary>
    public string MqttServerTls { get; init; } = "";

    /// <summary>The broker's certificate, PEM, with those between it and its root. Read again when it changes. Default: the node's own.</summary>
    public string TlsCertFile { get; init; } = "";

    /// <summary>The private key of <see cref="TlsCertFile"/>, PEM. Default: none.</summary>
    public string TlsKeyFile { get; init; } = "";

    /// <summary>
    /// The CA certificates, PEM, that a client's certificate is verified against; its common name is the client's user. Default: the node's own
    /// authority, whose certificates <c>edgectl mqtt certificate</c> makes.
    /// </summary>
    public string TlsClientCaFile { get; init; } = "";

    /// <summary>
    /// The revocation lists of <see cref="TlsClientCaFile"/>, PEM or DER: whose certificate is in one is not let in. Read again when it changes.
    /// Default: none.
    /// </summary>
    public string TlsCrlFile { get; init; } = "";

    /// <summary>Whether a client with TLS needs a certificate. Default: false.</summary>
    public bool TlsRequireClientCertificate { get; init; }

    /// <summary>
    /// The file of users and the hashes of their passwords, in the format of <c>mosquitto_passwd</c>; <c>edgectl mqtt user</c> changes it, and what
    /// changes counts at once. With it clients have to say who they are. Default: none.
    /// </summary>
    public string MqttUserFile { get; init; } = "";

    /// <summary>
    /// The file of rules about topics, in the format of mosquitto's ACL file; what changes counts at once. With authentication and without
    /// this file a device's client may use the topics of its own device and those without a <c>$</c>. Default: none.
    /// </summary>
    public string MqttAclFile { get; init; } = "";

    /// <summary>Who may come without saying who it is: <c>loopback</c> (clients of this machine), <c>always</c> or <c>never</c>. Default: loopback.</summary>
    public AnonymousClients MqttAnonymous { get; init; } = AnonymousClients.Loopback;

    /// <summary>A broker outside, for modes 1 and 2, as <c>tcp://host:port</c>, or <c>ssl://host:port</c> for TLS. Default: none.</summary>
    public string MqttServerExternal { get; init; } = "";

    /// <summary>Which MQTT is spoken to the broker outside: <c>auto</c> (5, and 3.1.1 where that is not understood), <c>v5</c> or <c>v311</c>. Default: auto.</summary>
    public OutsideVersion MqttExternalVersion { get; init; } = OutsideVersion.Auto;

    /// <summary>The node's client identifier at the broker outside; its session there bears this name. Default: <c>edgeorleans-NODE</c>.</summary>
    [ConfigurationKeyName("mqttSubClientID")]
    public string MqttSubClientId { get; init; } = "";

    /// <summary>edgecore's second connection to the broker outside. This node has one for both ways: known, and without effect.</summary>
    [ConfigurationKeyName("mqttPubClientID")]
    public string MqttPubClientId { get; init; } = "";

    /// <summary>The user at the broker outside. Default: none.</summary>
    public string MqttUsername { get; init; } = "";

    /// <summary>The user's password at the broker outside; without a user it is not used. Default: none.</summary>
    [Secret]
    public string MqttPassword { get; init; } = "";

    /// <summary>TLS to the broker outside.</summary>
    [ConfigurationKeyName("eventBusTLS")]
    public TlsOptions EventBusTls { get; init; } = new();

    /// <summary>How many messages wait for the broker outside at the most; <see cref="SessionQueueFull"/> says what gives way. Default: 60,000.</summary>
    [Range(1, 60_000)]
    public int OutsideQueueSize { get; init; } = 60_000;

    /// <summary>How many bytes wait for the broker outside at the most. Default: 64 MiB.</summary>
    [Size]
    [Range(64 * 1_024, 1_024 * 1_024 * 1_024)]
    public int OutsideQueueBytes { get; init; } = 64 * 1_024 * 1_024;

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

    /// <summary>
    /// How long a client that was connected when the node died has to come back before its last will is published; a delay that the client
    /// has asked for itself counts where it is longer. Default: 5 seconds.
    /// </summary>
    [Range(typeof(TimeSpan), "00:00:00", "01:00:00")]
    public TimeSpan WillGrace { get; init; } = TimeSpan.FromSeconds(5);

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

    /// <summary>How many connections are accepted within a second; more wait until it is their turn. Default: 1,000.</summary>
    [Range(1, 100_000)]
    public int MaxConnectRate { get; init; } = 1_000;

    /// <summary>How many requests of one client are under way at once; beyond it the client is held back at its socket. Default: 64.</summary>
    [Range(1, 256)]
    public int MaxRequestsUnderWay { get; init; } = 64;

    /// <summary>How long a connection may take until its CONNECT packet is here. Default: 10 seconds.</summary>
    [Range(typeof(TimeSpan), "00:00:01", "00:05:00")]
    public TimeSpan ConnectTimeout { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>How long a request may stay without an answer of its twin, before it counts as failed. Default: 10 seconds.</summary>
    [Range(typeof(TimeSpan), "00:00:01", "00:05:00")]
    public TimeSpan RequestTimeout { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>Whether clients have to say who they are.</summary>
    public bool HasAccess => MqttUserFile.Length > 0 || MqttAclFile.Length > 0 || TlsClientCaFile.Length > 0 || TlsRequireClientCertificate
        || MqttAnonymous == AnonymousClients.Never;

    /// <summary>Whether there is a broker outside.</summary>
    public bool HasOutside => MqttMode > 0;

    /// <summary>Whether the broker inside serves clients.</summary>
    public bool HasInside => MqttMode < 2;

    /// <inheritdoc/>
    public IEnumerable<ValidationResult> Validate(ValidationContext validationContext)
    {
        if (MqttServerTls.Length > 0 && !MqttAddress.TryParse(MqttServerTls, "ssl", out _, out var wrong))
        {
            yield return new ValidationResult(wrong, [nameof(MqttServerTls)]);
        }

        if (TlsCertFile.Length > 0 != TlsKeyFile.Length > 0)
        {
            yield return new ValidationResult("is set without the other: a certificate needs its key", [TlsCertFile.Length > 0 ? nameof(TlsCertFile) : nameof(TlsKeyFile)]);
        }

        if (MqttServerTls.Length == 0 && (TlsCertFile.Length > 0 || TlsClientCaFile.Length > 0 || TlsRequireClientCertificate))
        {
            yield return new ValidationResult("is not set, and certificates are: give the address for TLS, such as ssl://127.0.0.1:8883", [nameof(MqttServerTls)]);
        }

        if (TlsCrlFile.Length > 0 && TlsClientCaFile.Length == 0)
        {
            yield return new ValidationResult(
                "is set without tlsClientCaFile: name the authority whose list it is; what the node itself has made is revoked with edgectl mqtt certificate revoke", [nameof(TlsCrlFile)]);
        }

        if (!HasOutside)
        {
            yield break;
        }

        if (MqttServerExternal.Length == 0)
        {
            yield return new ValidationResult(
                $"is not set, and mqttMode {MqttMode} needs it: give the address of the broker, such as tcp://127.0.0.1:1883, or use mqttMode 0", [nameof(MqttServerExternal)]);
        }
        else if (!OutsideAddress.TryParse(MqttServerExternal, out _, out var reason))
        {
            yield return new ValidationResult(reason, [nameof(MqttServerExternal)]);
        }
    }

    /// <summary>TLS to the broker outside, with edgecore's names. Section: <c>modules.eventBus.eventBusTLS</c>.</summary>
    public sealed class TlsOptions
    {
        /// <summary>Whether these files are used. An <c>ssl://</c> address without them trusts what the machine trusts. Default: false.</summary>
        public bool Enable { get; init; }

        /// <summary>The file with the CA certificates that the broker's is verified against, PEM; without one what the machine trusts. Default: edgecore's.</summary>
        [ConfigurationKeyName("tlsMqttCAFile")]
        public string TlsMqttCaFile { get; init; } = "/etc/kubeedge/ca/rootCA.crt";

        /// <summary>The file with the node's certificate for the broker, PEM; without one the node shows none. Default: edgecore's.</summary>
        public string TlsMqttCertFile { get; init; } = "/etc/kubeedge/certs/server.crt";

        /// <summary>The file with its private key, PEM. Default: edgecore's.</summary>
        public string TlsMqttPrivateKeyFile { get; init; } = "/etc/kubeedge/certs/server.key";
    }
}

/// <summary>Who may come without saying who it is.</summary>
public enum AnonymousClients
{
    /// <summary>Clients of this machine.</summary>
    Loopback,

    /// <summary>Everybody.</summary>
    Always,

    /// <summary>Nobody.</summary>
    Never,
}

/// <summary>What gives way when a queue is full.</summary>
public enum QueuePolicy
{
    /// <summary>The message that has waited for longest.</summary>
    Oldest,

    /// <summary>The message that comes.</summary>
    Newest,
}
