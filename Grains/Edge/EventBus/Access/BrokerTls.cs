namespace EdgeOrleans.Edge.EventBus.Access;

/// <summary>What the broker's TLS is told. Every file is PEM unless it is said, and is read again when it changes.</summary>
/// <param name="CertFile">The broker's certificate, followed by those between it and its root; empty for one of the node's own authority.</param>
/// <param name="KeyFile">The private key of <paramref name="CertFile"/>, without a password.</param>
/// <param name="ClientCaFile">Who vouches for clients: the root, and those between it and the clients; empty for the node's own authority.</param>
/// <param name="RequireClientCertificate">Whether a client without a certificate is turned away.</param>
/// <param name="CrlFile">The revocation lists of <paramref name="ClientCaFile"/>, PEM or DER; empty for none.</param>
internal sealed record BrokerTls(string CertFile, string KeyFile, string ClientCaFile, bool RequireClientCertificate, string CrlFile = "");
