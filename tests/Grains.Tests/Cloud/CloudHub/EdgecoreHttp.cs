using System.Net;
using System.Net.Security;
using System.Security.Cryptography.X509Certificates;
using System.Text;

namespace EdgeOrleans.Cloud.CloudHub;

/// <summary>The bootstrap as edgecore does it (reference 2.2): first without any trust, then with the CA that the token vouches for.</summary>
internal sealed class EdgecoreHttp : IDisposable
{
    private readonly HttpClient _http;

    private EdgecoreHttp(Uri cloud, SslClientAuthenticationOptions tls, X509Certificate2? certificate)
    {
        if (certificate is not null)
        {
            tls.ClientCertificateContext = SslStreamCertificateContext.Create(certificate, null, offline: true);
        }

        _http = new HttpClient(new SocketsHttpHandler { SslOptions = tls }) { BaseAddress = cloud, Timeout = TimeSpan.FromSeconds(60) };
    }

    /// <summary>Believes whatever certificate the cloud has, as edgecore does for the CA.</summary>
    public static EdgecoreHttp Unverified(Uri cloud, X509Certificate2? own = null) => new(cloud, new SslClientAuthenticationOptions { RemoteCertificateValidationCallback = (_, certificate, _, _) => certificate is not null }, own);

    /// <summary>Believes the CA alone, names included; with the node's own certificate when it has one.</summary>
    public static EdgecoreHttp Verified(Uri cloud, byte[] authority, X509Certificate2? certificate = null)
    {
        var policy = new X509ChainPolicy { TrustMode = X509ChainTrustMode.CustomRootTrust, RevocationMode = X509RevocationMode.NoCheck };
        policy.CustomTrustStore.Add(X509CertificateLoader.LoadCertificate(authority));
        return new EdgecoreHttp(cloud, new SslClientAuthenticationOptions { CertificateChainPolicy = policy }, certificate);
    }

    public void Dispose() => _http.Dispose();

    public async Task<byte[]> AuthorityAsync() => (await GetAsync("/ca.crt")).Body;

    /// <summary>A GET with a body, as edgecore sends it.</summary>
    public Task<Answer> CertificateAsync(string? node, byte[] csr, string? bearer = null, params (string Name, string Value)[] headers) =>
        GetAsync("/edge.crt", csr, [("NodeName", node), ("Authorization", bearer is null ? null : $"Bearer {bearer}"), .. headers]);

    public async Task<Answer> GetAsync(string path, byte[]? body = null, (string Name, string? Value)[]? headers = null, string method = "GET")
    {
        using var request = new HttpRequestMessage(new HttpMethod(method), path);
        request.Content = body is null ? null : new ByteArrayContent(body);
        foreach (var (name, value) in headers ?? [])
        {
            if (value is not null)
            {
                request.Headers.TryAddWithoutValidation(name, value);
            }
        }

        using var response = await _http.SendAsync(request, TestContext.Current.CancellationToken);
        return new Answer(response.StatusCode, await response.Content.ReadAsByteArrayAsync(TestContext.Current.CancellationToken));
    }

    internal sealed record Answer(HttpStatusCode Status, byte[] Body)
    {
        public string Text => Encoding.UTF8.GetString(Body);
    }
}
