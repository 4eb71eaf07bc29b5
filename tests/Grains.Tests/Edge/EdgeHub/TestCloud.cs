using System.Diagnostics.CodeAnalysis;
using System.Net;
using System.Net.Security;
using System.Security.Authentication;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Threading.Channels;
using EdgeOrleans.Joining;
using EdgeOrleans.Link.Wire;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.AspNetCore.Server.Kestrel.Https;
using Microsoft.Extensions.Logging;

namespace EdgeOrleans.Edge.EdgeHub;

/// <summary>A small cloud of a test, over real sockets: both doors at one address, an authority of its own, and what a test wants to go wrong.</summary>
internal sealed class TestCloud : IAsyncDisposable
{
    private readonly X509Certificate2 _authority;
    private readonly Channel<CloudEnd> _links = Channel.CreateUnbounded<CloudEnd>();
    private readonly CancellationTokenSource _ends = new();
    private WebApplication? _app;
    private X509Certificate2 _server;
    private int _port;

    public TestCloud(string name = "127.0.0.1")
    {
        _authority = MakeAuthority();
        _server = Issue(new X500DistinguishedName("CN=cloud"), null, DateTimeOffset.UtcNow.AddDays(-1), DateTimeOffset.UtcNow.AddDays(1), name);
    }

    public int Port => _port;

    public string Address => $"127.0.0.1:{_port}";

    public string Bearer { get; } = "head.claims.secret";

    public string Token => JoinToken.Format(JoinToken.HashOf(_authority.RawData), Bearer);

    public byte[] Authority => _authority.RawData;

    /// <summary>What it calls itself; a stock cloud says nothing.</summary>
    public string? Server { get; set; } = "EdgeOrleans/0.0.1";

    /// <summary>Refuses upgrades.</summary>
    public (int Status, string Sentence)? RefuseLinks { get; set; }

    /// <summary>Refuses certificates.</summary>
    public (int Status, string Sentence)? RefuseCertificates { get; set; }

    /// <summary>How many answers with a certificate are lost on their way.</summary>
    public int LoseAnswers { get; set; }

    /// <summary>When the next certificates were made and end, from now.</summary>
    public (TimeSpan From, TimeSpan Until) Lifetime { get; set; } = (TimeSpan.FromMinutes(-1), TimeSpan.FromHours(1));

    /// <summary>Who asked for a certificate: how, and with which key.</summary>
    public List<(string? Bearer, string? Holder, string Key)> Requests { get; } = [];

    /// <summary>The headers of all upgrades.</summary>
    public List<(string Path, IHeaderDictionary Headers)> Upgrades { get; } = [];

    public async Task<TestCloud> StartAsync(int port = 0)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.ConfigureKestrel(kestrel =>
        {
            kestrel.AddServerHeader = false;
            kestrel.Listen(IPAddress.Loopback, port == 0 ? _port : port, endpoint =>
            {
                endpoint.Protocols = HttpProtocols.Http1;
                endpoint.UseHttps(new TlsHandshakeCallbackOptions { OnConnection = _ => ValueTask.FromResult(Tls()) });
            });
        });
        _app = builder.Build();
        _app.UseWebSockets();
        _app.Run(AnswerAsync);
        await _app.StartAsync();
        _port = new Uri(_app.Urls.First()).Port;
        return this;
    }

    /// <summary>Goes away, and every link with it.</summary>
    public async Task StopAsync()
    {
        if (Interlocked.Exchange(ref _app, null) is { } app)
        {
            using var now = new CancellationTokenSource(TimeSpan.Zero);
            await app.StopAsync(now.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            await app.DisposeAsync();
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _ends.CancelAsync();
        await StopAsync();
        _authority.Dispose();
        _server.Dispose();
    }

    /// <summary>The next link that a node makes.</summary>
    public async Task<CloudEnd> LinkAsync() => await _links.Reader.ReadAsync(TestContext.Current.CancellationToken);

    /// <summary>A certificate of this cloud for a node, with its key, as a person puts it on a node's disk.</summary>
    public X509Certificate2 IssueTo(string node, TimeSpan from, TimeSpan until) =>
        Issue(SubjectOf(node), null, DateTimeOffset.UtcNow + from, DateTimeOffset.UtcNow + until);

    /// <summary>Writes a whole set of files.</summary>
    public void Provision(string folder, X509Certificate2 certificate)
    {
        var certs = Directory.CreateDirectory(Path.Combine(folder, "certs")).FullName;
        File.WriteAllText(Path.Combine(certs, "ca.crt"), _authority.ExportCertificatePem());
        File.WriteAllText(Path.Combine(certs, "node.crt"), certificate.ExportCertificatePem());
        using var key = certificate.GetECDsaPrivateKey()!;
        File.WriteAllText(Path.Combine(certs, "node.key"), key.ExportECPrivateKeyPem());
    }

    private static X500DistinguishedName SubjectOf(string node) => new($"CN=system:node:{node}, O=system:nodes");

    [SuppressMessage("Security", "CA5359", Justification = "The certificate is the client's, and a test looks at it later.")]
    private SslServerAuthenticationOptions Tls() => new()
    {
        ServerCertificate = _server,
        ClientCertificateRequired = true,
        CertificateRevocationCheckMode = X509RevocationMode.NoCheck,
        EnabledSslProtocols = SslProtocols.Tls12 | SslProtocols.Tls13,
        RemoteCertificateValidationCallback = static (_, _, _, _) => true,
    };

    private async Task AnswerAsync(HttpContext context)
    {
        if (Server is not null)
        {
            context.Response.Headers.Server = Server;
        }

        if (context.WebSockets.IsWebSocketRequest)
        {
            await TakeLinkAsync(context);
        }
        else if (context.Request.Path == "/ca.crt")
        {
            await context.Response.Body.WriteAsync(Authority);
        }
        else
        {
            await CertifyAsync(context);
        }
    }

    private async Task CertifyAsync(HttpContext context)
    {
        using var body = new MemoryStream();
        await context.Request.Body.CopyToAsync(body);
        var request = CertificateRequest.LoadSigningRequest(body.ToArray(), HashAlgorithmName.SHA256, CertificateRequestLoadOptions.SkipSignatureValidation);
        var bearer = context.Request.Headers.Authorization.ToString() is { Length: > 7 } header ? header[7..] : null;
        var holder = context.Connection.ClientCertificate;
        lock (Requests)
        {
            Requests.Add((bearer, holder?.SerialNumber, Convert.ToHexString(request.PublicKey.ExportSubjectPublicKeyInfo())));
        }

        if (RefuseCertificates is var (status, sentence) || (bearer != Bearer && holder is null && ((status, sentence) = (401, "neither token nor certificate")) is { }))
        {
            context.Response.StatusCode = status;
            await context.Response.WriteAsync(sentence);
            return;
        }

        var node = context.Request.Headers["NodeName"].ToString();
        using var issued = Issue(SubjectOf(node), request.PublicKey, DateTimeOffset.UtcNow + Lifetime.From, DateTimeOffset.UtcNow + Lifetime.Until);
        if (LoseAnswers-- > 0)
        {
            context.Abort();
            return;
        }

        await context.Response.Body.WriteAsync(issued.RawData);
    }

    private async Task TakeLinkAsync(HttpContext context)
    {
        lock (Upgrades)
        {
            Upgrades.Add((context.Request.Path, context.Request.Headers));
        }

        if (RefuseLinks is var (status, sentence))
        {
            context.Response.StatusCode = status;
            await context.Response.WriteAsync(sentence);
            return;
        }

        var options = new LinkSocketOptions();
        var serial = context.Connection.ClientCertificate?.SerialNumber ?? "";
        using var end = new CloudEnd(new LinkSocket(await context.WebSockets.AcceptWebSocketAsync(options.ForAccept()), options, TimeProvider.System), serial);
        var running = end.RunAsync(_ends.Token);
        await _links.Writer.WriteAsync(end);
        await running;
    }

    private static X509Certificate2 MakeAuthority()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=a cloud of a test", key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, false, 0, true));
        request.CertificateExtensions.Add(new X509SubjectKeyIdentifierExtension(request.PublicKey, false));
        return request.CreateSelfSigned(DateTimeOffset.UtcNow.AddDays(-100), DateTimeOffset.UtcNow.AddDays(100));
    }

    private X509Certificate2 Issue(X500DistinguishedName subject, PublicKey? key, DateTimeOffset from, DateTimeOffset until, string? name = null)
    {
        using var own = key is null ? ECDsa.Create(ECCurve.NamedCurves.nistP256) : null;
        var request = own is null ? new CertificateRequest(subject, key!, HashAlgorithmName.SHA256) : new CertificateRequest(subject, own, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509EnhancedKeyUsageExtension([new Oid(name is null ? "1.3.6.1.5.5.7.3.2" : "1.3.6.1.5.5.7.3.1")], false));
        if (name is not null)
        {
            var names = new SubjectAlternativeNameBuilder();
            if (IPAddress.TryParse(name, out var address))
            {
                names.AddIpAddress(address);
            }
            else
            {
                names.AddDnsName(name);
            }

            request.CertificateExtensions.Add(names.Build());
        }

        using var signer = _authority.GetECDsaPrivateKey()!;
        var certificate = request.Create(_authority.SubjectName, X509SignatureGenerator.CreateForECDsa(signer), from, until, RandomNumberGenerator.GetBytes(12));
        return own is null ? certificate : certificate.CopyWithPrivateKey(own);
    }
}
