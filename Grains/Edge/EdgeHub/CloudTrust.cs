using System.Diagnostics.CodeAnalysis;
using System.Net;
using System.Net.Security;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;

namespace EdgeOrleans.Edge.EdgeHub;

/// <summary>The ways to the cloud over TLS: whom the node believes, what it shows of itself, and the proxy between.</summary>
internal static class CloudTrust
{
    /// <summary>Believes whatever answers: for the CA certificate alone, whose hash is in the token.</summary>
    [SuppressMessage("Security", "CA5359", Justification = "What comes over it is checked against the hash in the token before anything else is said.")]
    public static SocketsHttpHandler Unverified(string proxy) => Handler(proxy, new SslClientAuthenticationOptions { RemoteCertificateValidationCallback = static (_, _, _, _) => true });

    /// <summary>Believes the cloud's CA alone, for the very name or address that is dialled.</summary>
    public static SocketsHttpHandler Verified(string proxy, X509Certificate2Collection authority, X509Certificate2? certificate)
    {
        var policy = new X509ChainPolicy
        {
            TrustMode = X509ChainTrustMode.CustomRootTrust,
            RevocationMode = X509RevocationMode.NoCheck,
            DisableCertificateDownloads = true,
        };
        policy.CustomTrustStore.AddRange(authority);
        return Handler(proxy, new SslClientAuthenticationOptions
        {
            CertificateChainPolicy = policy,
            ClientCertificateContext = certificate is null ? null : SslStreamCertificateContext.Create(certificate, additionalCertificates: null, offline: true),
        });
    }

    private static SocketsHttpHandler Handler(string proxy, SslClientAuthenticationOptions tls)
    {
        tls.EnabledSslProtocols = SslProtocols.Tls12 | SslProtocols.Tls13;
        return new SocketsHttpHandler
        {
            SslOptions = tls,
            UseProxy = proxy != "none",
            Proxy = proxy is "none" ? null : proxy.Length > 0 ? ProxyAt(new Uri(proxy)) : new EnvironmentProxy(),
            AllowAutoRedirect = false,
            UseCookies = false,
            MaxResponseHeadersLength = 32,
        };
    }

    private static WebProxy ProxyAt(Uri address)
    {
        var login = Uri.UnescapeDataString(address.UserInfo).Split(':', 2);
        return new WebProxy(new UriBuilder(address) { UserName = "", Password = "" }.Uri)
        {
            Credentials = login[0].Length > 0 ? new NetworkCredential(login[0], login.Length > 1 ? login[1] : "") : null,
        };
    }

    /// <summary>What the environment says (<c>HTTPS_PROXY</c>, <c>NO_PROXY</c>); nobody means this machine itself with it.</summary>
    private sealed class EnvironmentProxy : IWebProxy
    {
        public ICredentials? Credentials
        {
            get => HttpClient.DefaultProxy.Credentials;
            set => throw new NotSupportedException();
        }

        public Uri? GetProxy(Uri destination) => destination.IsLoopback ? null : HttpClient.DefaultProxy.GetProxy(destination);

        public bool IsBypassed(Uri host) => host.IsLoopback || HttpClient.DefaultProxy.IsBypassed(host);
    }
}
