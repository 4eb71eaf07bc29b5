using System.Net.Security;
using System.Security.Authentication;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Microsoft.Extensions.Logging;

namespace EdgeOrleans.Edge.EventBus.Access;

/// <summary>
/// How the broker shows itself over TLS and whom it believes: with the files of an operator, read again when they change, or with an
/// authority of the node's own. What cannot be used leaves what was in force in force.
/// </summary>
/// <param name="settings">The files of an operator.</param>
/// <param name="folder">Where the node's own authority and certificate are.</param>
/// <param name="node">The node's name.</param>
/// <param name="time">The clock.</param>
/// <param name="logger">For what was taken, made and refused.</param>
internal sealed partial class BrokerCertificates(BrokerTls settings, string folder, string node, TimeProvider time, ILogger<BrokerCertificates> logger) : IDisposable
{
    /// <summary>The shortest life of a client's certificate.</summary>
    public static readonly TimeSpan Shortest = TimeSpan.FromHours(1);

    /// <summary>The longest life of a client's certificate.</summary>
    public static readonly TimeSpan Longest = TimeSpan.FromDays(3_650);

    private static readonly TimeSpan LookEvery = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan Day = TimeSpan.FromDays(1);
    private static readonly TimeSpan AuthorityWarning = TimeSpan.FromDays(365);
    private static readonly TimeSpan Skew = TimeSpan.FromMinutes(5);

    private readonly Lock _changing = new();
    private NodeAuthority? _authority;
    private NodeServer? _own;
    private GivenFiles<SslStreamCertificateContext>? _given;
    private GivenFiles<ClientTrust>? _givenTrust;
    private volatile InForce? _current;
    private ITimer? _daily;
    private long _looked;
    private bool _isOver;

    /// <summary>Reads what is given, and makes what is not. From here on it is looked after.</summary>
    /// <exception cref="StartRefusedException">A file is missing, damaged or over, or the node's own cannot be made.</exception>
    public void Start()
    {
        try
        {
            lock (_changing)
            {
                _current = Open();
                _looked = time.GetTimestamp();
                TellOfEnds(_current);
            }
        }
        catch (AccessFileException e)
        {
            throw new StartRefusedException($"MQTT: {e.Message}");
        }

        _daily = time.CreateTimer(_ => LookDaily(), null, Day, Day);
    }

    /// <summary>
    /// For one handshake of a client that comes now: TLS 1.2 or 1.3. A client without a certificate comes in unless one is required; one
    /// with a certificate that is not believed does not.
    /// </summary>
    public SslServerAuthenticationOptions ForHandshake()
    {
        LookAgain();
        var current = _current ?? throw new InvalidOperationException("the certificates are not read yet");
        return new SslServerAuthenticationOptions
        {
            ServerCertificateContext = current.Server,
            EnabledSslProtocols = SslProtocols.Tls12 | SslProtocols.Tls13,
            ClientCertificateRequired = true,
            CertificateRevocationCheckMode = X509RevocationMode.NoCheck,
            CertificateChainPolicy = current.Clients.At(time.GetUtcNow()),
            RemoteCertificateValidationCallback = settings.RequireClientCertificate ? Known : KnownOrNone,
            AllowRenegotiation = false,

            // Every connection shows its certificate, and those above it, and is judged by whom is believed now.
            AllowTlsResume = false,
        };
    }

    /// <summary>Makes a certificate for a client that is this user.</summary>
    /// <param name="user">The user; a device's client is called like its device.</param>
    /// <param name="lifetime">How long it is good, from one hour to 3,650 days; never longer than the authority itself.</param>
    /// <exception cref="RefusedException">The name or the lifetime is not good, or an operator's authority vouches for clients.</exception>
    public IssuedCertificate Issue(string user, TimeSpan lifetime)
    {
        if (settings.ClientCaFile.Length > 0)
        {
            throw new RefusedException(409, $"this node believes the MQTT clients of {settings.ClientCaFile}, so that authority makes their certificates, and not the node");
        }

        if (UserName.Refuses(user, reserved: "") is { } reason)
        {
            throw new RefusedException(400, $"the name {reason}");
        }

        if (lifetime < Shortest || lifetime > Longest)
        {
            throw new RefusedException(400, $"a certificate is good for 1 hour to {Longest.TotalDays:N0} days, and not for {lifetime}");
        }

        return Issue(_current is null ? throw new InvalidOperationException("the authority is not open yet") : _authority!, user, lifetime);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        lock (_changing)
        {
            _isOver = true;
            _daily?.Dispose();
            _authority?.Dispose();
        }
    }

    private static IssuedCertificate Issue(NodeAuthority authority, string user, TimeSpan lifetime)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest(NodeAuthority.NameOf(user), key, HashAlgorithmName.SHA256);
        using var certificate = authority.Certify(request, NodeAuthority.ClientAuth, lifetime, Skew);
        return new IssuedCertificate(
            certificate.ExportCertificatePem(), key.ExportPkcs8PrivateKeyPem(), authority.Certificate.ExportCertificatePem(), certificate.NotAfter.ToUniversalTime());
    }

    private static bool Known(object sender, X509Certificate? certificate, X509Chain? chain, SslPolicyErrors errors) => errors == SslPolicyErrors.None;

    private static bool KnownOrNone(object sender, X509Certificate? certificate, X509Chain? chain, SslPolicyErrors errors) =>
        errors == SslPolicyErrors.None || (certificate is null && errors == SslPolicyErrors.RemoteCertificateNotAvailable);

    private InForce Open()
    {
        if (settings.CertFile.Length == 0 || settings.ClientCaFile.Length == 0)
        {
            _authority = new NodeAuthority(folder, node, time, logger);
            _authority.Open();
        }

        return new InForce(OpenServer(), OpenClients());
    }

    private SslStreamCertificateContext OpenServer()
    {
        if (settings.CertFile.Length == 0)
        {
            _own = new NodeServer(folder, node, _authority!, time, logger);
            return _own.Open();
        }

        _given = new GivenFiles<SslStreamCertificateContext>([settings.CertFile, settings.KeyFile], ServerOf);
        return _given.Open();
    }

    private ClientTrust OpenClients()
    {
        if (settings.ClientCaFile.Length == 0)
        {
            return new ClientTrust([_authority!.Certificate], []);
        }

        _givenTrust = new GivenFiles<ClientTrust>([settings.ClientCaFile], files => ClientTrust.Parse(settings.ClientCaFile, files[0], time.GetUtcNow()));
        return _givenTrust.Open();
    }

    private SslStreamCertificateContext ServerOf(byte[][] files)
    {
        var pair = PemText.Pair(settings.CertFile, files[0], settings.KeyFile, files[1]);
        var end = pair.NotAfter.ToUniversalTime();
        return end > time.GetUtcNow()
            ? SslStreamCertificateContext.Create(pair, PemText.Certificates(settings.CertFile, files[0]), offline: true)
            : throw new AccessFileException(settings.CertFile, 0, $"the certificate has ended on {end:u}; put one there that is still good");
    }

    // One handshake looks for all that come in the same second; the others do not wait for it.
    private void LookAgain()
    {
        if (time.GetElapsedTime(Volatile.Read(ref _looked)) < LookEvery || !_changing.TryEnter())
        {
            return;
        }

        try
        {
            Volatile.Write(ref _looked, time.GetTimestamp());
            LookAlone(daily: false);
        }
        finally
        {
            _changing.Exit();
        }
    }

    private void LookDaily()
    {
        lock (_changing)
        {
            LookAlone(daily: true);
        }
    }

    // A handshake goes on with what is in force, and a timer's exception would end the program.
    private void LookAlone(bool daily)
    {
        try
        {
            if (!_isOver && _current is { } before)
            {
                _current = new InForce(Server(before.Server, daily), Clients(before.Clients));
                if (daily)
                {
                    TellOfEnds(_current);
                }
            }
        }
        catch (Exception e)
        {
            LogFailed(e);
        }
    }

    private SslStreamCertificateContext Server(SslStreamCertificateContext before, bool daily)
    {
        if (_given is not null)
        {
            return Change(_given, settings.CertFile) ?? before;
        }

        return _own!.IsDue(before.TargetCertificate) || (daily && !_own.CoversMachine(before.TargetCertificate)) ? _own.Renew() : before;
    }

    private ClientTrust Clients(ClientTrust before) => _givenTrust is null ? before : Change(_givenTrust, settings.ClientCaFile) ?? before;

    private T? Change<T>(GivenFiles<T> files, string path)
        where T : class
    {
        var made = files.TakeChange(out var trouble);
        if (made is not null)
        {
            LogTaken(path);
        }
        else if (trouble is not null)
        {
            LogRefused(trouble);
        }

        return made;
    }

    private void TellOfEnds(InForce current)
    {
        var now = time.GetUtcNow();
        if (_given is not null && current.Server.TargetCertificate.NotAfter.ToUniversalTime() is var end && end < now + NodeServer.Before)
        {
            LogEnds(settings.CertFile, end);
        }

        if (_authority is not null && _authority.NotAfter < now + AuthorityWarning)
        {
            LogAuthorityEnds(folder, _authority.NotAfter);
        }
    }

    /// <summary>What the next handshake gets.</summary>
    private sealed record InForce(SslStreamCertificateContext Server, ClientTrust Clients);

    [LoggerMessage(LogLevel.Information, "The certificates of MQTT have changed, {Path} is in force as it is now")]
    private partial void LogTaken(string path);

    [LoggerMessage(LogLevel.Error, "Certificates of MQTT are not taken, the old ones stay: {Reason}")]
    private partial void LogRefused(string reason);

    [LoggerMessage(LogLevel.Error, "The certificates of MQTT could not be looked at, the old ones stay")]
    private partial void LogFailed(Exception exception);

    [LoggerMessage(LogLevel.Warning, "The certificate {Path} of the MQTT broker ends on {End:u}; put a new one there")]
    private partial void LogEnds(string path, DateTime end);

    [LoggerMessage(LogLevel.Warning, "The node's own authority for MQTT in {Folder} ends on {End:u}; remove ca.crt and ca.key before that, and start again: clients then need the new one")]
    private partial void LogAuthorityEnds(string folder, DateTimeOffset end);
}
