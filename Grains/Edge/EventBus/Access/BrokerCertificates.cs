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
    private readonly CertificateFile _made = new(Path.Combine(folder, "certificates"));
    private WatchedFile? _madeWatch;
    private NodeAuthority? _authority;
    private NodeServer? _own;
    private GivenFiles<SslStreamCertificateContext>? _given;
    private GivenFiles<ClientTrust>? _givenTrust;
    private volatile InForce? _current;
    private ITimer? _daily;
    private long _looked;
    private bool _isOver;
    private Func<Task>? _revoked;
    private Task _telling = Task.CompletedTask;

    /// <summary>The certificates of clients that the node has made, as they are in force; none where an operator's authority makes them.</summary>
    public MadeCertificates Made => _current?.Made ?? MadeCertificates.None;

    /// <summary>Reads what is given, and makes what is not. From here on it is looked after.</summary>
    /// <param name="revoked">Called when other certificates are revoked than before, one call after the other.</param>
    /// <exception cref="StartRefusedException">A file is missing, damaged or over, or the node's own cannot be made.</exception>
    public void Start(Func<Task>? revoked = null)
    {
        _revoked = revoked;
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
    /// with a certificate that is not believed or that was revoked does not.
    /// </summary>
    /// <param name="shown">Learns what the client shows.</param>
    public SslServerAuthenticationOptions ForHandshake(ShownCertificates shown)
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
            RemoteCertificateValidationCallback = (_, certificate, chain, errors) => IsKnown(certificate, chain, errors, shown),
            AllowRenegotiation = false,

            // Every connection shows its certificate, and those above it, and is judged by whom is believed now.
            AllowTlsResume = false,
        };
    }

    /// <summary>Whether one of these certificates was revoked, by the node or by an operator's authority.</summary>
    public bool IsRevoked(IReadOnlyList<CertificateId> shown)
    {
        if (shown.Count == 0 || _current is not { } current)
        {
            return false;
        }

        return current.Made.IsRevoked(shown[0].Serial) || shown.Any(current.Clients.Revoked.Has);
    }

    /// <summary>Takes certificates of a user back: on disk and in force when this returns. What is revoked already stays as it is.</summary>
    /// <param name="user">The user.</param>
    /// <param name="serial">The one certificate, which need not be known; null for all that are known and have not ended.</param>
    /// <returns>Those that were good before.</returns>
    /// <exception cref="RefusedException">There is no such certificate, it is another's, or the file cannot be changed.</exception>
    public Task<IReadOnlyList<MadeCertificate>> RevokeAsync(string user, string? serial) => OnDiskAsync(() =>
    {
        var authority = Authority("that authority revokes them: put its list into modules.eventBus.tlsCrlFile");
        var now = time.GetUtcNow();
        var revoked = _made.Revoke(all => all.Meant(user, serial, now, authority.NotAfter), now);
        LookNow();
        return revoked;
    });

    /// <inheritdoc cref="Issue(string, TimeSpan)"/>
    public Task<IssuedCertificate> IssueAsync(string user, TimeSpan lifetime) => OnDiskAsync(() => Issue(user, lifetime));

    /// <summary>Looks at the files again, unless somebody has a moment ago.</summary>
    public void LookAgain()
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

    /// <summary>Makes a certificate for a client that is this user. It is noted before anybody gets it.</summary>
    /// <param name="user">The user; a device's client is called like its device.</param>
    /// <param name="lifetime">How long it is good, from one hour to 3,650 days; never longer than the authority itself.</param>
    /// <exception cref="RefusedException">The name or the lifetime is not good, or an operator's authority vouches for clients.</exception>
    public IssuedCertificate Issue(string user, TimeSpan lifetime)
    {
        var authority = Authority("that authority makes their certificates, and not the node");
        if (UserName.Refuses(user, reserved: "") is { } reason)
        {
            throw new RefusedException(400, $"the name {reason}");
        }

        if (lifetime < Shortest || lifetime > Longest)
        {
            throw new RefusedException(400, $"a certificate is good for 1 hour to {Longest.TotalDays:N0} days, and not for {lifetime}");
        }

        var (issued, made) = Issue(authority, user, lifetime);
        _made.Add(made with { Issued = time.GetUtcNow() }, time.GetUtcNow());
        LookNow();
        return issued;
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

    // The disk takes its time; it does not take it from a grain's turn.
    private static async Task<T> OnDiskAsync<T>(Func<T> change)
    {
        try
        {
            return await Task.Run(change);
        }
        catch (AccessFileException e)
        {
            throw new RefusedException(503, e.Message);
        }
    }

    private static (IssuedCertificate Issued, MadeCertificate Made) Issue(NodeAuthority authority, string user, TimeSpan lifetime)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest(NodeAuthority.NameOf(user), key, HashAlgorithmName.SHA256);
        using var certificate = authority.Certify(request, NodeAuthority.ClientAuth, lifetime, Skew);
        DateTimeOffset end = certificate.NotAfter.ToUniversalTime();
        return (
            new IssuedCertificate(certificate.ExportCertificatePem(), key.ExportPkcs8PrivateKeyPem(), authority.Certificate.ExportCertificatePem(), end),
            new MadeCertificate(SerialNumber.Of(certificate.SerialNumberBytes.Span), user, Issued: null, end, Revoked: null));
    }

    private bool IsKnown(X509Certificate? certificate, X509Chain? chain, SslPolicyErrors errors, ShownCertificates shown)
    {
        if (certificate is null)
        {
            return !settings.RequireClientCertificate && errors is SslPolicyErrors.None or SslPolicyErrors.RemoteCertificateNotAvailable;
        }

        if (errors != SslPolicyErrors.None || chain is null)
        {
            return false;
        }

        shown.Take(chain);
        shown.IsRefused = IsRevoked(shown.All);
        return !shown.IsRefused;
    }

    private NodeAuthority Authority(string instead) => settings.ClientCaFile.Length > 0
        ? throw new RefusedException(409, $"this node believes the MQTT clients of {settings.ClientCaFile}, so {instead}")
        : _current is null ? throw new InvalidOperationException("the authority is not open yet")
        : _authority!;

    private InForce Open()
    {
        if (settings.CertFile.Length == 0 || settings.ClientCaFile.Length == 0)
        {
            _authority = new NodeAuthority(folder, node, time, logger);
            _authority.Open();
        }

        return new InForce(OpenServer(), OpenClients(), OpenMade());
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
            return new ClientTrust([_authority!.Certificate], [], RevocationLists.None);
        }

        _givenTrust = settings.CrlFile.Length == 0
            ? new GivenFiles<ClientTrust>([settings.ClientCaFile], files => TrustOf(files[0]))
            : new GivenFiles<ClientTrust>([settings.ClientCaFile, settings.CrlFile], files => WithLists(TrustOf(files[0]), files[1]), RevocationLists.Largest);
        return _givenTrust.Open();
    }

    private MadeCertificates OpenMade()
    {
        _madeWatch = settings.ClientCaFile.Length == 0 ? new WatchedFile(_made.Path, CertificateFile.Largest) : null;
        return _madeWatch is not null && File.Exists(_made.Path) && _madeWatch.TakeChange() is { } bytes ? _made.Parse(bytes) : MadeCertificates.None;
    }

    private ClientTrust TrustOf(byte[] file) => ClientTrust.Parse(settings.ClientCaFile, file, time.GetUtcNow());

    private ClientTrust WithLists(ClientTrust trust, byte[] file) =>
        trust.With(RevocationLists.Parse(settings.CrlFile, file, trust.Authorities, _current?.Clients.Revoked, time.GetUtcNow()));

    private SslStreamCertificateContext ServerOf(byte[][] files)
    {
        var pair = PemText.Pair(settings.CertFile, files[0], settings.KeyFile, files[1]);
        var end = pair.NotAfter.ToUniversalTime();
        return end > time.GetUtcNow()
            ? SslStreamCertificateContext.Create(pair, PemText.Certificates(settings.CertFile, files[0]), offline: true)
            : throw new AccessFileException(settings.CertFile, 0, $"the certificate has ended on {end:u}; put one there that is still good");
    }

    private void LookNow()
    {
        lock (_changing)
        {
            LookAlone(daily: false);
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
                _current = new InForce(Server(before.Server, daily), Clients(before.Clients), MadeNow(before.Made));
                if (_revoked is not null && (_current.Clients != before.Clients || _current.Made != before.Made))
                {
                    _telling = TellAsync(_telling, _revoked);
                }

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

    private ClientTrust Clients(ClientTrust before)
    {
        if (_givenTrust is null || Change(_givenTrust, settings.ClientCaFile) is not { } changed)
        {
            return before;
        }

        if (settings.CrlFile.Length > 0)
        {
            LogLists(settings.CrlFile, changed.Revoked.Count);
        }

        return changed;
    }

    // Nobody has to make the file: it is there from the first certificate on.
    private MadeCertificates MadeNow(MadeCertificates before)
    {
        if (_madeWatch is null || (before == MadeCertificates.None && !File.Exists(_made.Path)))
        {
            return before;
        }

        try
        {
            return _madeWatch.TakeChange() is { } bytes ? _made.Parse(bytes) : before;
        }
        catch (AccessFileException e)
        {
            LogRefused(e.Message);
            return before;
        }
    }

    private async Task TellAsync(Task last, Func<Task> revoked)
    {
        await last;
        try
        {
            await Task.Run(revoked);
        }
        catch (Exception e)
        {
            LogNotTold(e);
        }
    }

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

        if (current.Clients.Revoked.Next is { } due && due < now)
        {
            LogListEnded(settings.CrlFile, due);
        }

        if (_authority is not null && _authority.NotAfter < now + AuthorityWarning)
        {
            LogAuthorityEnds(folder, _authority.NotAfter);
        }
    }

    /// <summary>What the next handshake gets.</summary>
    private sealed record InForce(SslStreamCertificateContext Server, ClientTrust Clients, MadeCertificates Made);

    [LoggerMessage(LogLevel.Information, "The certificates of MQTT have changed, {Path} is in force as it is now")]
    private partial void LogTaken(string path);

    [LoggerMessage(LogLevel.Error, "Certificates of MQTT are not taken, the old ones stay: {Reason}")]
    private partial void LogRefused(string reason);

    [LoggerMessage(LogLevel.Error, "The certificates of MQTT could not be looked at, the old ones stay")]
    private partial void LogFailed(Exception exception);

    [LoggerMessage(LogLevel.Information, "The revocation lists of MQTT's clients in {Path} are in force as they are now, with {Count} certificates")]
    private partial void LogLists(string path, int count);

    [LoggerMessage(LogLevel.Error, "Certificates of MQTT clients were revoked, and not everybody could be looked at")]
    private partial void LogNotTold(Exception exception);

    [LoggerMessage(LogLevel.Error, "A revocation list of MQTT's clients in {Path} has ended on {End:u}; it stays in force, and who was revoked since is let in: put a new one there")]
    private partial void LogListEnded(string path, DateTimeOffset end);

    [LoggerMessage(LogLevel.Warning, "The certificate {Path} of the MQTT broker ends on {End:u}; put a new one there")]
    private partial void LogEnds(string path, DateTime end);

    [LoggerMessage(LogLevel.Warning, "The node's own authority for MQTT in {Folder} ends on {End:u}; remove ca.crt and ca.key before that, and start again: clients then need the new one")]
    private partial void LogAuthorityEnds(string folder, DateTimeOffset end);
}
