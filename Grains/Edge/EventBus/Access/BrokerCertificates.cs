using System.Net.Security;
using Microsoft.Extensions.Logging;

namespace EdgeOrleans.Edge.EventBus.Access;

internal sealed record BrokerTls(string CertFile, string KeyFile, string ClientCaFile, bool RequireClientCertificate);

#pragma warning disable
internal sealed class BrokerCertificates(BrokerTls settings, string folder, string node, TimeProvider time, ILogger<BrokerCertificates> logger)
{
    public void Start() => throw new NotImplementedException();
    public SslServerAuthenticationOptions ForHandshake() => throw new NotImplementedException();
}
