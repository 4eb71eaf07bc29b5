using System.Net;
using System.Net.NetworkInformation;
using System.Net.Security;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Microsoft.Extensions.Logging;

namespace EdgeOrleans.Edge.EventBus.Access;

/// <summary>The broker's certificate from the node's own authority, on disk: made when there is none that is good, and made again before it ends.</summary>
/// <param name="folder">Where <c>server.crt</c> and <c>server.key</c> are.</param>
/// <param name="node">The node's name, one of those it is good for.</param>
/// <param name="authority">Who signs it.</param>
/// <param name="time">The clock.</param>
/// <param name="logger">For what was made.</param>
internal sealed partial class NodeServer(string folder, string node, NodeAuthority authority, TimeProvider time, ILogger logger)
{
    /// <summary>How long a certificate is good.</summary>
    public static readonly TimeSpan Lifetime = TimeSpan.FromDays(365);

    /// <summary>How long before its end it is made again.</summary>
    public static readonly TimeSpan Before = TimeSpan.FromDays(30);

    // Devices without a battery are slow by hours until somebody tells them the time.
    private static readonly TimeSpan Skew = TimeSpan.FromDays(1);

    // A machine with containers has an address for each; a certificate with thousands would not get through a handshake.
    private const int MostAddresses = 100;

    private readonly string _certificatePath = Path.Combine(folder, "server.crt");
    private readonly string _keyPath = Path.Combine(folder, "server.key");

    /// <summary>The one on disk if it is good for this machine, or a new one.</summary>
    public SslStreamCertificateContext Open() => Read() is { } kept && !IsDue(kept) && CoversMachine(kept) ? ContextOf(kept) : Renew();

    /// <summary>Whether it is time for a new one, and a new one would be better.</summary>
    public bool IsDue(X509Certificate2 certificate)
    {
        var now = time.GetUtcNow();
        var end = certificate.NotAfter.ToUniversalTime();
        return certificate.NotBefore.ToUniversalTime() > now || (end < now + Before && end < authority.NotAfter);
    }

    /// <summary>Whether it is good for all names and addresses that the machine has now.</summary>
    public bool CoversMachine(X509Certificate2 certificate)
    {
        var (hosts, addresses) = Names();
        var covered = certificate.Extensions.OfType<X509SubjectAlternativeNameExtension>().SingleOrDefault();
        return covered is not null
            && hosts.IsSubsetOf(covered.EnumerateDnsNames())
            && addresses.IsSubsetOf(covered.EnumerateIPAddresses());
    }

    /// <summary>Makes a new one. It counts even when it cannot be written: the next start makes another then.</summary>
    public SslStreamCertificateContext Renew()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest(NodeAuthority.NameOf(node), key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(AlternativeNames());
        using var certificate = authority.Certify(request, NodeAuthority.ServerAuth, Lifetime, Skew);
        var (certificatePem, keyPem) = (certificate.ExportCertificatePem() + "\n", key.ExportPkcs8PrivateKeyPem() + "\n");
        Write(certificatePem, keyPem);
        LogMade(certificate.NotAfter.ToUniversalTime());
        return ContextOf(PemText.Pair(_certificatePath, System.Text.Encoding.Latin1.GetBytes(certificatePem), _keyPath, System.Text.Encoding.Latin1.GetBytes(keyPem)));
    }

    private SslStreamCertificateContext ContextOf(X509Certificate2 pair) => SslStreamCertificateContext.Create(pair, [authority.Certificate], offline: true);

    // Whatever is wrong with it, a new one is as good: clients trust the authority.
    private X509Certificate2? Read()
    {
        try
        {
            if (TextFile.ReadIfThere(_certificatePath, PemText.Largest) is { } certificate && TextFile.ReadIfThere(_keyPath, PemText.Largest) is { } key)
            {
                KeyMode.Close(_keyPath, logger);
                var pair = PemText.Pair(_certificatePath, certificate, _keyPath, key);
                return authority.HasSigned(pair) ? pair : null;
            }
        }
        catch (AccessFileException e)
        {
            LogUnusable(e.Message);
        }

        return null;
    }

    private void Write(string certificate, string key)
    {
        try
        {
            TextFile.Replace(_keyPath, key, static () => true);
            TextFile.Replace(_certificatePath, certificate, static () => true, KeyMode.Open);
        }
        catch (AccessFileException e)
        {
            LogNotKept(e.Message);
        }
    }

    private X509Extension AlternativeNames()
    {
        var (hosts, addresses) = Names();
        var names = new SubjectAlternativeNameBuilder();
        foreach (var host in hosts)
        {
            names.AddDnsName(host);
        }

        foreach (var address in addresses)
        {
            names.AddIpAddress(address);
        }

        return names.Build();
    }

    private (HashSet<string> Hosts, HashSet<IPAddress> Addresses) Names()
    {
        var hosts = new HashSet<string>(StringComparer.OrdinalIgnoreCase);
        var addresses = new HashSet<IPAddress> { IPAddress.Loopback, IPAddress.IPv6Loopback };
        foreach (var name in new[] { node, "localhost", Environment.MachineName, Dns.GetHostName() })
        {
            if (IPAddress.TryParse(name, out var address))
            {
                addresses.Add(address);
            }
            else if (name.All(char.IsAscii) && Uri.CheckHostName(name) == UriHostNameType.Dns)
            {
                hosts.Add(name.ToLowerInvariant());
            }
        }

        addresses.UnionWith(OfMachine().Take(MostAddresses));
        return (hosts, addresses);
    }

    // Those of a link alone need the link's name beside them, which no certificate has.
    private static IPAddress[] OfMachine()
    {
        try
        {
            return
            [
                .. NetworkInterface.GetAllNetworkInterfaces()
                    .Where(static i => i.OperationalStatus != OperationalStatus.Down)
                    .SelectMany(static i => i.GetIPProperties().UnicastAddresses)
                    .Where(static a => !a.Address.IsIPv6LinkLocal)
                    .Select(static a => new IPAddress(a.Address.GetAddressBytes())),
            ];
        }
        catch (Exception e) when (e is NetworkInformationException or PlatformNotSupportedException)
        {
            return [];
        }
    }

    [LoggerMessage(LogLevel.Information, "Made a certificate for the MQTT broker, good until {Until:u}")]
    private partial void LogMade(DateTime until);

    [LoggerMessage(LogLevel.Warning, "The certificate of the MQTT broker cannot be used, a new one is made: {Reason}")]
    private partial void LogUnusable(string reason);

    [LoggerMessage(LogLevel.Error, "The new certificate of the MQTT broker is used and not kept: {Reason}")]
    private partial void LogNotKept(string reason);
}
