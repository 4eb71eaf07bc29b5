using System.Net.Security;
using System.Runtime.Versioning;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using EdgeOrleans.Joining;
using EdgeOrleans.TestKit;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;
using Microsoft.Extensions.Time.Testing;

namespace EdgeOrleans.Cloud.CloudHub;

[UnsupportedOSPlatform("windows")]
public sealed class CertificateAuthorityTests : IDisposable
{
    private static readonly TimeSpan Year = TimeSpan.FromDays(365);

    private readonly TempFolder _folder = new();
    private readonly FakeTimeProvider _time = new(DateTimeOffset.UtcNow);
    private readonly Csr _csr = new();

    public void Dispose()
    {
        _csr.Dispose();
        _folder.Dispose();
    }

    private string Path => _folder.PathOf(AuthorityFile.FileName);

    [Fact]
    public void It_is_made_once_and_nobody_else_can_read_its_key()
    {
        using var first = Open();
        using var second = Open();

        Assert.Equal(first.Certificate, second.Certificate);
        Assert.Equal(JoinToken.HashOf(first.Certificate), second.Hash);
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(Path));
        Assert.Equal([Path], Directory.GetFiles(_folder.Path));
    }

    [Fact]
    public void A_key_that_was_open_to_others_is_closed()
    {
        Open().Dispose();
        File.SetUnixFileMode(Path, File.GetUnixFileMode(Path) | UnixFileMode.GroupRead | UnixFileMode.OtherRead);

        Open().Dispose();

        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(Path));
    }

    [Theory]
    [InlineData("")]
    [InlineData("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n")]
    public void A_damaged_one_stops_the_start_and_is_never_replaced(string text)
    {
        File.WriteAllText(Path, text);

        var error = Assert.Throws<StartRefusedException>(Open);

        Assert.Contains("is damaged", error.Message, StringComparison.Ordinal);
        Assert.Equal(text, File.ReadAllText(Path));
    }

    [Fact]
    public void A_start_that_was_killed_while_it_made_one_leaves_nothing_that_counts()
    {
        File.WriteAllText(Path + ".new", "half");

        using var authority = Open();

        Assert.False(File.Exists(Path + ".new"));
    }

    [Fact]
    public void W3_A_nodes_certificate_names_the_node_and_serves_nothing_but_a_client()
    {
        using var authority = Open();

        using var certificate = authority.IssueToNode("edge-1", SigningRequest.Read(_csr.Greedy("edge-1"), "edge-1").Key!, Year);

        Assert.Equal(("edge-1", null), authority.Read(certificate));
        Assert.Equal("CN=system:node:edge-1, O=system:nodes", certificate.Subject);
        Assert.DoesNotContain(certificate.Extensions, e => e is X509SubjectAlternativeNameExtension);
        Assert.Equal("1.3.6.1.5.5.7.3.2", Assert.Single(certificate.Extensions.OfType<X509EnhancedKeyUsageExtension>().Single().EnhancedKeyUsages.Cast<Oid>()).Value);
        Assert.False(certificate.Extensions.OfType<X509BasicConstraintsExtension>().Single().CertificateAuthority);
    }

    [Fact]
    public void The_longest_name_of_a_node_fits()
    {
        using var authority = Open();
        var name = new string('a', 253);

        using var certificate = authority.IssueToNode(name, Key, Year);

        Assert.Equal((name, null), authority.Read(certificate));
    }

    [Fact]
    public void A_certificate_counts_from_its_beginning_to_its_end()
    {
        using var authority = Open();
        using var certificate = authority.IssueToNode("edge-1", Key, TimeSpan.FromHours(1));

        _time.Advance(TimeSpan.FromMinutes(59));
        Assert.Equal("edge-1", authority.Read(certificate).Node);
        _time.Advance(TimeSpan.FromMinutes(2));
        Assert.Equal("expired-certificate", authority.Read(certificate).Refusal?.Reason);
    }

    [Fact]
    public void Nobody_is_a_node_by_a_certificate_of_somebody_else()
    {
        using var other = new TempFolder();
        using var authority = Open();
        using var foreign = new CertificateAuthority(new AuthorityFile(other.Path, _time, NullLogger.Instance).Open(), _time);
        using var theirs = foreign.IssueToNode("edge-1", Key, Year);
        using var self = new CertificateRequest(NodeIdentity.SubjectOf("edge-1"), _csr.Key, HashAlgorithmName.SHA256).CreateSelfSigned(_time.GetUtcNow(), _time.GetUtcNow() + Year);
        using var root = X509CertificateLoader.LoadCertificate(authority.Certificate);

        Assert.All([theirs, self, root], certificate => Assert.Equal("foreign-certificate", authority.Read(certificate).Refusal?.Reason));
        Assert.Equal("no-certificate", authority.Read(null).Refusal?.Reason);
    }

    [Theory]
    [InlineData("O=KubeEdge, CN=kubeedge.io")]
    [InlineData("CN=system:node:edge-1")]
    [InlineData("O=system:nodes, CN=system:node:")]
    [InlineData("O=system:nodes, CN=system:node:Edge_1")]
    [InlineData("O=system:nodes, O=system:nodes, CN=system:node:edge-1")]
    public void W6_A_certificate_of_ours_that_names_no_node_is_nobodys(string subject)
    {
        using var authority = Open();

        using var certificate = Sign(subject, new X509EnhancedKeyUsageExtension([new Oid("1.3.6.1.5.5.7.3.2")], false));

        Assert.Equal("no-node-certificate", authority.Read(certificate).Refusal?.Reason);
    }

    [Fact]
    public void A_certificate_of_ours_that_is_not_for_clients_is_nobodys()
    {
        using var authority = Open();
        using var door = authority.IssueToDoor(["localhost"], Year);
        using var forAnything = Sign("O=system:nodes, CN=system:node:edge-1");
        using var forServers = Sign("O=system:nodes, CN=system:node:edge-1", new X509EnhancedKeyUsageExtension([new Oid("1.3.6.1.5.5.7.3.1")], false));

        Assert.All([door, forAnything, forServers], certificate => Assert.Equal("no-node-certificate", authority.Read(certificate).Refusal?.Reason));
    }

    [Fact]
    public void The_doors_certificate_names_what_is_advertised_and_is_made_anew_in_time()
    {
        using var authority = Open();
        var options = new CloudHubOptions { AdvertiseAddress = ["cloud.example", "192.0.2.7"] };
        var certificates = new ServerCertificates(authority, Options.Create(options), _time, NullLogger<ServerCertificates>.Instance);

        var first = certificates.Current;
        _time.Advance(TimeSpan.FromDays(59));
        Assert.Same(first, certificates.Current);
        _time.Advance(TimeSpan.FromDays(2));
        var second = certificates.Current;

        Assert.NotSame(first, second);
        Assert.All(["cloud.example", "192.0.2.7", "127.0.0.1", "::1", "localhost"], name => Assert.True(Leaf(second).MatchesHostname(name), name));
        Assert.False(Leaf(second).MatchesHostname("192.0.2.8"));
        Assert.True(Leaf(second).NotAfter > _time.GetUtcNow().LocalDateTime.AddDays(89));
    }

    private byte[] Key => _csr.Key.ExportSubjectPublicKeyInfo();

    private CertificateAuthority Open() => new(new AuthorityFile(_folder.Path, _time, NullLogger.Instance).Open(), _time);

    private static X509Certificate2 Leaf(SslStreamCertificateContext context) => context.TargetCertificate;

    // What only who has the CA's own key can make.
    private X509Certificate2 Sign(string subject, params X509Extension[] extensions)
    {
        var pem = File.ReadAllText(Path);
        using var root = X509Certificate2.CreateFromPem(pem, pem);
        using var key = root.GetECDsaPrivateKey()!;
        var request = new CertificateRequest(new X500DistinguishedName(subject), new PublicKey(_csr.Key), HashAlgorithmName.SHA256);
        foreach (var extension in extensions)
        {
            request.CertificateExtensions.Add(extension);
        }

        var now = _time.GetUtcNow();
        return request.Create(root.SubjectName, X509SignatureGenerator.CreateForECDsa(key), now, now + Year, [0x41, 1, 2, 3]);
    }
}
