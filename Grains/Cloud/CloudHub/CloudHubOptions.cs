using System.ComponentModel.DataAnnotations;
using System.Net;

namespace EdgeOrleans.Cloud.CloudHub;

/// <summary>Settings of the cloud's doors for nodes. Section: <c>modules.cloudHub</c>, with cloudcore's names where it has them.</summary>
public sealed class CloudHubOptions : IValidatableObject
{
    /// <summary>
    /// The addresses and names under which nodes reach this cloud. They are in its server certificate, besides loopback and the host name; a
    /// node that was told another one refuses to connect. Default: none.
    /// </summary>
    public IReadOnlyList<string> AdvertiseAddress { get; init; } = [];

    /// <summary>How long a node's certificate is good; a node asks for the next one in time. Default: 8760h, a year.</summary>
    [Range(typeof(TimeSpan), "00:01:00", "3650.00:00:00")]
    public TimeSpan NodeCertificateLifetime { get; init; } = TimeSpan.FromDays(365);

    /// <summary>
    /// How long after its end a certificate still lets its node ask for the next one at the bootstrap door, and do nothing else: for nodes that were off
    /// when they had to renew. Zero: never. Default: 720h, thirty days.
    /// </summary>
    [Range(typeof(TimeSpan), "00:00:00", "3650.00:00:00")]
    public TimeSpan CertificateAmnesty { get; init; } = TimeSpan.FromDays(30);

    /// <summary>How long a node may say nothing before its link is ended; nodes say that they are alive every 15 seconds. cloudcore's name. Default: 30 seconds.</summary>
    [Range(typeof(TimeSpan), "00:00:02", "01:00:00")]
    public TimeSpan KeepaliveInterval { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>How many nodes may be linked to this silo; more are refused with 503. cloudcore's name. Default: 20,000; cloudcore's is 500.</summary>
    [Range(1, 1_000_000)]
    public int NodeLimit { get; init; } = 20_000;

    /// <summary>The bootstrap door.</summary>
    public HttpsOptions Https { get; init; } = new();

    /// <summary>The door of the links.</summary>
    public WebSocketOptions WebSocket { get; init; } = new();

    /// <inheritdoc/>
    public IEnumerable<ValidationResult> Validate(ValidationContext validationContext)
    {
        if (!IPAddress.TryParse(Https.Address, out _))
        {
            yield return new ValidationResult($"has the address \"{Https.Address}\", but https.address must be an IP address, such as 127.0.0.1 or 0.0.0.0", [nameof(Https)]);
        }

        if (!IPAddress.TryParse(WebSocket.Address, out _))
        {
            yield return new ValidationResult($"has the address \"{WebSocket.Address}\", but websocket.address must be an IP address, such as 127.0.0.1 or 0.0.0.0", [nameof(WebSocket)]);
        }

        if (AdvertiseAddress.FirstOrDefault(a => Uri.CheckHostName(a) is UriHostNameType.Unknown or UriHostNameType.Basic) is { } wrong)
        {
            yield return new ValidationResult($"has \"{wrong}\", but each must be an IP address or a host name without a port", [nameof(AdvertiseAddress)]);
        }
    }

    /// <summary>The bootstrap door: the CA certificate, and certificates for nodes. Section: <c>modules.cloudHub.https</c>.</summary>
    public sealed class HttpsOptions
    {
        /// <summary>The IP address it listens at. Default: 127.0.0.1.</summary>
        public string Address { get; init; } = "127.0.0.1";

        /// <summary>Its port; 0 takes a free one. Default: 10002.</summary>
        [Range(0, 65535)]
        public int Port { get; init; } = 10002;

        /// <summary>How many requests one address may make in a minute; more are refused with 429. Default: 600.</summary>
        [Range(1, 1_000_000)]
        public int RequestsPerMinute { get; init; } = 600;

        /// <summary>How long a request may take to come: its headers, and then its body. Default: 10 seconds.</summary>
        [Range(typeof(TimeSpan), "00:00:02", "00:01:00")]
        public TimeSpan RequestTimeout { get; init; } = TimeSpan.FromSeconds(10);
    }

    /// <summary>The door of the links: WebSockets with mutual TLS. Section: <c>modules.cloudHub.websocket</c>.</summary>
    public sealed class WebSocketOptions
    {
        /// <summary>The IP address it listens at. Default: 127.0.0.1.</summary>
        public string Address { get; init; } = "127.0.0.1";

        /// <summary>Its port; 0 takes a free one. Default: 10000.</summary>
        [Range(0, 65535)]
        public int Port { get; init; } = 10000;

        /// <summary>
        /// How many connections may be open that are no links: handshakes, upgrades that are looked at, and those who say nothing. More are closed at once; each of
        /// them is closed when it has taken too long. Default: 4,096.
        /// </summary>
        [Range(16, 1_000_000)]
        public int MaxHalfOpen { get; init; } = 4_096;
    }
}
