using System.Diagnostics.CodeAnalysis;
using System.Net;
using System.Net.Security;
using System.Net.WebSockets;
using System.Security.Authentication;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using EdgeOrleans.Link.Wire;
using EdgeOrleans.Modules;
using EdgeOrleans.Nodes;
using EdgeOrleans.Settings;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace EdgeOrleans.Cloud.CloudHub;

/// <summary>Where the links of nodes come in: WebSockets over mutual TLS. Everything is checked before the upgrade, and a refusal says why (W1, W2).</summary>
internal sealed partial class LinkDoor(
    ServerCertificates certificates,
    NodeTrust trust,
    NodeLinks links,
    ILinkDeliveries deliveries,
    IGrainFactory grains,
    Doors doors,
    Refusals refusals,
    IOptions<CloudHubOptions> options,
    IOptions<NodeOptions> hub,
    TimeProvider time,
    ILoggerFactory loggers,
    ILogger<LinkDoor> logger) : IHttpApplication<HttpContext>, IAsyncDisposable
{
    private const string Name = "link";
    private const int MaxAgent = 128;
    private const int SaidAMinute = 60;
    private const string AcceptSuffix = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";

    private static readonly TimeSpan Drain = TimeSpan.FromSeconds(5);
    private static readonly string Server = $"EdgeOrleans/{NodeDescription.Version}";

    private readonly AddressLimit _said = new(SaidAMinute, time);
    private readonly LinkSocketOptions _socketOptions = new() { MessageTimeout = options.Value.KeepaliveInterval };
    private TlsServer? _server;
    private volatile bool _stopping;
    private int _reserved;

    /// <summary>Opens the door.</summary>
    /// <exception cref="StartRefusedException">The address cannot be used.</exception>
    public async Task OpenAsync(CancellationToken cancellation)
    {
        await links.BeginAsync(hub.Value.Name);
        var listen = new IPEndPoint(IPAddress.Parse(options.Value.WebSocket.Address), options.Value.WebSocket.Port);
        _server = new TlsServer(listen, Tls, Limit, loggers, SaysNothing, time);
        try
        {
            await _server.StartAsync(this, cancellation);
        }
        catch (IOException e)
        {
            throw new StartRefusedException(
                $"{listen} (modules.cloudHub.websocket, the door of the links) cannot be used: {e.GetBaseException().Message}; is another cloud running? --modules.cloudHub.websocket.port=PORT takes another");
        }

        doors.Open(Name, _server.Address.GetLeftPart(UriPartial.Authority).Replace("https://", "wss://", StringComparison.Ordinal));
    }

    /// <summary>Takes no new links, ends those that are there, and closes the door.</summary>
    public async Task CloseAsync(CancellationToken cancellation)
    {
        doors.Close(Name);
        _stopping = true;
        await links.CloseAsync("the cloud stops", Drain);
        if (_server is { } server)
        {
            _server = null;
            await server.StopAsync(cancellation);
            await server.DisposeAsync();
        }
    }

    public ValueTask DisposeAsync() => _server?.DisposeAsync() ?? ValueTask.CompletedTask;

    // A client certificate is asked for and looked at with the request: without one the refusal can still be told.
    [SuppressMessage("Security", "CA5359", Justification = "The certificate is the client's, and NodeTrust decides about it when it can still say why not.")]
    private SslServerAuthenticationOptions Tls() => new()
    {
        ServerCertificateContext = certificates.Current,
        ClientCertificateRequired = true,
        CertificateRevocationCheckMode = X509RevocationMode.NoCheck,
        EnabledSslProtocols = SslProtocols.Tls12 | SslProtocols.Tls13,
        RemoteCertificateValidationCallback = static (_, _, _, _) => true,
    };

    private void Limit(KestrelServerLimits limits)
    {
        limits.MaxConcurrentConnections = options.Value.WebSocket.MaxHalfOpen;
        limits.MaxConcurrentUpgradedConnections = options.Value.NodeLimit + 1L;
        limits.MaxRequestBodySize = 0;
        limits.KeepAliveTimeout = TimeSpan.FromSeconds(5);
    }

    HttpContext IHttpApplication<HttpContext>.CreateContext(IFeatureCollection contextFeatures) => new DefaultHttpContext(contextFeatures);

    void IHttpApplication<HttpContext>.DisposeContext(HttpContext context, Exception? exception)
    {
    }

    async Task IHttpApplication<HttpContext>.ProcessRequestAsync(HttpContext context)
    {
        TlsServer.HasAsked(context);
        context.Response.Headers.Server = Server;
        try
        {
            await AnswerAsync(context);
        }
        catch (Exception e) when (!context.Response.HasStarted)
        {
            LogFailed(e, context.Connection.RemoteIpAddress);
            await WriteAsync(context, new Refusal(500, "failed", "the cloud failed; try again"));
        }
        catch (Exception e)
        {
            LogFailed(e, context.Connection.RemoteIpAddress);
        }
    }

    private async Task AnswerAsync(HttpContext context)
    {
        var (node, refusal) = await AdmitAsync(context);
        if (node is null)
        {
            await RefuseAsync(context, refusal!);
            return;
        }

        if (Interlocked.Increment(ref _reserved) > options.Value.NodeLimit)
        {
            Interlocked.Decrement(ref _reserved);
            await RefuseAsync(context, new Refusal(503, "too-many-nodes", $"this cloud has as many links as it may have ({options.Value.NodeLimit}, modules.cloudHub.nodeLimit)"), node);
            return;
        }

        try
        {
            await ServeAsync(context, node);
        }
        finally
        {
            Interlocked.Decrement(ref _reserved);
        }
    }

    /// <summary>Whether this may become a link, and whose.</summary>
    private async Task<(string? Node, Refusal? Refusal)> AdmitAsync(HttpContext context)
    {
        if (_stopping)
        {
            return (null, new Refusal(503, "stopping", "the cloud stops; come again"));
        }

        var (node, refusal) = await trust.IsTrustedAsync(context.Connection.ClientCertificate);
        if (node is null)
        {
            return (null, refusal);
        }

        refusal = WhyNot(context.Request, node) ?? WhyNoUpgrade(context);
        return refusal is null ? (node, null) : (null, refusal);
    }

    private static Refusal? WhyNot(HttpRequest request, string node)
    {
        var named = request.Headers["node_id"].ToString();
        if (named.Length > 0 && named != node)
        {
            return new Refusal(403, "other-node", $"the header node_id says {Uplink.Shorten(named)}, and the certificate is of node {node}");
        }

        var parts = (request.Path.Value ?? "").Split('/', 5);
        if (parts is ["", _, var inPath, "events"] && inPath != node)
        {
            return new Refusal(403, "other-node", $"the path says {Uplink.Shorten(inPath)}, and the certificate is of node {node}");
        }

        // An edge that is refused dials again with one more of it each time: the first one counts (reference 1.1).
        var use = request.Headers["ConnectionUse"].ToString().Split(',')[0].Trim();
        return use is "msg" ? null : new Refusal(400, "connection-use", $"ConnectionUse is '{Uplink.Shorten(use)}'; this door takes links of messages: msg");
    }

    private static Refusal? WhyNoUpgrade(HttpContext context)
    {
        var headers = context.Request.Headers;
        if (context.Features.Get<IHttpUpgradeFeature>() is not { IsUpgradableRequest: true } || !headers.Upgrade.ToString().Equals("websocket", StringComparison.OrdinalIgnoreCase))
        {
            return new Refusal(426, "no-upgrade", "this door takes WebSockets");
        }

        return headers.SecWebSocketVersion.ToString() != "13" ? new Refusal(426, "websocket-version", "this door speaks version 13 of WebSocket")
            : !IsKey(headers.SecWebSocketKey.ToString()) ? new Refusal(400, "websocket-key", "Sec-WebSocket-Key is base64 of 16 bytes")
            : null;
    }

    private static bool IsKey(string key)
    {
        Span<byte> bytes = stackalloc byte[24];
        return key.Length == 24 && Convert.TryFromBase64String(key, bytes, out var length) && length == 16;
    }

    private async Task ServeAsync(HttpContext context, string node)
    {
        var certificate = context.Connection.ClientCertificate!;
        var connection = new NodeConnection
        {
            Node = node,
            Session = Guid.NewGuid(),
            Address = context.Connection.RemoteIpAddress?.ToString() ?? "",
            Agent = Printable(context.Request.Headers.UserAgent.ToString()),
            Serial = certificate.SerialNumber,
            CertificateBegins = certificate.NotBefore.ToUniversalTime(),
            CertificateExpires = certificate.NotAfter.ToUniversalTime(),
            Hub = hub.Value.Name,
            Since = time.GetUtcNow(),
        };
        using var socket = new LinkSocket(await UpgradeAsync(context), _socketOptions, time);
        using var link = new NodeLink(connection, socket, deliveries, grains, refusals, time, loggers.CreateLogger<NodeLink>());
        links.Add(link);
        try
        {
            if (_stopping)
            {
                link.Close("the cloud stops");
            }

            await link.RunAsync();
        }
        finally
        {
            links.Remove(link);
        }
    }

    [SuppressMessage("Security", "CA5350", Justification = "RFC 6455 wants SHA-1 here; it protects nothing.")]
    private async Task<WebSocket> UpgradeAsync(HttpContext context)
    {
        var accept = SHA1.HashData(Encoding.ASCII.GetBytes(context.Request.Headers.SecWebSocketKey + AcceptSuffix));
        var headers = context.Response.Headers;
        (headers.Connection, headers.Upgrade, headers.SecWebSocketAccept) = ("Upgrade", "websocket", Convert.ToBase64String(accept));
        var stream = await context.Features.GetRequiredFeature<IHttpUpgradeFeature>().UpgradeAsync();
        return WebSocket.CreateFromStream(stream, _socketOptions.ForStream(isServer: true));
    }

    private static string Printable(string agent) => string.Concat(agent.Where(static c => c is > ' ' and < (char)127 or ' ').Take(MaxAgent));

    private async Task RefuseAsync(HttpContext context, Refusal refusal, string? node = null)
    {
        refusals.Count($"cloudHub.{refusal.Reason}");
        var from = context.Connection.RemoteIpAddress ?? IPAddress.None;
        if (_said.TryTake(from, out var isFirst))
        {
            var named = context.Request.Headers["node_id"].ToString();
            LogRefused(node ?? (NodeName.IsValid(named) ? named : "unnamed"), from, refusal.Status, refusal.Reason, refusal.Sentence);
        }
        else if (isFirst)
        {
            LogMore(from, SaidAMinute);
        }

        await WriteAsync(context, refusal);
    }

    private static async Task WriteAsync(HttpContext context, Refusal refusal)
    {
        var body = Encoding.UTF8.GetBytes(refusal.Sentence + "\n");
        (context.Response.StatusCode, context.Response.ContentType, context.Response.ContentLength) = (refusal.Status, "text/plain", body.Length);
        context.Response.Headers.Connection = "close";
        await context.Response.Body.WriteAsync(body);
    }

    private void SaysNothing(EndPoint? from, TimeSpan after)
    {
        refusals.Count("cloudHub.no-request");
        var address = (from as IPEndPoint)?.Address ?? IPAddress.None;
        if (_said.TryTake(address, out var isFirst))
        {
            LogNothing(address, after.TotalSeconds);
        }
        else if (isFirst)
        {
            LogMore(address, SaidAMinute);
        }
    }

    [LoggerMessage(LogLevel.Warning, "Refused a link of node {Node} from {Address} with {Status} ({Reason}): {Sentence}")]
    private partial void LogRefused(string node, IPAddress address, int status, string reason, string sentence);

    [LoggerMessage(LogLevel.Warning, "Closed a connection from {Address} that asked for nothing, or did not finish its handshake, after {Seconds:0.0} s")]
    private partial void LogNothing(IPAddress address, double seconds);

    [LoggerMessage(LogLevel.Warning, "More refusals of {Address} are counted only; {Count} a minute are told")]
    private partial void LogMore(IPAddress address, int count);

    [LoggerMessage(LogLevel.Error, "A link from {Address} failed in the cloud")]
    private partial void LogFailed(Exception exception, IPAddress? address);
}
