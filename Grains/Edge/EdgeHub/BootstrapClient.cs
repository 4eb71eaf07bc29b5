using System.Globalization;
using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using EdgeOrleans.Joining;

namespace EdgeOrleans.Edge.EdgeHub;

/// <summary>Asks a cloud's bootstrap door for its CA and for certificates, as edgecore does (kubeedge-cloudlink 2).</summary>
/// <remarks>What goes wrong is a <see cref="JoinException"/> with a sentence; nothing ends the program.</remarks>
internal sealed class BootstrapClient(Uri door, string node, string proxy, TimeProvider time)
{
    private const string CommonName = "system:node:";
    private const int MaxAnswer = 1024 * 1024;
    private const int MaxSentence = 300;

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    /// <summary>The CA certificate of the cloud that made a token, DER. It is asked for without any trust and believed for its hash.</summary>
    public async Task<byte[]> AuthorityAsync(JoinToken token, CancellationToken cancellation)
    {
        using var http = Client(CloudTrust.Unverified(proxy));
        var authority = await GetAsync(http, "/ca.crt", null, null, cancellation);
        return token.Trusts(authority)
            ? authority
            : throw new JoinException($"{door} is not the cloud that made the token: its CA has the hash {JoinToken.HashOf(authority)}, the token's is {token.CaHash}; nothing was sent to it");
    }

    /// <summary>A certificate for a key, with a token or with the certificate that the node has. It is checked before it is given.</summary>
    public async Task<byte[]> CertificateAsync(
        X509Certificate2Collection authority, ECDsa key, JoinToken? token, X509Certificate2? present, CancellationToken cancellation)
    {
        using var http = Client(CloudTrust.Verified(proxy, authority, present));
        var certificate = await GetAsync(http, "/edge.crt", new CertificateRequest(Subject(), key, HashAlgorithmName.SHA256).CreateSigningRequest(), token, cancellation);
        Check(certificate, key, authority);
        return certificate;
    }

    /// <summary>The node that a certificate is for; null when it is no node's.</summary>
    public static string? NodeOf(X509Certificate2 certificate) =>
        certificate.GetNameInfo(X509NameType.SimpleName, forIssuer: false) is { } name && name.StartsWith(CommonName, StringComparison.Ordinal) ? name[CommonName.Length..] : null;

    // edgecore's, word for word: clouds look at organization and name alone.
    private X500DistinguishedName Subject()
    {
        var name = new X500DistinguishedNameBuilder();
        name.AddCommonName(CommonName + node);
        name.AddOrganizationName("system:nodes");
        name.AddLocalityName("Hangzhou");
        name.AddStateOrProvinceName("Zhejiang");
        name.AddCountryOrRegion("CN");
        return name.Build();
    }

    private void Check(byte[] der, ECDsa key, X509Certificate2Collection authority)
    {
        try
        {
            using var certificate = X509CertificateLoader.LoadCertificate(der);
            using var chain = new X509Chain();
            chain.ChainPolicy.TrustMode = X509ChainTrustMode.CustomRootTrust;
            chain.ChainPolicy.RevocationMode = X509RevocationMode.NoCheck;
            chain.ChainPolicy.DisableCertificateDownloads = true;
            chain.ChainPolicy.VerificationFlags = X509VerificationFlags.IgnoreNotTimeValid;
            chain.ChainPolicy.CustomTrustStore.AddRange(authority);
            var fault = !certificate.PublicKey.ExportSubjectPublicKeyInfo().AsSpan().SequenceEqual(key.ExportSubjectPublicKeyInfo()) ? "it is for another key"
                : NodeOf(certificate) != node ? $"it is for {certificate.Subject}"
                : !chain.Build(certificate) ? "it is not from the cloud's CA"
                : null;
            if (fault is not null)
            {
                throw new JoinException($"the certificate that {door} gave is not right: {fault}");
            }
        }
        catch (CryptographicException e)
        {
            throw new JoinException($"the certificate that {door} gave cannot be read: {e.Message}", e);
        }
    }

    private HttpClient Client(SocketsHttpHandler handler) =>
        new(handler) { BaseAddress = door, Timeout = Timeout.InfiniteTimeSpan, MaxResponseContentBufferSize = MaxAnswer };

    private async Task<byte[]> GetAsync(HttpClient http, string path, byte[]? body, JoinToken? token, CancellationToken cancellation)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, path);
        if (body is not null)
        {
            request.Content = new ByteArrayContent(body);
            request.Headers.TryAddWithoutValidation("NodeName", node);
        }

        if (token is not null)
        {
            request.Headers.TryAddWithoutValidation("Authorization", $"Bearer {token.Bearer}");
        }

        using var deadline = new CancellationTokenSource(Patience, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(deadline.Token, cancellation);
        try
        {
            using var response = await http.SendAsync(request, either.Token);
            var answer = await response.Content.ReadAsByteArrayAsync(either.Token);
            return response.StatusCode == HttpStatusCode.OK ? answer : throw Refused(path, response.StatusCode, answer);
        }
        catch (OperationCanceledException) when (!cancellation.IsCancellationRequested)
        {
            throw new JoinException($"{door} did not answer within {Patience.TotalSeconds.ToString(CultureInfo.InvariantCulture)} s");
        }
        catch (HttpRequestException e)
        {
            throw new JoinException($"{door} cannot be asked for a certificate: {e.GetBaseException().Message.TrimEnd('.')}", e);
        }
    }

    private JoinRefusedException Refused(string path, HttpStatusCode status, byte[] answer) =>
        new(status, $"{door} refused {path} with {(int)status}: {Sentence(answer)}");

    /// <summary>What a peer wrote, fit for one line of a log.</summary>
    public static string Sentence(ReadOnlySpan<byte> answer)
    {
        var text = System.Text.Encoding.UTF8.GetString(answer[..Math.Min(answer.Length, MaxSentence)]);
        text = string.Concat(text.Select(static c => char.IsControl(c) ? ' ' : c)).Trim();
        return text.Length > 0 ? text : "without a word";
    }
}

/// <summary>The cloud was asked and said no.</summary>
internal sealed class JoinRefusedException(HttpStatusCode status, string sentence) : JoinException(sentence)
{
    public HttpStatusCode Status => status;
}
