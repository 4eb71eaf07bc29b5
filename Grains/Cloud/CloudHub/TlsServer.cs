using System.Net;
using System.Net.Security;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Connections.Features;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.AspNetCore.Server.Kestrel.Https;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace EdgeOrleans.Cloud.CloudHub;

/// <summary>Kestrel alone, with TLS and HTTP/1.1 on one address: no host, no routing, no settings of its own.</summary>
internal sealed class TlsServer : IAsyncDisposable
{
    private static readonly TimeSpan Handshake = TimeSpan.FromSeconds(10);

    private static readonly object Asked = new();

    private readonly ServiceProvider _services;
    private readonly IServer _server;

    /// <param name="listen">Where it listens; port 0 takes a free one.</param>
    /// <param name="tls">For each handshake.</param>
    /// <param name="limits">Sets limits, after ours.</param>
    /// <param name="loggers">For Kestrel's own events.</param>
    /// <param name="unasked">Hears of connections that ended without a request: no handshake, or nothing after it. The address, and how long it took.</param>
    /// <param name="time">The clock.</param>
    public TlsServer(
        IPEndPoint listen, Func<SslServerAuthenticationOptions> tls, Action<KestrelServerLimits> limits, ILoggerFactory loggers,
        Action<EndPoint?, TimeSpan>? unasked = null, TimeProvider? time = null)
    {
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.Services.AddSingleton(loggers);
        builder.WebHost.UseKestrelCore().ConfigureKestrel(kestrel =>
        {
            kestrel.AddServerHeader = false;
            kestrel.Limits.RequestHeadersTimeout = Handshake;
            kestrel.Limits.MaxRequestHeadersTotalSize = 16 * 1024;
            limits(kestrel.Limits);
            kestrel.Listen(listen, endpoint =>
            {
                endpoint.Protocols = HttpProtocols.Http1;
                if (unasked is not null)
                {
                    endpoint.Use(next => connection => WatchAsync(next, connection, unasked, time ?? TimeProvider.System));
                }

                endpoint.UseHttps(new TlsHandshakeCallbackOptions { HandshakeTimeout = Handshake, OnConnection = _ => ValueTask.FromResult(tls()) });
            });
        });
        _services = builder.Services.BuildServiceProvider();
        _server = _services.GetRequiredService<IServer>();
    }

    /// <summary>The connection of this request has asked.</summary>
    public static void HasAsked(HttpContext context) => context.Features.Get<IConnectionItemsFeature>()?.Items.TryAdd(Asked, null);

    /// <summary>Where it listens, once it does.</summary>
    public Uri Address => new(_server.Features.Get<IServerAddressesFeature>()!.Addresses.First());

    public Task StartAsync<TContext>(IHttpApplication<TContext> application, CancellationToken cancellation)
        where TContext : notnull => _server.StartAsync(application, cancellation);

    /// <summary>Takes no more, and gives what is under way until the cancellation.</summary>
    public Task StopAsync(CancellationToken cancellation) => _server.StopAsync(cancellation);

    public ValueTask DisposeAsync() => _services.DisposeAsync();

    private static async Task WatchAsync(ConnectionDelegate next, ConnectionContext connection, Action<EndPoint?, TimeSpan> unasked, TimeProvider time)
    {
        var since = time.GetTimestamp();
        try
        {
            await next(connection);
        }
        finally
        {
            if (!connection.Items.ContainsKey(Asked))
            {
                unasked(connection.RemoteEndPoint, time.GetElapsedTime(since));
            }
        }
    }
}
