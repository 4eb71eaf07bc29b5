using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Microsoft.Extensions.Options;

namespace EdgeOrleans.Edge.EventBus;

/// <summary>Dials a broker outside, with TLS where the settings say so. Its certificate is always verified (edgecore does not, without eventBusTLS).</summary>
internal sealed class OutsideDialer(IOptions<EventBusOptions> options)
{
    /// <exception cref="OutsideException">It cannot be reached, or is not who it should be.</exception>
    public async Task<Stream> DialAsync(OutsideAddress address, CancellationToken cancellation)
    {
        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        try
        {
            await socket.ConnectAsync(address.Host, address.Port, cancellation);
            var stream = new NetworkStream(socket, ownsSocket: true);
            return address.IsTls || options.Value.EventBusTls.Enable ? await SecureAsync(stream, address.Host, cancellation) : stream;
        }
        catch (Exception e) when (e is SocketException or AuthenticationException or IOException or CryptographicException or UnauthorizedAccessException)
        {
            socket.Dispose();
            throw new OutsideException(e is SocketException ? e.Message : $"TLS failed: {Cause(e)}", e);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    private async Task<SslStream> SecureAsync(NetworkStream stream, string host, CancellationToken cancellation)
    {
        // The files are read at each dial: a certificate that was replaced is used without a restart.
        var files = options.Value.EventBusTls;
        var tls = new SslStream(stream);
        try
        {
            await tls.AuthenticateAsClientAsync(
                new SslClientAuthenticationOptions
                {
                    TargetHost = host,
                    EnabledSslProtocols = SslProtocols.Tls12 | SslProtocols.Tls13,
                    CertificateChainPolicy = Trust(files),
                    ClientCertificateContext = Own(files),
                },
                cancellation);
            return tls;
        }
        catch
        {
            await tls.DisposeAsync();
            throw;
        }
    }

    private static X509ChainPolicy? Trust(EventBusOptions.TlsOptions files)
    {
        if (!files.Enable || files.TlsMqttCaFile.Length == 0)
        {
            return null;
        }

        var policy = new X509ChainPolicy
        {
            TrustMode = X509ChainTrustMode.CustomRootTrust,
            RevocationMode = X509RevocationMode.NoCheck,
            DisableCertificateDownloads = true,
        };
        policy.CustomTrustStore.ImportFromPemFile(files.TlsMqttCaFile);
        return policy;
    }

    private static SslStreamCertificateContext? Own(EventBusOptions.TlsOptions files) => !files.Enable || files.TlsMqttCertFile.Length == 0
        ? null
        : SslStreamCertificateContext.Create(
            X509Certificate2.CreateFromPemFile(files.TlsMqttCertFile, files.TlsMqttPrivateKeyFile), additionalCertificates: null, offline: true);

    private static string Cause(Exception exception) => exception.InnerException is { } inner ? Cause(inner) : exception.Message.TrimEnd('.');
}

/// <summary>A broker outside could not be reached, or did not let the node in.</summary>
internal sealed class OutsideException(string message, Exception? inner = null) : Exception(message, inner)
{
    /// <summary>Whether it may be that the broker does not speak this dialect.</summary>
    public bool IsDialect { get; init; }
}
