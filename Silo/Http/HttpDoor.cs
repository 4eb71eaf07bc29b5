using System.Net;
using System.Text;
using EdgeOrleans.Modules;
using EdgeOrleans.Settings;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.AspNetCore.Server.Kestrel.Transport.Sockets;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace EdgeOrleans.Http;

/// <summary>Health, readiness and metrics over HTTP. Opens beside the silo's start, so that nothing waits for it, and closes last.</summary>
internal sealed class HttpDoor(
    IOptions<HttpOptions> options, Readiness readiness, Doors doors, IServiceProvider services, ILoggerFactory loggers)
    : IHostedLifecycleService, IHttpApplication<HttpContext>, IDisposable
{
    private const string Name = "http";

    private KestrelServer? _server;
    private Task _opening = Task.CompletedTask;

    public Task StartingAsync(CancellationToken cancellationToken)
    {
        _opening = Task.Run(() => OpenAsync(cancellationToken), cancellationToken);
        return Task.CompletedTask;
    }

    public async Task StartedAsync(CancellationToken cancellationToken)
    {
        await _opening;
        readiness.Started();
    }

    public Task StoppingAsync(CancellationToken cancellationToken)
    {
        readiness.Stopping();
        return Task.CompletedTask;
    }

    public async Task StoppedAsync(CancellationToken cancellationToken)
    {
        doors.Close(Name);
        if (_server is not null)
        {
            await _server.StopAsync(cancellationToken);
        }
    }

    public void Dispose() => _server?.Dispose();

    private async Task OpenAsync(CancellationToken cancellation)
    {
        var listen = options.Value.Listen;
        _server = new KestrelServer(Options.Create(KestrelOptions(listen)), new SocketTransportFactory(Options.Create(new SocketTransportOptions()), loggers), loggers);
        try
        {
            await _server.StartAsync(this, cancellation);
        }
        catch (IOException e)
        {
            throw new SettingsException(
                $"{listen.GetLeftPart(UriPartial.Authority)} (http.listen) cannot be used: {e.GetBaseException().Message}; --http.listen=http://127.0.0.1:PORT takes another");
        }

        doors.Open(Name, _server.Features.Get<IServerAddressesFeature>()!.Addresses.First());
    }

    private KestrelServerOptions KestrelOptions(Uri listen)
    {
        var kestrel = new KestrelServerOptions { ApplicationServices = services, AddServerHeader = false };
        kestrel.Limits.MaxConcurrentConnections = 64;
        kestrel.Limits.MaxRequestBodySize = 0;
        kestrel.Limits.KeepAliveTimeout = TimeSpan.FromSeconds(30);
        kestrel.Listen(
            IPAddress.TryParse(listen.DnsSafeHost, out var address) ? address : IPAddress.Loopback,
            listen.Port,
            endpoint => endpoint.Protocols = HttpProtocols.Http1);
        return kestrel;
    }

    HttpContext IHttpApplication<HttpContext>.CreateContext(IFeatureCollection contextFeatures) => new DefaultHttpContext(contextFeatures);

    void IHttpApplication<HttpContext>.DisposeContext(HttpContext context, Exception? exception)
    {
    }

    async Task IHttpApplication<HttpContext>.ProcessRequestAsync(HttpContext context)
    {
        if (!HttpMethods.IsGet(context.Request.Method) && !HttpMethods.IsHead(context.Request.Method))
        {
            await AnswerAsync(context, 405, "text/plain", "only GET is answered here\n"u8.ToArray());
            return;
        }

        await (context.Request.Path.Value switch
        {
            "/healthz" => AnswerAsync(context, 200, "text/plain", "ok\n"u8.ToArray()),
            "/readyz" => AnswerAsync(context, readiness.IsReady ? 200 : 503, "application/json", readiness.Describe()),
            "/metrics" => AnswerAsync(
                context, 200, "text/plain; version=0.0.4", Encoding.UTF8.GetBytes(services.GetRequiredService<MetricsPage>().Write())),
            _ => AnswerAsync(context, 404, "text/plain", "there is /healthz, /readyz and /metrics\n"u8.ToArray()),
        });
    }

    private static async Task AnswerAsync(HttpContext context, int status, string type, byte[] body)
    {
        context.Response.StatusCode = status;
        context.Response.ContentType = type;
        context.Response.ContentLength = body.Length;
        if (!HttpMethods.IsHead(context.Request.Method))
        {
            await context.Response.Body.WriteAsync(body, context.RequestAborted);
        }
    }

    Task IHostedService.StartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    Task IHostedService.StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;
}
