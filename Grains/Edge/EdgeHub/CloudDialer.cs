using System.Net;
using System.Net.WebSockets;
using EdgeOrleans.Link.Wire;
using EdgeOrleans.Nodes;
using EdgeOrleans.Settings;
using Microsoft.Extensions.Options;

namespace EdgeOrleans.Edge.EdgeHub;

/// <summary>Dials the cloud: WebSocket over mutual TLS, with edgecore's path and headers (kubeedge-cloudlink 1.1).</summary>
internal sealed class CloudDialer(IOptions<EdgeHubOptions> options, IOptions<NodeOptions> node, TimeProvider time)
{
    private static readonly TimeSpan LongestPause = TimeSpan.FromSeconds(10);

    /// <summary>Where it dials.</summary>
    public Uri Address => CloudAddress.TryParse(options.Value.WebSocket.Server, options.Value.HttpServer, out var address, out _)
        ? address.LinkOf(options.Value.ProjectId, node.Value.Name)
        : throw new InvalidOperationException("the cloud's address was checked at the start");

    /// <summary>A link that the cloud has taken.</summary>
    /// <exception cref="DialException">It has not.</exception>
    public async Task<DialedLink> DialAsync(NodeCredentials credentials, CancellationToken cancellation)
    {
        var measures = Measures();
        using var upgrade = new Upgrade(CloudTrust.Verified(options.Value.Proxy, credentials.Authority, credentials.Certificate));
        using var invoker = new HttpMessageInvoker(upgrade);
        using var deadline = new CancellationTokenSource(options.Value.WebSocket.HandshakeTimeout, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(deadline.Token, cancellation);
        var socket = new ClientWebSocket();
        try
        {
            Ask(socket.Options, measures);
            await socket.ConnectAsync(Address, invoker, either.Token);
            return new DialedLink(new LinkSocket(socket, measures, time), upgrade.Server);
        }
        catch (Exception e)
        {
            socket.Dispose();
            cancellation.ThrowIfCancellationRequested();
            throw upgrade.Status is { } status and not HttpStatusCode.SwitchingProtocols
                ? new DialException($"refused-{(int)status}", $"the cloud refused the link with {(int)status}: {upgrade.Said}", e)
                : new DialException("unreachable", deadline.IsCancellationRequested ? $"no link within {options.Value.WebSocket.HandshakeTimeout.TotalSeconds:0.###} s" : Cause(e), e);
        }
    }

    private void Ask(ClientWebSocketOptions request, LinkSocketOptions measures)
    {
        measures.Apply(request);
        request.SetRequestHeader("node_id", node.Value.Name);
        request.SetRequestHeader("project_id", options.Value.ProjectId);
        request.SetRequestHeader("ConnectionUse", "msg");
        request.SetRequestHeader("User-Agent", $"EdgeOrleans/{NodeDescription.Version}");
    }

    private LinkSocketOptions Measures()
    {
        var settings = options.Value.WebSocket;
        return new LinkSocketOptions
        {
            PingInterval = settings.ReadDeadline < LongestPause ? settings.ReadDeadline : LongestPause,
            PongTimeout = settings.ReadDeadline,
            ReceiveTimeout = settings.ReadDeadline * 2 / 3,
            WriteTimeout = settings.WriteDeadline,
        };
    }

    // What says it best lies inside of what only carries it, and TLS' own words need a hint.
    private static string Cause(Exception exception)
    {
        var cause = exception;
        while (cause.InnerException is { } inner)
        {
            cause = inner;
        }

        return exception is WebSocketException or HttpRequestException && IsTls(exception)
            ? $"TLS failed: {cause.Message.TrimEnd('.')}; the cloud's certificate must be from the CA that the node knows and for the name that was dialled"
            : cause.Message.TrimEnd('.');
    }

    private static bool IsTls(Exception? exception) =>
        exception is not null && (exception is System.Security.Authentication.AuthenticationException || IsTls(exception.InnerException));

    /// <summary>Sees the answer to the upgrade, which the socket keeps to itself.</summary>
    private sealed class Upgrade(HttpMessageHandler inner) : DelegatingHandler(inner)
    {
        private const int MaxSentence = 512;

        public HttpStatusCode? Status { get; private set; }

        public string Server { get; private set; } = "";

        public string Said { get; private set; } = "";

        protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
        {
            var response = await base.SendAsync(request, cancellationToken);
            Status = response.StatusCode;
            Server = response.Headers.TryGetValues("Server", out var server) ? string.Join(' ', server) : "";
            if (response.StatusCode != HttpStatusCode.SwitchingProtocols)
            {
                Said = await SentenceAsync(response, cancellationToken);
            }

            return response;
        }

        private static async Task<string> SentenceAsync(HttpResponseMessage response, CancellationToken cancellation)
        {
            var text = new byte[MaxSentence];
            await using var body = await response.Content.ReadAsStreamAsync(cancellation);
            return BootstrapClient.Sentence(text.AsSpan(0, await body.ReadAtLeastAsync(text, text.Length, throwOnEndOfStream: false, cancellation)));
        }
    }
}

/// <summary>A link that is up, and what the cloud calls itself.</summary>
internal sealed record DialedLink(LinkSocket Socket, string Server);

/// <summary>The cloud could not be reached, or refused the link.</summary>
internal sealed class DialException(string reason, string sentence, Exception inner) : Exception(sentence, inner)
{
    /// <summary>A word for counters.</summary>
    public string Reason => reason;
}
