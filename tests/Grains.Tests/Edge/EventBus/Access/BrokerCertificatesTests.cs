using System.Net;
using System.Net.NetworkInformation;
using System.Runtime.Versioning;
using System.Security.Authentication;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using EdgeOrleans.DbManager;
using EdgeOrleans.TestKit;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Time.Testing;

namespace EdgeOrleans.Edge.EventBus.Access;

[UnsupportedOSPlatform("windows")]
public sealed class BrokerCertificatesTests : IDisposable
{
    private const UnixFileMode Ours = UnixFileMode.UserRead | UnixFileMode.UserWrite;

    private static readonly DateTimeOffset Noon = new(2027, 3, 1, 12, 0, 0, TimeSpan.Zero);

    private readonly TempFolder _folder = new();
    private readonly FakeTimeProvider _time = new(Noon);
    private readonly Logged<BrokerCertificates> _log = new();
    private readonly TestAuthority _company = new("a company", Noon);
    private readonly List<BrokerCertificates> _started = [];

    private string Own => _folder.PathOf("mqtt");

    private string AuthorityPath => Path.Combine(Own, "ca.crt");

    private string AuthorityKeyPath => Path.Combine(Own, "ca.key");

    private string ServerPath => Path.Combine(Own, "server.crt");

    private string ServerKeyPath => Path.Combine(Own, "server.key");

    private string OwnAuthority => File.ReadAllText(AuthorityPath);

    private int Errors => _log.Lines.Count(l => l.Level == LogLevel.Error);

    public void Dispose()
    {
        _started.ForEach(s => s.Dispose());
        _company.Dispose();
        _folder.Dispose();
    }

    [Theory]
    [InlineData("edge-1", SslProtocols.Tls13)]
    [InlineData("localhost", SslProtocols.Tls13)]
    [InlineData("localhost", SslProtocols.Tls12)]
    [InlineData("127.0.0.1", SslProtocols.Tls12)]
    [InlineData("::1", SslProtocols.Tls13)]
    public async Task A_node_without_files_shows_itself_with_an_authority_of_its_own(string host, SslProtocols protocol)
    {
        var broker = Start();

        var shake = await ShakeAsync(broker, host: host, protocol: protocol);

        Assert.Equal((true, null, protocol), (shake.IsIn, shake.User, shake.Protocol));
    }

    [Fact]
    public async Task Under_a_name_that_is_not_its_own_a_node_is_not_believed() =>
        Assert.False((await ShakeAsync(Start(), host: "edge-2")).IsIn);

    [Fact]
    public void The_nodes_certificate_is_good_for_every_address_of_the_machine()
    {
        Start();

        using var certificate = X509CertificateLoader.LoadCertificateFromFile(ServerPath);
        var covered = certificate.Extensions.OfType<X509SubjectAlternativeNameExtension>().Single();
        var addresses = NetworkInterface.GetAllNetworkInterfaces().Where(i => i.OperationalStatus == OperationalStatus.Up)
            .SelectMany(i => i.GetIPProperties().UnicastAddresses).Select(a => a.Address).Where(a => !a.IsIPv6LinkLocal);
        Assert.Subset(covered.EnumerateIPAddresses().ToHashSet(), addresses.ToHashSet());
        Assert.Contains(Dns.GetHostName(), covered.EnumerateDnsNames(), StringComparer.OrdinalIgnoreCase);
        Assert.Equal(Noon.AddDays(365), certificate.NotAfter.ToUniversalTime());
    }

    [Fact]
    public void The_nodes_authority_lasts_ten_years_and_names_the_node()
    {
        Start();

        using var authority = X509CertificateLoader.LoadCertificateFromFile(AuthorityPath);
        Assert.Equal("CN=EdgeOrleans MQTT of edge-1", authority.Subject);
        Assert.Equal(Noon.AddYears(10), authority.NotAfter.ToUniversalTime());
        using var key = authority.GetECDsaPublicKey();
        Assert.Equal(256, key!.KeySize);
    }

    [Fact]
    public void Keys_are_read_by_nobody_else_and_certificates_by_everybody()
    {
        Start();

        Assert.Equal((Ours, Ours), (File.GetUnixFileMode(AuthorityKeyPath), File.GetUnixFileMode(ServerKeyPath)));
        Assert.True(File.GetUnixFileMode(AuthorityPath).HasFlag(UnixFileMode.OtherRead));
        Assert.Equal([AuthorityPath, AuthorityKeyPath, ServerPath, ServerKeyPath], Directory.GetFiles(Own).Order(StringComparer.Ordinal));
    }

    [Fact]
    public void A_key_that_was_open_to_others_is_closed_and_told()
    {
        Start().Dispose();
        File.SetUnixFileMode(AuthorityKeyPath, Ours | UnixFileMode.OtherRead);
        File.SetUnixFileMode(ServerKeyPath, Ours | UnixFileMode.GroupRead);

        Start();

        Assert.Equal((Ours, Ours), (File.GetUnixFileMode(AuthorityKeyPath), File.GetUnixFileMode(ServerKeyPath)));
        Assert.Equal(2, _log.Lines.Count(l => l.Level == LogLevel.Warning && l.Text.Contains("was open to others", StringComparison.Ordinal)));
    }

    [Fact]
    public void A_second_start_uses_what_the_first_one_made()
    {
        Start().Dispose();
        var first = Files();

        Start();

        Assert.Equal(first, Files());
    }

    [Fact]
    public async Task A_node_with_another_name_gets_another_certificate_of_the_same_authority()
    {
        Start().Dispose();
        var authority = OwnAuthority;

        var shake = await ShakeAsync(Start(node: "edge-2"), host: "edge-2");

        Assert.True(shake.IsIn);
        Assert.Equal(authority, OwnAuthority);
    }

    [Theory]
    [InlineData("default/pump-1")]
    [InlineData("a, O=\"b\"")]
    [InlineData("Zoë 漢")]
    [InlineData("0123456789012345678901234567890123456789012345678901234567890123456789012345678901234567890123456789")]
    public async Task A_client_with_a_certificate_of_the_node_is_its_user(string user)
    {
        var broker = Start();

        var shake = await ShakeAsync(broker, shows: Client(broker.Issue(user, TimeSpan.FromDays(30))));

        Assert.Equal((true, user), (shake.IsIn, shake.User));
    }

    [Fact]
    public async Task What_was_issued_counts_after_a_restart()
    {
        var broker = Start();
        var issued = broker.Issue("pump-1", TimeSpan.FromDays(30));
        broker.Dispose();

        Assert.Equal("pump-1", (await ShakeAsync(Start(), shows: Client(issued), trust: issued.CaPem, protocol: SslProtocols.Tls12)).User);
    }

    [Fact]
    public void An_issued_certificate_serves_nothing_but_a_client_and_its_key_is_not_printed()
    {
        var issued = Start().Issue("pump-1", TimeSpan.FromHours(1));

        using var certificate = X509Certificate2.CreateFromPem(issued.CertificatePem, issued.KeyPem);
        var usages = certificate.Extensions.OfType<X509EnhancedKeyUsageExtension>().Single().EnhancedKeyUsages;
        Assert.Equal(TestAuthority.ClientAuth, Assert.Single(usages.Cast<Oid>()).Value);
        Assert.False(certificate.Extensions.OfType<X509BasicConstraintsExtension>().Single().CertificateAuthority);
        Assert.Equal(Noon.AddHours(1), issued.NotAfter);
        Assert.Equal(OwnAuthority.Trim(), issued.CaPem.Trim());
        Assert.DoesNotContain("PRIVATE KEY", $"{issued}", StringComparison.Ordinal);
    }

    [Fact]
    public void An_issued_certificate_ends_with_its_authority()
    {
        var broker = Start();
        _time.Advance(TimeSpan.FromDays(400));

        Assert.Equal(Noon.AddYears(10), broker.Issue("pump-1", BrokerCertificates.Longest).NotAfter);
    }

    [Theory]
    [InlineData("", 24)]
    [InlineData("a:b", 24)]
    [InlineData("a/b/c", 24)]
    [InlineData("pump-1", 0.9)]
    [InlineData("pump-1", (3_650 * 24) + 1)]
    [InlineData("pump-1", -1)]
    public void A_name_or_a_lifetime_that_is_none_is_refused(string user, double hours)
    {
        var error = Assert.Throws<RefusedException>(() => Start().Issue(user, TimeSpan.FromHours(hours)));

        Assert.Equal(400, error.Code);
    }

    [Fact]
    public void Under_an_authority_of_an_operator_the_node_issues_nothing()
    {
        var broker = Start(new BrokerTls("", "", _folder.Write("company.pem", _company.Pem), false));

        var error = Assert.Throws<RefusedException>(() => broker.Issue("pump-1", TimeSpan.FromDays(1)));

        Assert.Equal(409, error.Code);
        Assert.Contains("company.pem", error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(SslProtocols.Tls12)]
    [InlineData(SslProtocols.Tls13)]
    public async Task A_client_without_a_certificate_is_turned_away_only_where_one_is_required(SslProtocols protocol)
    {
        Assert.True((await ShakeAsync(Start(), protocol: protocol)).IsIn);

        var strict = Start(new BrokerTls("", "", "", true));

        Assert.False((await ShakeAsync(strict, protocol: protocol)).IsIn);
        Assert.Equal("pump-1", (await ShakeAsync(strict, shows: Client(strict.Issue("pump-1", TimeSpan.FromDays(1))), protocol: protocol)).User);
    }

    [Theory]
    [InlineData(SslProtocols.Tls12, false)]
    [InlineData(SslProtocols.Tls13, false)]
    [InlineData(SslProtocols.Tls13, true)]
    public async Task A_client_with_a_foreign_certificate_is_turned_away(SslProtocols protocol, bool isRequired)
    {
        var broker = Start(new BrokerTls("", "", "", isRequired));

        Assert.False((await ShakeAsync(broker, shows: _company.Issue("pump-1"), protocol: protocol)).IsIn);
    }

    [Fact]
    public async Task An_authority_with_the_name_of_the_nodes_is_another_all_the_same()
    {
        using var impostor = new TestAuthority("EdgeOrleans MQTT of edge-1", Noon);
        var (certificate, key) = impostor.Issue("pump-1");

        Assert.False((await ShakeAsync(Start(), shows: (certificate + impostor.Pem, key))).IsIn);
    }

    [Fact]
    public async Task A_certificate_that_signed_itself_is_turned_away()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        using var own = new CertificateRequest("CN=pump-1", key, HashAlgorithmName.SHA256).CreateSelfSigned(Noon.AddDays(-1), Noon.AddDays(1));

        Assert.False((await ShakeAsync(Start(), shows: (own.ExportCertificatePem(), key.ExportPkcs8PrivateKeyPem()))).IsIn);
    }

    [Fact]
    public async Task A_client_cannot_make_certificates_with_its_own()
    {
        var broker = Start();
        var issued = broker.Issue("pump-1", TimeSpan.FromDays(1));
        using var above = X509Certificate2.CreateFromPem(issued.CertificatePem, issued.KeyPem);
        using var signer = above.GetECDsaPrivateKey()!;
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=pump-2", key, HashAlgorithmName.SHA256);
        using var made = request.Create(above.SubjectName, X509SignatureGenerator.CreateForECDsa(signer), Noon, Noon.AddHours(1), [1, 2, 3]);

        Assert.False((await ShakeAsync(broker, shows: ($"{made.ExportCertificatePem()}\n{issued.CertificatePem}", key.ExportPkcs8PrivateKeyPem()))).IsIn);
    }

    [Fact]
    public async Task A_client_comes_in_until_its_certificate_ends()
    {
        var broker = Start();
        var client = Client(broker.Issue("pump-1", TimeSpan.FromHours(1)));

        _time.Advance(TimeSpan.FromMinutes(59));
        Assert.True((await ShakeAsync(broker, shows: client)).IsIn);

        _time.Advance(TimeSpan.FromMinutes(2));
        Assert.False((await ShakeAsync(broker, shows: client)).IsIn);
    }

    [Fact]
    public async Task A_certificate_that_begins_later_does_not_count_yet()
    {
        var broker = Start(new BrokerTls("", "", _folder.Write("company.pem", _company.Pem), false));
        var client = _company.Issue("pump-1", from: Noon.AddHours(1));
        Assert.False((await ShakeAsync(broker, shows: client)).IsIn);

        _time.Advance(TimeSpan.FromHours(2));

        Assert.True((await ShakeAsync(broker, shows: client)).IsIn);
    }

    [Theory]
    [InlineData(TestAuthority.ClientAuth, true)]
    [InlineData(TestAuthority.ServerAuth, false)]
    [InlineData(null, true)]
    public async Task A_certificate_for_servers_alone_is_none_for_a_client(string? usage, bool isIn)
    {
        var broker = Start(new BrokerTls("", "", _folder.Write("company.pem", _company.Pem), false));

        Assert.Equal(isIn, (await ShakeAsync(broker, shows: _company.Issue("pump-1", usage))).IsIn);
    }

    [Fact]
    public async Task The_nodes_own_certificate_is_none_for_a_client()
    {
        var broker = Start();

        Assert.False((await ShakeAsync(broker, shows: (File.ReadAllText(ServerPath), File.ReadAllText(ServerKeyPath)))).IsIn);
    }

    [Fact]
    public async Task With_an_authority_of_an_operator_its_clients_come_in_and_the_nodes_do_not()
    {
        var before = Start();
        var ofNode = Client(before.Issue("pump-1", TimeSpan.FromDays(1)));
        before.Dispose();

        var broker = Start(new BrokerTls("", "", _folder.Write("company.pem", _company.Pem), true));

        Assert.Equal("pump-2", (await ShakeAsync(broker, shows: _company.Issue("pump-2"))).User);
        Assert.False((await ShakeAsync(broker, shows: ofNode)).IsIn);
        Assert.False((await ShakeAsync(broker)).IsIn);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task What_is_between_a_client_and_its_root_is_shown_by_the_client_or_in_the_file(bool isShown)
    {
        using var between = new TestAuthority("a department", Noon, _company);
        var (certificate, key) = between.Issue("pump-1");
        var broker = Start(new BrokerTls("", "", _folder.Write("company.pem", isShown ? _company.Pem : between.Pem + _company.Pem), true));

        // Twice: what a client shows is not remembered from an earlier connection.
        for (var i = 0; i < 2; i++)
        {
            Assert.Equal("pump-1", (await ShakeAsync(broker, shows: (isShown ? certificate + between.Pem : certificate, key))).User);
        }
    }

    [Fact]
    public async Task One_of_several_roots_is_enough()
    {
        using var other = new TestAuthority("another company", Noon);
        using var over = new TestAuthority("one that has ended", Noon, end: Noon.AddDays(-1));
        var broker = Start(new BrokerTls("", "", _folder.Write("all.pem", "# ours, é\n" + over.Pem + other.Pem + _company.Pem), false));

        Assert.True((await ShakeAsync(broker, shows: other.Issue("pump-1"))).IsIn);
        Assert.True((await ShakeAsync(broker, shows: _company.Issue("pump-2"))).IsIn);
        Assert.False((await ShakeAsync(broker, shows: over.Issue("pump-3"))).IsIn);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_certificate_of_an_operator_is_shown_with_those_between_it_and_its_root(bool isRsa)
    {
        using var between = new TestAuthority("a department", Noon, _company);
        var pair = isRsa ? between.IssueRsa("broker") : between.Issue("broker", TestAuthority.ServerAuth);
        var broker = Start(Given(pair with { Certificate = pair.Certificate + between.Pem }));

        Assert.True((await ShakeAsync(broker, trust: _company.Pem)).IsIn);
    }

    [Fact]
    public async Task Beside_a_certificate_of_an_operator_the_nodes_authority_makes_those_of_clients()
    {
        var broker = Start(Given(_company.Issue("broker", TestAuthority.ServerAuth)));

        var shake = await ShakeAsync(broker, trust: _company.Pem, shows: Client(broker.Issue("pump-1", TimeSpan.FromDays(1))));

        Assert.Equal("pump-1", shake.User);
        Assert.False(File.Exists(ServerPath));
    }

    [Fact]
    public void With_files_for_both_the_node_makes_nothing()
    {
        Start(Given(_company.Issue("broker", TestAuthority.ServerAuth)) with { ClientCaFile = _folder.Write("company.pem", _company.Pem) });

        Assert.False(Directory.Exists(Own));
    }

    [Fact]
    public async Task A_key_as_openssl_writes_it_with_its_parameters_is_read()
    {
        var (certificate, text) = _company.Issue("broker", TestAuthority.ServerAuth);
        using var key = ECDsa.Create();
        key.ImportFromPem(text);
        var parameters = "-----BEGIN EC PARAMETERS-----\nBggqhkjOPQMBBw==\n-----END EC PARAMETERS-----\n";

        var broker = Start(Given((certificate, parameters + key.ExportECPrivateKeyPem())));

        Assert.True((await ShakeAsync(broker, trust: _company.Pem)).IsIn);
    }

    [Theory]
    [InlineData("no certificate file", "broker.pem: there is no such file")]
    [InlineData("no key file", "broker.key: there is no such file")]
    [InlineData("text instead of a certificate", "broker.pem: there is no certificate in PEM in it")]
    [InlineData("DER instead of PEM", "broker.pem: there is no certificate in PEM in it")]
    [InlineData("half a certificate", "broker.pem: a certificate in it is damaged")]
    [InlineData("text instead of a key", "broker.key: there is no private key in PEM without a password in it")]
    [InlineData("half a key", "broker.key: the key does not fit the certificate")]
    [InlineData("a key with a password", "broker.key: the private key has a password")]
    [InlineData("another key", "broker.key: the key does not fit the certificate")]
    [InlineData("a certificate that has ended", "broker.pem: the certificate has ended on 2027-03-01 11:00:00Z")]
    [InlineData("a folder", "broker.pem: it cannot be read")]
    [InlineData("no authorities", "company.pem: there is no such file")]
    [InlineData("text instead of authorities", "company.pem: there is no certificate in PEM in it")]
    [InlineData("authorities without a root", "company.pem: there is no root in it")]
    [InlineData("a root that has ended", "company.pem: its root has ended on 2027-02-28 12:00:00Z")]
    public void A_start_with_a_file_that_cannot_be_used_says_which_and_why(string what, string sentence)
    {
        var given = Given(_company.Issue("broker", TestAuthority.ServerAuth)) with { ClientCaFile = _folder.Write("company.pem", _company.Pem) };
        Spoil(what, given);

        var error = Assert.Throws<StartRefusedException>(() => Start(given));

        Assert.Contains(sentence, error.Message, StringComparison.Ordinal);
        Assert.StartsWith("MQTT: ", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_nodes_certificate_is_made_again_a_month_before_its_end_and_not_earlier()
    {
        var broker = Start();
        var client = Client(broker.Issue("pump-1", TimeSpan.FromDays(1_000)));
        var authority = OwnAuthority;
        var first = await ShakeAsync(broker);

        _time.Advance(TimeSpan.FromDays(335));
        Assert.Equal(first.Shown, (await ShakeAsync(broker)).Shown);

        _time.Advance(TimeSpan.FromMinutes(1));
        var later = await ShakeAsync(broker, shows: client);

        Assert.True(later.IsIn);
        Assert.NotEqual(first.Shown, later.Shown);
        Assert.Equal(authority, OwnAuthority);
        using var kept = X509Certificate2.CreateFromPemFile(ServerPath, ServerKeyPath);
        Assert.Equal(later.Shown, kept.Thumbprint);
        Assert.Equal(_time.GetUtcNow().AddDays(365), kept.NotAfter.ToUniversalTime(), TimeSpan.FromSeconds(1));
    }

    [Fact]
    public void The_nodes_certificate_is_made_again_when_nobody_comes_too()
    {
        Start();
        var first = File.ReadAllText(ServerPath);

        _time.Advance(TimeSpan.FromDays(337));

        Assert.NotEqual(first, File.ReadAllText(ServerPath));
    }

    [Fact]
    public async Task A_start_after_the_end_of_the_nodes_certificate_makes_another()
    {
        Start().Dispose();
        _time.Advance(TimeSpan.FromDays(800));

        Assert.True((await ShakeAsync(Start())).IsIn);
    }

    [Fact]
    public async Task Up_to_the_end_of_its_authority_the_node_is_believed_and_a_person_is_warned()
    {
        Start().Dispose();
        Assert.DoesNotContain(_log.Lines, l => l.Level == LogLevel.Warning);
        _time.Advance(Noon.AddYears(10).AddMinutes(-2) - Noon);

        var broker = Start();
        _time.Advance(TimeSpan.FromMinutes(1));

        Assert.True((await ShakeAsync(broker)).IsIn);
        Assert.Single(_log.Lines, l => l.Level == LogLevel.Warning && l.Text.Contains("own authority", StringComparison.Ordinal));
        Assert.Single(_log.Lines, l => l.Text.Contains("good until 2037-03-01", StringComparison.Ordinal) && l.Text.Contains("for the MQTT broker", StringComparison.Ordinal));
    }

    [Fact]
    public void A_start_after_the_end_of_the_authority_is_refused_with_what_to_do()
    {
        Start().Dispose();
        var files = Files();
        _time.Advance(TimeSpan.FromDays(4_000));

        var error = Assert.Throws<StartRefusedException>(() => Start());

        Assert.Contains("the node's authority has ended on 2037-03-01", error.Message, StringComparison.Ordinal);
        Assert.Equal(files, Files());
    }

    [Fact]
    public async Task A_node_whose_clock_was_not_set_yet_is_believed_when_it_is()
    {
        var clock = new WallClock { Now = new DateTimeOffset(1970, 1, 1, 0, 1, 0, TimeSpan.Zero) };
        var broker = Start(time: clock);

        clock.Now = Noon;

        Assert.True((await ShakeAsync(broker)).IsIn);
    }

    [Fact]
    public async Task A_certificate_that_is_not_good_yet_is_made_again()
    {
        var ahead = new FakeTimeProvider(Noon.AddDays(100));
        Start(time: ahead).Dispose();
        File.WriteAllText(AuthorityPath, "");

        Assert.True((await ShakeAsync(Start())).IsIn);
    }

    [Fact]
    public async Task A_certificate_that_an_operator_replaces_is_shown_after_a_second_at_most()
    {
        var given = Given(_company.Issue("broker", TestAuthority.ServerAuth));
        var broker = Start(given);
        var first = await ShakeAsync(broker, trust: _company.Pem);

        Given(_company.Issue("broker", TestAuthority.ServerAuth));
        Assert.Equal(first.Shown, (await ShakeAsync(broker, trust: _company.Pem)).Shown);
        _time.Advance(TimeSpan.FromSeconds(1));
        var second = await ShakeAsync(broker, trust: _company.Pem);

        Assert.True(second.IsIn);
        Assert.NotEqual(first.Shown, second.Shown);
        Assert.Single(_log.Lines, l => l.Text.Contains("is in force as it is now", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_certificate_and_its_key_that_are_replaced_one_after_the_other_are_one_change_without_an_error()
    {
        var broker = Start(Given(_company.Issue("broker", TestAuthority.ServerAuth)));
        var first = await ShakeAsync(broker, trust: _company.Pem);
        var (certificate, key) = _company.Issue("broker", TestAuthority.ServerAuth);

        _folder.Write("broker.pem", certificate);
        _time.Advance(TimeSpan.FromSeconds(1));
        Assert.Equal(first.Shown, (await ShakeAsync(broker, trust: _company.Pem)).Shown);
        _folder.Write("broker.key", key);
        _time.Advance(TimeSpan.FromSeconds(1));

        Assert.NotEqual(first.Shown, (await ShakeAsync(broker, trust: _company.Pem)).Shown);
        Assert.Equal(0, Errors);
    }

    [Theory]
    [InlineData("no certificate file")]
    [InlineData("no key file")]
    [InlineData("text instead of a certificate")]
    [InlineData("half a certificate")]
    [InlineData("another key")]
    [InlineData("a certificate that has ended")]
    [InlineData("no authorities")]
    [InlineData("authorities without a root")]
    public async Task A_change_that_cannot_be_used_leaves_the_old_in_force_and_is_said_once(string what)
    {
        var given = Given(_company.Issue("broker", TestAuthority.ServerAuth)) with { ClientCaFile = _folder.Write("company.pem", _company.Pem) };
        var client = _company.Issue("pump-1");
        var broker = Start(given);
        var first = await ShakeAsync(broker, trust: _company.Pem);

        Spoil(what, given);
        for (var i = 0; i < 4; i++)
        {
            _time.Advance(TimeSpan.FromSeconds(1));
            Assert.Equal((true, "pump-1", first.Shown), In(await ShakeAsync(broker, trust: _company.Pem, shows: client)));
        }

        Assert.Equal(1, Errors);
    }

    [Fact]
    public async Task After_a_change_that_could_not_be_used_the_next_one_counts()
    {
        var given = Given(_company.Issue("broker", TestAuthority.ServerAuth));
        var broker = Start(given);
        var first = await ShakeAsync(broker, trust: _company.Pem);
        Spoil("half a certificate", given);
        _time.Advance(TimeSpan.FromSeconds(1));
        await ShakeAsync(broker, trust: _company.Pem);

        Given(_company.Issue("broker", TestAuthority.ServerAuth));
        _time.Advance(TimeSpan.FromSeconds(1));

        var second = await ShakeAsync(broker, trust: _company.Pem);
        Assert.True(second.IsIn);
        Assert.NotEqual(first.Shown, second.Shown);
    }

    [Fact]
    public async Task An_authority_that_an_operator_takes_away_counts_no_more()
    {
        using var next = new TestAuthority("a company", Noon);
        var (old, young) = (_company.Issue("pump-1"), next.Issue("pump-2"));
        var path = _folder.Write("company.pem", _company.Pem);
        var broker = Start(new BrokerTls("", "", path, true));
        Assert.True((await ShakeAsync(broker, shows: old)).IsIn);
        Assert.False((await ShakeAsync(broker, shows: young)).IsIn);

        File.WriteAllText(path, next.Pem);
        _time.Advance(TimeSpan.FromSeconds(1));

        Assert.False((await ShakeAsync(broker, shows: old)).IsIn);
        Assert.True((await ShakeAsync(broker, shows: young)).IsIn);
    }

    [Fact]
    public void A_certificate_of_an_operator_that_ends_soon_is_said_daily()
    {
        Start(Given(_company.Issue("broker", TestAuthority.ServerAuth, until: Noon.AddDays(31))));
        Assert.DoesNotContain(_log.Lines, l => l.Level == LogLevel.Warning);

        for (var day = 0; day < 3; day++)
        {
            _time.Advance(TimeSpan.FromDays(1));
        }

        Assert.Equal(2, _log.Lines.Count(l => l.Level == LogLevel.Warning && l.Text.Contains("ends on", StringComparison.Ordinal)));
    }

    [Fact]
    public async Task A_first_start_that_was_killed_after_the_key_is_finished_with_that_key()
    {
        var broker = Start();
        var client = Client(broker.Issue("pump-1", TimeSpan.FromDays(1)));
        broker.Dispose();
        File.Delete(AuthorityPath);
        File.Delete(ServerPath);
        File.Delete(ServerKeyPath);
        File.WriteAllText(AuthorityPath + ".part", "-----BEGIN CERT");

        Assert.Equal("pump-1", (await ShakeAsync(Start(), shows: client)).User);
        Assert.False(File.Exists(AuthorityPath + ".part"));
    }

    [Theory]
    [InlineData("ca.key", "")]
    [InlineData("ca.key", "-----BEGIN PRI")]
    [InlineData("ca.key.part", "-----BEGIN PRI")]
    public async Task A_first_start_that_was_killed_before_the_key_was_whole_begins_anew(string file, string text)
    {
        _folder.Write($"mqtt/{file}", text);

        Assert.True((await ShakeAsync(Start())).IsIn);
        Assert.Equal(4, Directory.GetFiles(Own).Length);
        Assert.Equal(Ours, File.GetUnixFileMode(AuthorityKeyPath));
    }

    [Theory]
    [InlineData("server.crt", null)]
    [InlineData("server.key", null)]
    [InlineData("server.crt", "half")]
    [InlineData("server.key", "half")]
    public async Task A_certificate_of_the_node_that_is_damaged_is_made_again(string file, string? text)
    {
        Start().Dispose();
        var authority = OwnAuthority;
        File.Delete(Path.Combine(Own, file));
        if (text is not null)
        {
            _folder.Write($"mqtt/{file}", text);
        }

        Assert.True((await ShakeAsync(Start())).IsIn);
        Assert.Equal(authority, OwnAuthority);
    }

    [Fact]
    public async Task A_certificate_that_the_nodes_authority_has_not_signed_is_made_again()
    {
        Start().Dispose();
        var (certificate, key) = _company.Issue("edge-1", TestAuthority.ServerAuth);
        File.WriteAllText(ServerPath, certificate);
        File.WriteAllText(ServerKeyPath, key);

        Assert.True((await ShakeAsync(Start())).IsIn);
    }

    [Fact]
    public void An_authority_whose_key_is_missing_is_never_replaced()
    {
        Start().Dispose();
        File.Delete(AuthorityKeyPath);
        var files = Files();

        var error = Assert.Throws<StartRefusedException>(() => Start());

        Assert.Contains("ca.key: the key of ", error.Message, StringComparison.Ordinal);
        Assert.Equal(files, Files());
    }

    [Theory]
    [InlineData("ca.crt", "half")]
    [InlineData("ca.key", "half")]
    public void An_authority_that_is_damaged_is_never_replaced(string file, string text)
    {
        Start().Dispose();
        _folder.Write($"mqtt/{file}", text);
        var files = Files();

        Assert.Throws<StartRefusedException>(() => Start());

        Assert.Equal(files, Files());
    }

    [Fact]
    public async Task A_certificate_that_cannot_be_written_is_used_all_the_same()
    {
        Directory.CreateDirectory(Path.Combine(ServerKeyPath, "in the way"));

        Assert.True((await ShakeAsync(Start())).IsIn);
        Assert.Equal(1, Errors);
    }

    [Fact]
    public void A_folder_that_cannot_be_made_stops_the_start_with_a_sentence()
    {
        _folder.Write("mqtt", "a file");

        Assert.Contains("the folder of the node's authority cannot be made", Assert.Throws<StartRefusedException>(() => Start()).Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Many_at_once_come_in_while_the_files_change()
    {
        var given = Given(_company.Issue("broker", TestAuthority.ServerAuth)) with { ClientCaFile = _folder.Write("company.pem", _company.Pem) };
        var client = _company.Issue("pump-1");
        var broker = Start(given);

        for (var round = 0; round < 5; round++)
        {
            Given(_company.Issue("broker", TestAuthority.ServerAuth));
            _time.Advance(TimeSpan.FromSeconds(1));
            var all = await Task.WhenAll(Enumerable.Range(0, 20).Select(_ => Task.Run(() => ShakeAsync(broker, trust: _company.Pem, shows: client))));
            Assert.All(all, shake => Assert.Equal((true, "pump-1"), (shake.IsIn, shake.User)));
        }

        Assert.Equal(0, Errors);
    }

    [Fact]
    public async Task An_authority_that_its_root_has_revoked_vouches_for_nobody()
    {
        using var between = new TestAuthority("between", Noon, _company);
        var (certificate, key) = between.Issue("pump-1");
        var settings = new BrokerTls("", "", _folder.Write("company.pem", _company.Pem), true, _folder.PathOf("company.crl"));
        File.WriteAllBytes(settings.CrlFile, _company.Revoke(Noon.AddHours(-1), Noon.AddDays(1), between.Pem));

        var broker = Start(settings);

        Assert.False((await ShakeAsync(broker, shows: (certificate + between.Pem, key))).IsIn);
        Assert.True((await ShakeAsync(broker, shows: _company.Issue("pump-2"))).IsIn);
    }

    [Fact]
    public async Task A_list_that_cannot_be_taken_leaves_the_old_one_in_force_and_is_told_of_once()
    {
        using var foreign = new TestAuthority("a stranger", Noon);
        var client = _company.Issue("pump-1");
        var settings = new BrokerTls("", "", _folder.Write("company.pem", _company.Pem), true, _folder.PathOf("company.crl"));
        File.WriteAllBytes(settings.CrlFile, _company.Revoke(Noon.AddHours(-1), Noon.AddDays(1), client.Certificate));
        var broker = Start(settings);

        foreach (var list in new[] { foreign.Revoke(Noon, Noon.AddDays(1)), _company.Revoke(Noon.AddDays(-2), Noon.AddDays(-1)) })
        {
            File.WriteAllBytes(settings.CrlFile, list);
            for (var look = 0; look < 3; look++)
            {
                _time.Advance(TimeSpan.FromSeconds(2));
                Assert.False((await ShakeAsync(broker, shows: client)).IsIn);
            }
        }

        Assert.Equal(2, Errors);
    }

    [Fact]
    public void A_list_that_is_over_at_the_start_is_in_force_and_told_of_and_one_of_a_stranger_stops_it()
    {
        using var foreign = new TestAuthority("a stranger", Noon);
        var settings = new BrokerTls("", "", _folder.Write("company.pem", _company.Pem), true, _folder.PathOf("company.crl"));
        File.WriteAllBytes(settings.CrlFile, _company.Revoke(Noon.AddDays(-2), Noon.AddDays(-1)));
        Start(settings);
        File.WriteAllBytes(settings.CrlFile, foreign.Revoke(Noon, Noon.AddDays(1)));

        Assert.Contains("a stranger", Assert.Throws<StartRefusedException>(() => Start(settings)).Message, StringComparison.Ordinal);
        Assert.Equal(1, Errors);
    }

    [Fact]
    public void A_file_of_certificates_that_is_broken_stops_the_start_and_changes_nothing_while_the_node_runs()
    {
        var broker = Start();
        broker.Issue("pump-1", TimeSpan.FromDays(1));
        File.WriteAllText(Path.Combine(Own, "certificates"), "?\n");

        _time.Advance(TimeSpan.FromSeconds(2));
        broker.LookAgain();

        Assert.Single(broker.Made.All);
        Assert.Equal(1, Errors);
        Assert.Contains("certificates, line 1", Assert.Throws<StartRefusedException>(() => Start()).Message, StringComparison.Ordinal);
    }

    private static (bool, string?, string?) In(Handshake shake) => (shake.IsIn, shake.User, shake.Shown);

    private static (string, string) Client(IssuedCertificate issued) => (issued.CertificatePem, issued.KeyPem);

    private BrokerCertificates Start(BrokerTls? settings = null, string node = "edge-1", TimeProvider? time = null)
    {
        var certificates = new BrokerCertificates(settings ?? new BrokerTls("", "", "", false), Own, node, time ?? _time, _log);
        _started.Add(certificates);
        certificates.Start();
        return certificates;
    }

    private BrokerTls Given((string Certificate, string Key) pair) =>
        new(_folder.Write("broker.pem", pair.Certificate), _folder.Write("broker.key", pair.Key), "", false);

    private Task<Handshake> ShakeAsync(
        BrokerCertificates broker, string host = "localhost", string? trust = null, (string, string)? shows = null, SslProtocols protocol = SslProtocols.Tls13) =>
        Handshake.MakeAsync(broker.ForHandshake(new ShownCertificates()), trust ?? OwnAuthority, _time.GetUtcNow(), host, shows, protocol);

    private Dictionary<string, string> Files() => Directory.GetFiles(Own).ToDictionary(f => f, File.ReadAllText, StringComparer.Ordinal);

    private void Spoil(string what, BrokerTls given)
    {
        var (certificate, key) = _company.Issue("broker", TestAuthority.ServerAuth);
        switch (what)
        {
            case "no certificate file":
                File.Delete(given.CertFile);
                break;
            case "no key file":
                File.Delete(given.KeyFile);
                break;
            case "text instead of a certificate":
                File.WriteAllText(given.CertFile, "hello");
                break;
            case "DER instead of PEM":
                File.WriteAllBytes(given.CertFile, _company.Certificate.RawData);
                break;
            case "half a certificate":
                File.WriteAllText(given.CertFile, "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n");
                break;
            case "text instead of a key":
                File.WriteAllText(given.KeyFile, "hello");
                break;
            case "half a key":
                File.WriteAllText(given.KeyFile, "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n");
                break;
            case "a key with a password":
                File.WriteAllText(given.KeyFile, WithPassword(key));
                break;
            case "another key":
                File.WriteAllText(given.KeyFile, key);
                break;
            case "a certificate that has ended":
                var over = _company.Issue("broker", TestAuthority.ServerAuth, until: Noon.AddHours(-1));
                (certificate, key) = over;
                File.WriteAllText(given.CertFile, certificate);
                File.WriteAllText(given.KeyFile, key);
                break;
            case "a folder":
                File.Delete(given.CertFile);
                Directory.CreateDirectory(given.CertFile);
                break;
            case "no authorities":
                File.Delete(given.ClientCaFile);
                break;
            case "text instead of authorities":
                File.WriteAllText(given.ClientCaFile, "hello");
                break;
            case "authorities without a root":
                using (var between = new TestAuthority("a department", Noon, _company))
                {
                    File.WriteAllText(given.ClientCaFile, between.Pem);
                }

                break;
            case "a root that has ended":
                using (var ended = new TestAuthority("a company", Noon, end: Noon.AddDays(-1)))
                {
                    File.WriteAllText(given.ClientCaFile, ended.Pem);
                }

                break;
            default:
                throw new ArgumentOutOfRangeException(nameof(what), what, null);
        }
    }

    private static string WithPassword(string text)
    {
        using var key = ECDsa.Create();
        key.ImportFromPem(text);
        return key.ExportEncryptedPkcs8PrivateKeyPem("secret", new PbeParameters(PbeEncryptionAlgorithm.Aes128Cbc, HashAlgorithmName.SHA256, 1_000));
    }

    /// <summary>A clock that somebody sets while its timers go on as they were.</summary>
    private sealed class WallClock : TimeProvider
    {
        public DateTimeOffset Now { get; set; }

        public override long TimestampFrequency => TimeSpan.TicksPerSecond;

        public override DateTimeOffset GetUtcNow() => Now;

        public override long GetTimestamp() => Now.UtcTicks;
    }
}
