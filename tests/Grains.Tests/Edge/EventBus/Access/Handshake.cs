using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace EdgeOrleans.Edge.EventBus.Access;

/// <summary>How one handshake over a real connection went.</summary>
/// <param name="IsIn">Whether both ends could use the connection.</param>
/// <param name="User">The client's common name, as the broker saw it.</param>
/// <param name="Shown">The thumbprint of the broker's certificate, as the client saw it.</param>
/// <param name="Protocol">The version.</param>
internal sealed record Handshake(bool IsIn, string? User, string? Shown, SslProtocols Protocol)
{
    /// <summary>Makes one.</summary>
    /// <param name="broker">What the broker is told.</param>
    /// <param name="trust">The root that the client believes, PEM.</param>
    /// <param name="now">The client's clock.</param>
    /// <param name="host">Whom the client wants.</param>
    /// <param name="shows">The client's certificates, the first with this key.</param>
    /// <param name="protocol">What the client speaks.</param>
    public static async Task<Handshake> MakeAsync(
        SslServerAuthenticationOptions broker,
        string trust,
        DateTimeOffset now,
        string host = "localhost",
        (string Certificate, string Key)? shows = null,
        SslProtocols protocol = SslProtocols.Tls13)
    {
        using var door = new TcpListener(IPAddress.Loopback, 0);
        door.Start();
        using var near = new TcpClient();
        var accepting = door.AcceptTcpClientAsync(TestContext.Current.CancellationToken);
        await near.ConnectAsync((IPEndPoint)door.LocalEndpoint, TestContext.Current.CancellationToken);
        using var far = await accepting;
        await using var client = new SslStream(near.GetStream());
        await using var server = new SslStream(far.GetStream());
        var serving = ServeAsync(server, far, broker);
        var isIn = await DialAsync(client, near, Client(trust, now, host, shows, protocol));
        var user = await serving;
        return isIn && user is not null
            ? new Handshake(true, user.Length > 0 ? user : null, client.RemoteCertificate!.GetCertHashString(), client.SslProtocol)
            : new Handshake(false, null, null, SslProtocols.None);
    }

    /// <summary>What a client is told.</summary>
    /// <inheritdoc cref="MakeAsync"/>
    internal static SslClientAuthenticationOptions Client(string trust, DateTimeOffset now, string host, (string Certificate, string Key)? shows, SslProtocols protocol)
    {
        var policy = new X509ChainPolicy
        {
            TrustMode = X509ChainTrustMode.CustomRootTrust,
            RevocationMode = X509RevocationMode.NoCheck,
            DisableCertificateDownloads = true,
            VerificationTime = now.LocalDateTime,
        };
        policy.CustomTrustStore.ImportFromPem(trust);
        return new SslClientAuthenticationOptions
        {
            TargetHost = host,
            EnabledSslProtocols = protocol,
            CertificateChainPolicy = policy,
            ClientCertificateContext = shows is { } pair ? Context(pair) : null,
        };
    }

    private static SslStreamCertificateContext Context((string Certificate, string Key) pair)
    {
        var all = new X509Certificate2Collection();
        all.ImportFromPem(pair.Certificate);
        return SslStreamCertificateContext.Create(X509Certificate2.CreateFromPem(pair.Certificate, pair.Key), all, offline: true);
    }

    // The user of the client; empty for none, null when it was not let in.
    private static async Task<string?> ServeAsync(SslStream server, TcpClient socket, SslServerAuthenticationOptions broker)
    {
        try
        {
            await server.AuthenticateAsServerAsync(broker, TestContext.Current.CancellationToken);
            await server.WriteAsync(new byte[1], TestContext.Current.CancellationToken);
            return server.RemoteCertificate is X509Certificate2 shown && CertificateNames.TryRead(shown, reserved: "", out var user, out _) ? user : "";
        }
        catch (Exception e) when (e is AuthenticationException or IOException or CryptographicException)
        {
            socket.Close();
            return null;
        }
    }

    // With TLS 1.3 a client learns with the first byte whether it was let in.
    private static async Task<bool> DialAsync(SslStream client, TcpClient socket, SslClientAuthenticationOptions options)
    {
        try
        {
            await client.AuthenticateAsClientAsync(options, TestContext.Current.CancellationToken);
            return await client.ReadAsync(new byte[1], TestContext.Current.CancellationToken) == 1;
        }
        catch (Exception e) when (e is AuthenticationException or IOException)
        {
            socket.Close();
            return false;
        }
    }
}
