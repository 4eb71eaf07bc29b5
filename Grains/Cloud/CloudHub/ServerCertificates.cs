using System.Net;
using System.Net.Security;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace EdgeOrleans.Cloud.CloudHub;

/// <summary>The certificate of the cloud's doors: made at the start, in memory alone, and made anew before it expires.</summary>
internal sealed partial class ServerCertificates(CertificateAuthority authority, IOptions<CloudHubOptions> options, TimeProvider time, ILogger<ServerCertificates> logger)
{
    private static readonly TimeSpan Lifetime = TimeSpan.FromDays(90);

    private readonly Lock _making = new();
    private volatile Served? _served;

    /// <summary>For the next handshake.</summary>
    public SslStreamCertificateContext Current
    {
        get
        {
            var served = _served;
            if (served is null || time.GetUtcNow() >= served.RenewAt)
            {
                lock (_making)
                {
                    served = _served is { } other && time.GetUtcNow() < other.RenewAt ? other : _served = Make();
                }
            }

            return served.Certificate;
        }
    }

    // The one before is left to the handshakes that still use it.
    private Served Make()
    {
        var names = Names().ToList();
        var certificate = authority.IssueToDoor(names, Lifetime);
        LogMade(string.Join(", ", names), certificate.NotAfter.ToUniversalTime());
        return new Served(SslStreamCertificateContext.Create(certificate, additionalCertificates: null, offline: true), time.GetUtcNow() + Lifetime * 2 / 3);
    }

    private IEnumerable<string> Names()
    {
        IEnumerable<string> names = ["localhost", "127.0.0.1", "::1", .. options.Value.AdvertiseAddress];
        var address = IPAddress.Parse(options.Value.Https.Address);
        if (!address.Equals(IPAddress.Any) && !address.Equals(IPAddress.IPv6Any))
        {
            names = names.Append(address.ToString());
        }

        return (Uri.CheckHostName(Environment.MachineName) == UriHostNameType.Dns ? names.Append(Environment.MachineName.ToLowerInvariant()) : names)
            .Distinct(StringComparer.OrdinalIgnoreCase);
    }

    [LoggerMessage(LogLevel.Information, "The doors' certificate is for {Names}, good until {Until:u}")]
    private partial void LogMade(string names, DateTime until);

    private sealed record Served(SslStreamCertificateContext Certificate, DateTimeOffset RenewAt);
}
