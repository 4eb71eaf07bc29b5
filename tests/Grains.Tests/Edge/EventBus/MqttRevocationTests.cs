using System.Security.Cryptography.X509Certificates;
using EdgeOrleans.Edge.EventBus.Access;
using EdgeOrleans.Modules;
using EdgeOrleans.Mqtt;
using EdgeOrleans.TestKit;
using Microsoft.Extensions.DependencyInjection;

namespace EdgeOrleans.Edge.EventBus;

/// <summary>Certificates that were taken back, over real connections.</summary>
public sealed class MqttRevocationTests
{
    private const int NotAuthorized = 0x87;

    [Fact]
    public async Task A_revoked_certificate_ends_its_connection_and_lets_nobody_in_again()
    {
        await using var node = await StartAsync();
        var (one, other) = (await IssueAsync(node, "pump-1"), await IssueAsync(node, "pump-2"));
        var (pump, _) = await ConnectAsync(node, one, "a");
        var (stays, _) = await ConnectAsync(node, other, "b");

        var revocation = await Users(node).RevokeCertificatesAsync("pump-1", null);

        Assert.Equal((1, 1, false), (revocation.Serials.Length, revocation.Connections, revocation.IsUnknown));
        Assert.Equal(SerialOf(one), Assert.Single(revocation.Serials));
        Assert.Equal(NotAuthorized, await pump.EndedAsync());
        var (again, code) = await ConnectAsync(node, one, "a");
        Assert.Null(code);
        await stays.PingAsync();
        Assert.Equal((1L, 1L), (Refused(node, "mqtt.rights-ended"), Refused(node, "mqtt.certificate-revoked")));
        foreach (var talk in new[] { pump, stays, again })
        {
            talk.Dispose();
        }
    }

    [Fact]
    public async Task Of_several_certificates_of_a_user_one_can_be_taken_back_by_its_number()
    {
        await using var node = await StartAsync();
        var (old, young) = (await IssueAsync(node, "pump-1"), await IssueAsync(node, "pump-1"));
        var (pump, _) = await ConnectAsync(node, old, "old");
        var (next, _) = await ConnectAsync(node, young, "young");

        var revocation = await Users(node).RevokeCertificatesAsync("pump-1", SerialOf(old).ToLowerInvariant());
        var twice = await Users(node).RevokeCertificatesAsync("pump-1", SerialOf(old));

        Assert.Equal((1, 1, 0), (revocation.Serials.Length, revocation.Connections, twice.Serials.Length));
        Assert.Equal(NotAuthorized, await pump.EndedAsync());
        await next.PingAsync();
        var list = (await Users(node).ListCertificatesAsync(new MqttQuery { Name = "pump-*" })).Items;
        Assert.Equal(2, list.Length);
        Assert.Equal(SerialOf(old), Assert.Single(list, static made => made.Revoked is not null).Serial);
        pump.Dispose();
        next.Dispose();
    }

    [Fact]
    public async Task What_was_revoked_stays_so_after_a_restart_and_a_new_certificate_of_the_same_user_is_good()
    {
        await using var node = await StartAsync();
        var old = await IssueAsync(node, "pump-1");
        await Users(node).RevokeCertificatesAsync("pump-1", null);

        await node.RestartAsync();
        var young = await IssueAsync(node, "pump-1");

        var (refused, none) = await ConnectAsync(node, old, "a");
        var (pump, code) = await ConnectAsync(node, young, "a");
        Assert.Null(none);
        Assert.Equal(0, code);
        refused.Dispose();
        pump.Dispose();
    }

    [Fact]
    public async Task A_line_that_somebody_writes_into_the_file_counts_while_the_node_runs()
    {
        await using var node = await StartAsync();
        var certificate = await IssueAsync(node, "pump-1");
        var (pump, _) = await ConnectAsync(node, certificate, "a");
        var path = Path.Combine(node.DataFolder, "mqtt", "certificates");

        var lines = await File.ReadAllTextAsync(path, TestContext.Current.CancellationToken);
        await File.WriteAllTextAsync(path, lines.Replace("Z - pump-1", "Z 2026-01-01T00:00:00Z pump-1", StringComparison.Ordinal), TestContext.Current.CancellationToken);

        Assert.Equal(NotAuthorized, await pump.EndedAsync());
        pump.Dispose();
    }

    [Fact]
    public async Task A_certificate_that_the_node_does_not_know_is_taken_back_by_its_number_and_one_of_another_is_not()
    {
        await using var node = await StartAsync();
        var known = await IssueAsync(node, "pump-1");

        var unknown = await Users(node).RevokeCertificatesAsync("pump-2", "0a:bc");

        Assert.Equal((true, "ABC"), (unknown.IsUnknown, Assert.Single(unknown.Serials)));
        foreach (var (user, serial, code) in ((string, string?, int)[])[("pump-2", SerialOf(known), 404), ("pump-3", null, 404), ("pump-1", "xyz", 400), ("a:b", "1", 400)])
        {
            Assert.Equal(code, (await Assert.ThrowsAsync<RefusedException>(() => Users(node).RevokeCertificatesAsync(user, serial))).Code);
        }
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Whom_a_given_authority_revokes_is_out_as_soon_as_its_list_is_there(bool isPem)
    {
        var now = DateTimeOffset.UtcNow;
        using var folder = new TempFolder();
        using var company = new TestAuthority("a company", now);
        var (bad, good) = (company.Issue("pump-1"), company.Issue("pump-2"));
        var path = folder.PathOf("company.crl");
        await WriteAsync(path, company.Revoke(now.AddDays(-2), now.AddDays(1)), isPem);
        await using var node = await StartAsync(("tlsClientCaFile", folder.Write("company.pem", company.Pem)), ("tlsCrlFile", path));
        var (pump, first) = await ConnectAsync(node, bad, "a");
        var (stays, _) = await ConnectAsync(node, good, "b");

        await WriteAsync(path, company.Revoke(now.AddDays(-1), now.AddDays(1), bad.Certificate), isPem);

        Assert.Equal(0, first);
        Assert.Equal(NotAuthorized, await pump.EndedAsync());
        var (again, code) = await ConnectAsync(node, bad, "a");
        Assert.Null(code);
        await stays.PingAsync();
        Assert.Equal((1L, 1L), (Refused(node, "mqtt.rights-ended"), Refused(node, "mqtt.certificate-revoked")));
        Assert.Equal(409, (await Assert.ThrowsAsync<RefusedException>(() => Users(node).RevokeCertificatesAsync("pump-1", null))).Code);
        Assert.Equal(409, (await Assert.ThrowsAsync<RefusedException>(() => Users(node).ListCertificatesAsync(new MqttQuery()))).Code);
        foreach (var talk in new[] { pump, stays, again })
        {
            talk.Dispose();
        }
    }

    [Fact]
    public async Task A_list_without_the_authority_that_it_is_of_stops_the_start_with_a_sentence()
    {
        var stopped = await Assert.ThrowsAnyAsync<Exception>(() => StartAsync(("tlsCrlFile", "company.crl")));

        Assert.Contains("tlsClientCaFile", stopped.ToString(), StringComparison.Ordinal);
    }

    private static Task WriteAsync(string path, byte[] list, bool isPem) => isPem
        ? File.WriteAllTextAsync(path, new string(System.Security.Cryptography.PemEncoding.Write("X509 CRL", list)), TestContext.Current.CancellationToken)
        : File.WriteAllBytesAsync(path, list, TestContext.Current.CancellationToken);

    private static string SerialOf((string Certificate, string Key) pair)
    {
        using var certificate = X509Certificate2.CreateFromPem(pair.Certificate);
        return certificate.SerialNumber.TrimStart('0');
    }

    private static async Task<(string Certificate, string Key)> IssueAsync(EdgeNode node, string user)
    {
        var made = await Users(node).IssueCertificateAsync(user, TimeSpan.FromDays(1));
        return (made.CertificatePem, made.KeyPem);
    }

    private static async Task<(TlsTalk Talk, int? Code)> ConnectAsync(EdgeNode node, (string Certificate, string Key) shows, string client) => await TlsTalk.ConnectAsync(
        node.Services.GetRequiredService<MqttBroker>().TlsAddresses[0].Port,
        await File.ReadAllTextAsync(Path.Combine(node.DataFolder, "mqtt", "ca.crt"), TestContext.Current.CancellationToken),
        shows,
        client);

    private static IMqttUsersGrain Users(EdgeNode node) => node.Grains.GetGrain<IMqttUsersGrain>(IMqttUsersGrain.Key);

    private static Task<EdgeNode> StartAsync(params (string Key, string Value)[] more) => EdgeNode.StartAsync(new Dictionary<string, string>(
        more.Select(static setting => KeyValuePair.Create($"modules.eventBus.{setting.Key}", setting.Value)))
    {
        ["modules.eventBus.mqttServerTls"] = "ssl://127.0.0.1:0",
        ["modules.eventBus.tlsRequireClientCertificate"] = "true",
    });

    private static long Refused(EdgeNode node, string reason) => node.Services.GetRequiredService<Refusals>().Snapshot().GetValueOrDefault(reason);
}
