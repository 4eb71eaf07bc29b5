using System.Net;
using System.Security.Cryptography.X509Certificates;
using EdgeOrleans.Joining;
using EdgeOrleans.Settings;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace EdgeOrleans.Edge.EdgeHub;

/// <summary>How the node comes to a certificate: from disk, with a token, or with the certificate it has.</summary>
/// <remarks>
/// A certificate that is good is used, and no token is looked at. An expired one is tried all the same, since a cloud may let a node back in
/// that was off for long; then the token counts. One of another node, or one that cannot be read, is never written over: a person decides.
/// </remarks>
internal sealed partial class Enrolment
{
    private readonly EdgeHubOptions _options;
    private readonly string _node;
    private readonly TimeProvider _time;
    private readonly ILogger<Enrolment> _logger;
    private readonly CertificateFiles _files;
    private readonly BootstrapClient _door;
    private NodeCredentials? _current;

    public Enrolment(IOptions<EdgeHubOptions> options, IOptions<NodeOptions> node, IOptions<DataOptions> data, TimeProvider time, ILogger<Enrolment> logger)
    {
        (_options, _node, _time, _logger) = (options.Value, node.Value.Name, time, logger);
        _files = new CertificateFiles(_options, data.Value);
        CloudAddress.TryParse(_options.WebSocket.Server, _options.HttpServer, out var address, out _);
        _door = new BootstrapClient(address!.Bootstrap, _node, _options.Proxy, time);
    }

    /// <summary>What to link with now.</summary>
    /// <exception cref="JoinException">Nothing yet; asking again may help.</exception>
    public async Task<NodeCredentials> GetAsync(CancellationToken cancellation)
    {
        if (_current is { } current && !IsOver(current.Certificate))
        {
            return current;
        }

        var authority = _files.ReadAuthority();
        if (_files.ReadNode() is not { } certificate)
        {
            return await JoinAsync(cancellation);
        }

        if (BootstrapClient.NodeOf(certificate) is var name && name != _node)
        {
            throw new JoinException($"{_files.CertificateFile} is the certificate of {name ?? certificate.Subject}, and this is node {_node}; give the node its name (--node), or remove the file to join anew");
        }

        if (authority is null)
        {
            throw new JoinException($"there is a certificate {_files.CertificateFile} and no CA {_files.AuthorityFile} to know the cloud by; put it there, or remove the certificate to join anew");
        }

        return IsOver(certificate) ? await ReturnAsync(certificate, authority, cancellation) : Use(certificate, authority);
    }

    /// <summary>The next certificate, asked for with the present one.</summary>
    /// <exception cref="JoinException">Not this time.</exception>
    public async Task<NodeCredentials> RenewAsync(NodeCredentials present, CancellationToken cancellation)
    {
        using var key = _files.NextKey();
        var next = _files.Adopt(await _door.CertificateAsync(present.Authority, key, null, present.Certificate, cancellation));
        LogRenewed(next.SerialNumber, next.NotAfter.ToUniversalTime());
        return Keep(next, present.Authority);
    }

    private async Task<NodeCredentials> JoinAsync(CancellationToken cancellation)
    {
        var token = Token() ?? throw new JoinException(
            $"there is no certificate {_files.CertificateFile} and no token to join with; \"edgectl --server CLOUD token create --node {_node}\" makes one, --join TOKEN takes it");
        var der = await _door.AuthorityAsync(token, cancellation);
        var authority = new X509Certificate2Collection(X509CertificateLoader.LoadCertificate(der));

        // Before it is asked for: when the answer is lost, the same key asks again, and a token that counts once still does.
        using var key = _files.NextKey();
        byte[] certificate;
        try
        {
            certificate = await _door.CertificateAsync(authority, key, token, null, cancellation);
        }
        catch (JoinRefusedException e) when (e.Status == HttpStatusCode.Unauthorized)
        {
            throw new JoinException($"{e.Message}; \"edgectl --server CLOUD token create --node {_node}\" makes another token", e);
        }

        _files.WriteAuthority(der);
        var joined = _files.Adopt(certificate);
        LogJoined(_node, joined.SerialNumber, joined.NotAfter.ToUniversalTime());
        return Keep(joined, authority);
    }

    private async Task<NodeCredentials> ReturnAsync(X509Certificate2 certificate, X509Certificate2Collection authority, CancellationToken cancellation)
    {
        LogExpired(certificate.SerialNumber, certificate.NotAfter.ToUniversalTime());
        try
        {
            return await RenewAsync(NodeCredentials.Of(certificate, authority, 0), cancellation);
        }
        catch (JoinException e) when (_options.Token.Length > 0)
        {
            LogNoWayBack(e.Message);
            return await JoinAsync(cancellation);
        }
        catch (JoinException e)
        {
            throw new JoinException(
                $"the node's certificate ended at {certificate.NotAfter.ToUniversalTime():u} and the cloud gave no other: {e.Message}; \"edgectl --server CLOUD token create --node {_node}\" makes a token to join anew", e);
        }
    }

    private NodeCredentials Use(X509Certificate2 certificate, X509Certificate2Collection authority)
    {
        if (Token() is { } token && !authority.Any(a => token.Trusts(a.RawData)))
        {
            LogOtherCloud(_files.CertificateFile);
        }

        return Keep(certificate, authority);
    }

    private NodeCredentials Keep(X509Certificate2 certificate, X509Certificate2Collection authority) =>
        _current = NodeCredentials.Of(certificate, authority, Random.Shared.NextDouble());

    private JoinToken? Token() => _options.Token.Length == 0 ? null
        : JoinToken.TryParse(_options.Token, out var token) ? token
        : throw new JoinException("the token (--join, modules.edgeHub.token) is none: it is the hash of the cloud's CA and three more parts with dots between them, as \"edgectl token create\" prints it");

    private bool IsOver(X509Certificate2 certificate) => certificate.NotAfter.ToUniversalTime() <= _time.GetUtcNow().UtcDateTime;

    [LoggerMessage(LogLevel.Information, "Joined the cloud as node {Node} with certificate {Serial}, good until {Until:u}")]
    private partial void LogJoined(string node, string serial, DateTime until);

    [LoggerMessage(LogLevel.Information, "Got the next certificate {Serial}, good until {Until:u}")]
    private partial void LogRenewed(string serial, DateTime until);

    [LoggerMessage(LogLevel.Warning, "The node's certificate {Serial} ended at {Until:u}; asking the cloud whether it is let back in with it")]
    private partial void LogExpired(string serial, DateTime until);

    [LoggerMessage(LogLevel.Warning, "The expired certificate is not taken: {Reason}; joining with the token")]
    private partial void LogNoWayBack(string reason);

    [LoggerMessage(LogLevel.Warning, "The token is another cloud's than the node's certificate {File}, which counts; remove it to join the other cloud")]
    private partial void LogOtherCloud(string file);
}
