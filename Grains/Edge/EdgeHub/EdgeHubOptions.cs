using System.ComponentModel.DataAnnotations;
using EdgeOrleans.Settings;

namespace EdgeOrleans.Edge.EdgeHub;

/// <summary>Settings of the link to the cloud. Section: <c>modules.edgeHub</c>, with edgecore's names and units.</summary>
/// <remarks>
/// edgecore's <c>messageQPS</c> and <c>messageBurst</c> are known and have no effect: what is under way is bounded by what the cloud has not
/// confirmed yet, and a cloud that is slow holds a node back by itself.
/// </remarks>
public sealed class EdgeHubOptions : IValidatableObject
{
    /// <summary>The section of these settings.</summary>
    public const string Section = "modules:edgeHub";

    /// <summary>The link over a WebSocket.</summary>
    public WebSocketOptions WebSocket { get; init; } = new();

    /// <summary>How often the node says that it is alive. A cloud drops a node that is silent for 30 seconds. A bare number is seconds. Default: 15 seconds.</summary>
    [Range(typeof(TimeSpan), "00:00:01", "01:00:00")]
    public TimeSpan Heartbeat { get; init; } = TimeSpan.FromSeconds(15);

    /// <summary>A part of the link's path; clouds do not look at it. Default: KubeEdge's constant.</summary>
    public string ProjectId { get; init; } = "e632aba927ea4ac2b575ec1603d56f10";

    /// <summary>Where certificates are asked for, <c>https://host:port</c>. Default: the cloud's host, port 10002.</summary>
    public string HttpServer { get; init; } = "";

    /// <summary>The token to join the cloud with. With a valid certificate it is not used. <c>--join @FILE</c> reads it from a file. Default: none.</summary>
    [Secret]
    public string Token { get; init; } = "";

    /// <summary>The file with the cloud's CA certificate, PEM. Default: <c>certs/ca.crt</c> below the data folder.</summary>
    public string TlsCaFile { get; init; } = "";

    /// <summary>The file with the node's certificate, PEM. Default: <c>certs/node.crt</c> below the data folder.</summary>
    public string TlsCertFile { get; init; } = "";

    /// <summary>The file with the node's private key, PEM. Default: <c>certs/node.key</c> below the data folder.</summary>
    public string TlsPrivateKeyFile { get; init; } = "";

    /// <summary>Whether the node asks for its next certificate before this one ends. Default: true.</summary>
    public bool RotateCertificates { get; init; } = true;

    /// <summary>
    /// The HTTP proxy on the way to the cloud, <c>http://[user:password@]host:port</c>; <c>none</c> for none. Default: what the environment
    /// says (<c>HTTPS_PROXY</c>, <c>NO_PROXY</c>), except for loopback.
    /// </summary>
    [Secret]
    public string Proxy { get; init; } = "";

    /// <summary>Whether this node has a cloud; without one nothing is kept for it.</summary>
    public bool HasCloud => !string.IsNullOrWhiteSpace(WebSocket.Server);

    /// <inheritdoc/>
    public IEnumerable<ValidationResult> Validate(ValidationContext validationContext)
    {
        if (HasCloud && !CloudAddress.TryParse(WebSocket.Server, HttpServer, out _, out var reason))
        {
            yield return new ValidationResult(reason, [nameof(WebSocket)]);
        }

        if (Proxy is not ("" or "none") && !(Uri.TryCreate(Proxy, UriKind.Absolute, out var proxy) && proxy.Scheme is "http" && proxy.Host.Length > 0))
        {
            yield return new ValidationResult("is not right: it must be an address such as http://proxy:3128, or none", [nameof(Proxy)]);
        }

        if (ProjectId.Length == 0 || ProjectId.Any(static c => !char.IsAsciiLetterOrDigit(c) && c is not ('-' or '_' or '.')))
        {
            yield return new ValidationResult($"is \"{ProjectId}\", but it must be letters, digits, '-', '_' and '.'", ["projectID"]);
        }
    }

    /// <summary>The link over a WebSocket. Section: <c>modules.edgeHub.websocket</c>.</summary>
    public sealed class WebSocketOptions
    {
        /// <summary>The cloud's address, <c>host:port</c> or <c>wss://host:port</c>; without one the node works alone. Default: none.</summary>
        public string Server { get; init; } = "";

        /// <summary>How long dialling may take, proxy and TLS included. Default: 30 seconds.</summary>
        [Range(typeof(TimeSpan), "00:00:01", "00:10:00")]
        public TimeSpan HandshakeTimeout { get; init; } = TimeSpan.FromSeconds(30);

        /// <summary>How long a ping to a silent cloud may stay without an echo until the link counts as dead; pings go out after 10 seconds of silence. Default: 15 seconds.</summary>
        [Range(typeof(TimeSpan), "00:00:01", "00:10:00")]
        public TimeSpan ReadDeadline { get; init; } = TimeSpan.FromSeconds(15);

        /// <summary>How long the cloud may take to take a message until the link counts as dead. Default: 15 seconds.</summary>
        [Range(typeof(TimeSpan), "00:00:01", "00:10:00")]
        public TimeSpan WriteDeadline { get; init; } = TimeSpan.FromSeconds(15);
    }
}
