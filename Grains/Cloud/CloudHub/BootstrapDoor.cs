using System.Diagnostics.CodeAnalysis;
using System.Net;
using System.Net.Security;
using System.Security.Authentication;
using System.Text;
using EdgeOrleans.Joining;
using EdgeOrleans.Modules;
using EdgeOrleans.Nodes;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace EdgeOrleans.Cloud.CloudHub;

/// <summary>Gives the CA certificate to everybody, and a certificate to a node that has a token or a certificate: <c>/ca.crt</c> and <c>/edge.crt</c>, as cloudcore does.</summary>
/// <remarks>Nothing else is answered here: what cloudcore takes from anybody (<c>/node</c>, <c>/nodeupgrade</c>, <c>/task</c>) is not.</remarks>
internal sealed partial class BootstrapDoor(
    CertificateAuthority authority,
    ServerCertificates certificates,
    NodeTrust trust,
    IGrainFactory grains,
    Doors doors,
    Refusals refusals,
    IOptions<CloudHubOptions> options,
    TimeProvider time,
    ILoggerFactory loggers,
    ILogger<BootstrapDoor> logger) : IHttpApplication<HttpContext>, IAsyncDisposable
{
    private const string Name = "bootstrap";
    private const string BearerPrefix = "Bearer ";

    private readonly AddressLimit _limit = new(options.Value.Https.RequestsPerMinute, time);
    private TlsServer? _server;

    /// <summary>Opens the door.</summary>
    /// <exception cref="StartRefusedException">The address cannot be used.</exception>
    public async Task OpenAsync(CancellationToken cancellation)
    {
        var listen = new IPEndPoint(IPAddress.Parse(options.Value.Https.Address), options.Value.Https.Port);
        _server = new TlsServer(listen, Tls, Limit, loggers);
        try
        {
            await _server.StartAsync(this, cancellation);
        }
        catch (IOException e)
        {
            throw new StartRefusedException(
                $"{listen} (modules.cloudHub.https, the bootstrap door) cannot be used: {e.GetBaseException().Message}; is another cloud running? --modules.cloudHub.https.port=PORT takes another");
        }

        doors.Open(Name, _server.Address.GetLeftPart(UriPartial.Authority));
    }

    /// <summary>Closes the door.</summary>
    public async Task CloseAsync(CancellationToken cancellation)
    {
        doors.Close(Name);
        if (_server is { } server)
        {
            _server = null;
            await server.StopAsync(cancellation);
            await server.DisposeAsync();
        }
    }

    public ValueTask DisposeAsync() => _server?.DisposeAsync() ?? ValueTask.CompletedTask;

    // A client certificate is asked for and looked at with the request: without one there is the token.
    [SuppressMessage("Security", "CA5359", Justification = "The certificate is the client's, and NodeTrust decides about it when it can still say why not.")]
    private SslServerAuthenticationOptions Tls() => new()
    {
        ServerCertificateContext = certificates.Current,
        ClientCertificateRequired = true,
        CertificateRevocationCheckMode = System.Security.Cryptography.X509Certificates.X509RevocationMode.NoCheck,
        EnabledSslProtocols = SslProtocols.Tls12 | SslProtocols.Tls13,
        RemoteCertificateValidationCallback = static (_, _, _, _) => true,
    };

    private void Limit(KestrelServerLimits limits)
    {
        limits.MaxConcurrentConnections = 4_096;
        limits.MaxRequestBodySize = SigningRequest.MaxSize;
        limits.RequestHeadersTimeout = options.Value.Https.RequestTimeout;
        limits.MinRequestBodyDataRate = new MinDataRate(1_024, options.Value.Https.RequestTimeout);
        limits.KeepAliveTimeout = TimeSpan.FromSeconds(5);
    }

    HttpContext IHttpApplication<HttpContext>.CreateContext(IFeatureCollection contextFeatures) => new DefaultHttpContext(contextFeatures);

    void IHttpApplication<HttpContext>.DisposeContext(HttpContext context, Exception? exception)
    {
    }

    async Task IHttpApplication<HttpContext>.ProcessRequestAsync(HttpContext context)
    {
        var from = context.Connection.RemoteIpAddress ?? IPAddress.None;
        if (!_limit.TryTake(from, out var isFirst))
        {
            // Said once each time it begins: a flood must not become a flood of lines.
            var refusal = new Refusal(429, "too-many-requests", $"more than {options.Value.Https.RequestsPerMinute} requests within a minute");
            await RefuseAsync(context, from, "", refusal, isSaid: isFirst);
            return;
        }

        try
        {
            await AnswerAsync(context, from, context.RequestAborted);
        }
        catch (Microsoft.AspNetCore.Http.BadHttpRequestException e)
        {
            var reason = e.StatusCode switch { 413 => "csr-size", 408 => "too-slow", _ => "bad-request" };
            await RefuseAsync(context, from, context.Request.Headers["NodeName"].ToString(), new Refusal(e.StatusCode, reason, e.Message.TrimEnd('.')));
        }
        catch (Exception e) when (!context.RequestAborted.IsCancellationRequested)
        {
            LogFailed(e, from);
            await WriteAsync(context, 500, "text/plain", "the cloud failed; try again\n"u8.ToArray(), CancellationToken.None);
        }
    }

    private async Task AnswerAsync(HttpContext context, IPAddress from, CancellationToken cancellation)
    {
        var path = context.Request.Path.Value;
        if (!HttpMethods.IsGet(context.Request.Method) || path is not ("/ca.crt" or "/edge.crt"))
        {
            await RefuseAsync(context, from, "", new Refusal(404, "no-such-page", "there is GET /ca.crt and GET /edge.crt"));
        }
        else if (path == "/ca.crt")
        {
            await WriteAsync(context, 200, "application/pkix-cert", authority.Certificate, cancellation);
        }
        else
        {
            var node = context.Request.Headers["NodeName"].ToString();
            var (certificate, refusal) = NodeName.IsValid(node)
                ? await IssueAsync(context, node, cancellation)
                : (null, new Refusal(400, "no-node-name", "the header NodeName must be the name of a node: lower case letters, digits, '-' and '.'"));
            await (certificate is null
                ? RefuseAsync(context, from, node, refusal!)
                : WriteAsync(context, 200, "application/pkix-cert", certificate, cancellation));
        }
    }

    private async Task<(byte[]? Certificate, Refusal? Refusal)> IssueAsync(HttpContext context, string node, CancellationToken cancellation)
    {
        var (bearer, client) = (BearerOf(context), context.Connection.ClientCertificate);
        if (bearer is null && client is null)
        {
            return (null, new Refusal(401, "no-credentials", "there is neither a token nor a client certificate"));
        }

        // A certificate counts more than a token: a node that rotates may still have its old token in its settings.
        var (holder, untrusted) = client is null ? (null, null) : await trust.IsTrustedAsync(client, options.Value.CertificateAmnesty);
        if (holder is null && bearer is null)
        {
            return (null, untrusted);
        }

        if (holder is not null && holder != node)
        {
            return (null, new Refusal(401, "other-node", $"the client certificate is of node {holder}"));
        }

        var (key, refusal) = SigningRequest.Read(await ReadBodyAsync(context, cancellation), node);
        if (key is null)
        {
            return (null, refusal);
        }

        if (holder is null)
        {
            return await RedeemAsync(node, key, bearer!);
        }

        if (client!.NotAfter.ToUniversalTime() <= time.GetUtcNow())
        {
            refusals.Count("cloudHub.amnesty");
            LogLetBack(node, client.SerialNumber, client.NotAfter.ToUniversalTime());
        }

        return await IssueAsync(node, key, "", onlyNew: false);
    }

    private async Task<(byte[]? Certificate, Refusal? Refusal)> RedeemAsync(string node, byte[] key, string bearer)
    {
        var redemption = await grains.GetGrain<IJoinTokenRedeemer>(IJoinTokensGrain.Key).RedeemAsync(JoinTokenRules.Hash(bearer), node, key);
        return redemption.Token.Length > 0
            ? await IssueAsync(node, key, redemption.Token, redemption.OnlyNew)
            : (null, new Refusal(401, redemption.Reason, $"token validation failure, err: {redemption.Sentence}"));
    }

    private async Task<(byte[]? Certificate, Refusal? Refusal)> IssueAsync(string node, byte[] key, string token, bool onlyNew)
    {
        var outcome = await grains.GetGrain<INodeCertificateIssuer>(node).IssueAsync(key, token, onlyNew);
        if (outcome.Certificate is not null)
        {
            await grains.GetGrain<INodeKeeper>(node).JoinedAsync();
        }

        return (outcome.Certificate, outcome.Certificate is null ? new Refusal(outcome.Reason == "too-many-certificates" ? 429 : 401, outcome.Reason, outcome.Sentence) : null);
    }

    private static string? BearerOf(HttpContext context)
    {
        var text = context.Request.Headers.Authorization.ToString();
        return text.Length <= BearerPrefix.Length + JoinToken.MaxLength && text.StartsWith(BearerPrefix, StringComparison.OrdinalIgnoreCase)
            ? text[BearerPrefix.Length..].Trim()
            : null;
    }

    // Kestrel refuses a body that is larger, said or not.
    private static async Task<byte[]> ReadBodyAsync(HttpContext context, CancellationToken cancellation)
    {
        using var body = new MemoryStream();
        await context.Request.Body.CopyToAsync(body, cancellation);
        return body.ToArray();
    }

    private async Task RefuseAsync(HttpContext context, IPAddress from, string node, Refusal refusal, bool isSaid = true)
    {
        refusals.Count($"cloudHub.{refusal.Reason}");
        if (isSaid)
        {
            LogRefused(from, NodeName.IsValid(node) ? $"node {node}" : "an unnamed node", refusal.Reason, refusal.Sentence);
        }

        await WriteAsync(context, refusal.Status, "text/plain", Encoding.UTF8.GetBytes(refusal.Sentence + "\n"), CancellationToken.None);
    }

    private static async Task WriteAsync(HttpContext context, int status, string type, byte[] body, CancellationToken cancellation)
    {
        if (context.Response.HasStarted)
        {
            context.Abort();
            return;
        }

        context.Response.StatusCode = status;
        context.Response.ContentType = type;
        context.Response.ContentLength = body.Length;
        await context.Response.Body.WriteAsync(body, cancellation);
    }

    [LoggerMessage(LogLevel.Warning, "Refused {Node} from {Address} at the bootstrap door ({Reason}): {Sentence}")]
    private partial void LogRefused(IPAddress address, string node, string reason, string sentence);

    [LoggerMessage(LogLevel.Warning, "Node {Node} comes back with certificate {Serial}, which ended at {End:u}: it is given another (modules.cloudHub.certificateAmnesty)")]
    private partial void LogLetBack(string node, string serial, DateTime end);

    [LoggerMessage(LogLevel.Error, "A request from {Address} at the bootstrap door failed")]
    private partial void LogFailed(Exception exception, IPAddress address);
}
