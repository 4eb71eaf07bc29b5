using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Runtime.Versioning;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using EdgeOrleans.Joining;
using EdgeOrleans.Modules;
using EdgeOrleans.Nodes;
using EdgeOrleans.TestKit;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace EdgeOrleans.Cloud.CloudHub;

/// <summary>A running cloud, and a client that speaks as edgecore does.</summary>
[UnsupportedOSPlatform("windows")]
public sealed class BootstrapTests : IAsyncLifetime
{
    private readonly CloudLog _log = new();
    private readonly MovedTime _time = new();
    private readonly Csr _csr = new();
    private CloudSilo _cloud = null!;

    public async ValueTask InitializeAsync() => _cloud = await CloudSilo.StartAsync(
        new Dictionary<string, string> { ["modules.cloudHub.https.requestTimeout"] = "2s" },
        silo =>
        {
            silo.Services.AddSingleton<TimeProvider>(_time);
            silo.Services.AddSingleton<ILoggerProvider>(_log);
        });

    public async ValueTask DisposeAsync()
    {
        await _cloud.DisposeAsync();
        _csr.Dispose();
    }

    [Fact]
    public async Task A_stock_node_gets_its_certificate_and_the_token_is_used_up()
    {
        var token = await _cloud.TokenAsync("edge-1");

        using var unverified = EdgecoreHttp.Unverified(_cloud.Bootstrap);
        var authority = await unverified.AuthorityAsync();
        Assert.True(token.Trusts(authority));
        using var verified = EdgecoreHttp.Verified(_cloud.Bootstrap, authority);
        var answer = await verified.CertificateAsync("edge-1", _csr.Of("edge-1"), token.Bearer, ("ExtKeyUsages", "[1,2]"));

        Assert.Equal(HttpStatusCode.OK, answer.Status);
        using var certificate = _csr.WithKey(answer.Body);
        Assert.Equal("CN=system:node:edge-1, O=system:nodes", certificate.Subject);
        Assert.Equal(("edge-1", null), await Trust.IsTrustedAsync(certificate));
        Assert.Equal("used", Assert.Single(await _cloud.JoinTokens.ListAsync()).State);
    }

    [Fact]
    public async Task A_lost_answer_does_not_burn_the_token()
    {
        var token = await _cloud.TokenAsync("edge-1");

        var first = await AskAsync("edge-1", token, _csr.Of("edge-1"));
        var again = await AskAsync("edge-1", token, _csr.Of("edge-1"));
        await _cloud.RestartAsync();
        var afterRestart = await AskAsync("edge-1", token, _csr.Of("edge-1"));

        Assert.Equal(HttpStatusCode.OK, first.Status);
        Assert.Equal(first.Body, again.Body);
        Assert.Equal(first.Body, afterRestart.Body);
    }

    [Fact]
    public async Task W4_A_token_that_somebody_replays_with_another_key_is_refused()
    {
        using var thief = new Csr();
        var token = await _cloud.TokenAsync("edge-1");
        await AskAsync("edge-1", token, _csr.Of("edge-1"));

        await AssertRefusedAsync("token-used", await AskAsync("edge-1", token, thief.Of("edge-1")));
    }

    [Fact]
    public async Task W4_Expired_revoked_unknown_and_other_nodes_tokens_are_refused_with_a_line_each()
    {
        var token = await _cloud.TokenAsync("edge-1");
        var revoked = await _cloud.TokenAsync("edge-1");
        await _cloud.JoinTokens.RevokeAsync((await _cloud.JoinTokens.ListAsync())[0].Id);

        await AssertRefusedAsync("token-other-node", await AskAsync("edge-2", token, _csr.Of("edge-2")));
        await AssertRefusedAsync("token-revoked", await AskAsync("edge-1", revoked, _csr.Of("edge-1")));
        await AssertRefusedAsync("token-unknown", await SendAsync("edge-1", _csr.Of("edge-1"), token.Bearer[..^1] + (token.Bearer[^1] == 'A' ? 'B' : 'A')));
        await AssertRefusedAsync("token-unknown", await SendAsync("edge-1", _csr.Of("edge-1"), $"{token.CaHash}.{token.Bearer}"));
        await AssertRefusedAsync("no-credentials", await SendAsync("edge-1", _csr.Of("edge-1"), null));
        await AssertRefusedAsync("no-credentials", await SendAsync("edge-1", _csr.Of("edge-1"), new string('a', 3_000)));
        _time.Shift = TimeSpan.FromHours(2);
        await AssertRefusedAsync("token-expired", await AskAsync("edge-1", token, _csr.Of("edge-1")));

        Assert.DoesNotContain(_log.Lines, line => line.Contains(token.Bearer.Split('.')[2], StringComparison.Ordinal));
        Assert.DoesNotContain(_log.Lines, line => line.Contains("eyJ", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_refused_request_leaves_the_token_as_it_was()
    {
        var token = await _cloud.TokenAsync("edge-1");

        await AssertRefusedAsync("csr-other-name", await AskAsync("edge-1", token, _csr.Of("edge-2")), HttpStatusCode.BadRequest);
        await AssertRefusedAsync("csr-invalid", await AskAsync("edge-1", token, new byte[300]), HttpStatusCode.BadRequest);
        await AssertRefusedAsync("csr-size", await AskAsync("edge-1", token, []), HttpStatusCode.BadRequest);
        await AssertRefusedAsync("csr-size", await AskAsync("edge-1", token, new byte[SigningRequest.MaxSize + 1]), HttpStatusCode.RequestEntityTooLarge);
        await AssertRefusedAsync("no-node-name", await AskAsync("Edge_1", token, _csr.Of("edge-1")), HttpStatusCode.BadRequest);
        await AssertRefusedAsync("no-node-name", await AskAsync(null, token, _csr.Of("edge-1")), HttpStatusCode.BadRequest);

        Assert.Equal(HttpStatusCode.OK, (await AskAsync("edge-1", token, _csr.Of("edge-1"))).Status);
    }

    [Fact]
    public async Task A_token_of_a_group_is_for_new_nodes_and_takes_no_name_from_one_that_is_there()
    {
        using var other = new Csr();
        await AskAsync("edge-1", await _cloud.TokenAsync("edge-1"), _csr.Of("edge-1"));
        var made = await _cloud.JoinTokens.CreateAsync(new JoinTokenRequest { Group = "shop", Uses = 5 });
        Assert.True(JoinToken.TryParse(made.Token, out var group));

        await AssertRefusedAsync("node-known", await AskAsync("edge-1", group, other.Of("edge-1")));
        Assert.Equal(HttpStatusCode.OK, (await AskAsync("edge-2", group, other.Of("edge-2"))).Status);
    }

    [Fact]
    public async Task A_node_renews_with_its_certificate_and_only_for_itself()
    {
        using var next = new Csr();
        var (authority, certificate) = await JoinAsync("edge-1");
        using var http = EdgecoreHttp.Verified(_cloud.Bootstrap, authority, certificate);

        var renewed = await http.CertificateAsync("edge-1", next.Of("edge-1"));
        var withOldToken = await http.CertificateAsync("edge-1", next.Of("edge-1"), "old.old.old");
        var other = await http.CertificateAsync("edge-2", next.Of("edge-2"));
        var otherWithToken = await http.CertificateAsync("edge-2", next.Of("edge-2"), (await _cloud.TokenAsync("edge-2")).Bearer);

        Assert.Equal((HttpStatusCode.OK, HttpStatusCode.OK), (renewed.Status, withOldToken.Status));
        await AssertRefusedAsync("other-node", other);
        await AssertRefusedAsync("other-node", otherWithToken);
        using var second = next.WithKey(renewed.Body);
        Assert.Equal("edge-1", (await Trust.IsTrustedAsync(second)).Node);
        Assert.Equal("edge-1", (await Trust.IsTrustedAsync(certificate)).Node);
        certificate.Dispose();
    }

    [Fact]
    public async Task W7_A_revoked_certificate_is_over_and_the_node_comes_back_with_a_new_token()
    {
        using var next = new Csr();
        var first = await _cloud.TokenAsync("edge-1");
        var (authority, certificate) = await JoinAsync("edge-1", first);
        using var http = EdgecoreHttp.Verified(_cloud.Bootstrap, authority, certificate);

        Assert.Equal(1, await Certificates("edge-1").RevokeAsync(certificate.SerialNumber));
        await _cloud.RestartAsync();
        using var later = EdgecoreHttp.Verified(_cloud.Bootstrap, authority, certificate);

        Assert.Equal("revoked-certificate", (await Trust.IsTrustedAsync(certificate)).Refusal?.Reason);
        await AssertRefusedAsync("revoked-certificate", await later.CertificateAsync("edge-1", next.Of("edge-1")));
        await AssertRefusedAsync("revoked-certificate", await AskAsync("edge-1", first, _csr.Of("edge-1")));
        var (_, again) = await JoinAsync("edge-1", await _cloud.TokenAsync("edge-1"), next);
        Assert.Equal("edge-1", (await Trust.IsTrustedAsync(again)).Node);
        Assert.Equal([false, true], (await Certificates("edge-1").ListAsync()).Select(c => c.Revoked));
        certificate.Dispose();
        again.Dispose();
    }

    [Fact]
    public async Task W7_Revoking_a_node_ends_all_its_certificates_and_no_other_nodes()
    {
        using var other = new Csr();
        var (_, one) = await JoinAsync("edge-1");
        var (_, two) = await JoinAsync("edge-2", csr: other);

        Assert.Equal(1, await Certificates("edge-1").RevokeAsync(null));

        Assert.Null((await Trust.IsTrustedAsync(one)).Node);
        Assert.Equal("edge-2", (await Trust.IsTrustedAsync(two)).Node);
        Assert.Equal(404, (await Assert.ThrowsAsync<RefusedException>(() => Certificates("edge-3").RevokeAsync(null))).Code);
        Assert.Equal(404, (await Assert.ThrowsAsync<RefusedException>(() => Certificates("edge-2").RevokeAsync("00"))).Code);
        one.Dispose();
        two.Dispose();
    }

    [Fact]
    public async Task A_node_that_renews_in_a_loop_is_stopped()
    {
        var (authority, certificate) = await JoinAsync("edge-1");
        using var http = EdgecoreHttp.Verified(_cloud.Bootstrap, authority, certificate);
        EdgecoreHttp.Answer answer;
        var count = 1;
        do
        {
            answer = await http.CertificateAsync("edge-1", _csr.Of("edge-1"));
            count++;
        }
        while (answer.Status == HttpStatusCode.OK && count < 50);

        await AssertRefusedAsync("too-many-certificates", answer, HttpStatusCode.TooManyRequests);
        Assert.Equal(21, count);
        certificate.Dispose();
    }

    [Fact]
    public async Task W7_A_revoked_certificate_is_not_forgotten_however_often_the_node_renews()
    {
        var issuer = _cloud.Grains.GetGrain<INodeCertificateIssuer>("edge-1");
        var serials = new List<string>();
        for (var i = 0; i < 150; i++)
        {
            _time.Shift += TimeSpan.FromMinutes(4);
            var outcome = await issuer.IssueAsync(_csr.Key.ExportSubjectPublicKeyInfo(), "", onlyNew: false);
            using var certificate = X509CertificateLoader.LoadCertificate(outcome.Certificate!);
            serials.Add(certificate.SerialNumber);
            if (i == 5)
            {
                await Certificates("edge-1").RevokeAsync(serials[3]);
            }
        }

        var listed = await Certificates("edge-1").ListAsync();

        Assert.Equal(64, listed.Length);
        Assert.Equal(serials[3], Assert.Single(listed, c => c.Revoked).Serial);
        Assert.True(await issuer.IsRevokedAsync(serials[3], DateTimeOffset.MinValue.AddYears(1)));
        Assert.False(await issuer.IsRevokedAsync(serials[149], DateTimeOffset.UtcNow));
    }

    [Fact]
    public async Task W4_Of_many_that_use_a_token_at_once_one_gets_a_certificate()
    {
        var token = await _cloud.TokenAsync("edge-1");
        var keys = Enumerable.Range(0, 16).Select(_ => new Csr()).ToList();

        var answers = await Task.WhenAll(keys.Select(key => AskAsync("edge-1", token, key.Of("edge-1"))));

        Assert.Single(answers, a => a.Status == HttpStatusCode.OK);
        Assert.Equal(15, Counted("token-used"));
        keys.ForEach(key => key.Dispose());
    }

    [Theory]
    [InlineData("GET", "/")]
    [InlineData("GET", "/node/edge-1")]
    [InlineData("POST", "/nodeupgrade")]
    [InlineData("POST", "/task/upgrade/name/1/node/edge-1/status")]
    [InlineData("POST", "/edge.crt")]
    public async Task W5_Nothing_else_is_answered(string method, string path)
    {
        using var http = EdgecoreHttp.Unverified(_cloud.Bootstrap);

        await AssertRefusedAsync("no-such-page", await http.GetAsync(path, "{}"u8.ToArray(), [("NodeName", "edge-1")], method), HttpStatusCode.NotFound);
    }

    [Fact]
    public async Task A_body_that_does_not_come_ends_the_request_and_others_are_answered_meanwhile()
    {
        var token = await _cloud.TokenAsync("edge-1");
        using var socket = new TcpClient();
        await socket.ConnectAsync(_cloud.Bootstrap.Host, _cloud.Bootstrap.Port, TestContext.Current.CancellationToken);
        await using var tls = new SslStream(socket.GetStream(), false, (_, certificate, _, _) => certificate is not null);
        await tls.AuthenticateAsClientAsync(new SslClientAuthenticationOptions { TargetHost = "localhost" }, TestContext.Current.CancellationToken);
        await tls.WriteAsync(
            Encoding.ASCII.GetBytes($"GET /edge.crt HTTP/1.1\r\nHost: x\r\nNodeName: edge-1\r\nAuthorization: Bearer {token.Bearer}\r\nContent-Length: 298\r\n\r\n"),
            TestContext.Current.CancellationToken);

        using var reader = new StreamReader(tls);
        var status = reader.ReadLineAsync(TestContext.Current.CancellationToken).AsTask();
        var other = await AskAsync("edge-1", token, _csr.Of("edge-1"));

        Assert.Equal(HttpStatusCode.OK, other.Status);
        Assert.StartsWith("HTTP/1.1 408", await status, StringComparison.Ordinal);
        Assert.Equal(1, Counted("too-slow"));
    }

    [Fact]
    public async Task A_thousand_connections_that_say_nothing_keep_nobody_out()
    {
        var token = await _cloud.TokenAsync("edge-1");
        var silent = new List<TcpClient>();
        try
        {
            for (var i = 0; i < 1_000; i++)
            {
                var client = new TcpClient();
                silent.Add(client);
                await client.ConnectAsync(_cloud.Bootstrap.Host, _cloud.Bootstrap.Port, TestContext.Current.CancellationToken);
            }

            Assert.Equal(HttpStatusCode.OK, (await AskAsync("edge-1", token, _csr.Of("edge-1"))).Status);
        }
        finally
        {
            silent.ForEach(c => c.Dispose());
        }
    }

    [Fact]
    public async Task An_address_that_asks_too_often_is_refused_and_said_once()
    {
        await using var cloud = await CloudSilo.StartAsync(
            new Dictionary<string, string> { ["modules.cloudHub.https.requestsPerMinute"] = "5" },
            silo => silo.Services.AddSingleton<ILoggerProvider>(_log));
        using var http = EdgecoreHttp.Unverified(cloud.Bootstrap);
        var answers = new List<HttpStatusCode>();
        for (var i = 0; i < 10; i++)
        {
            answers.Add((await http.GetAsync("/ca.crt")).Status);
        }

        Assert.Equal(HttpStatusCode.TooManyRequests, answers[^1]);
        Assert.Equal(answers.Count(a => a == HttpStatusCode.TooManyRequests), cloud.Services.GetRequiredService<Refusals>().Snapshot()["cloudHub.too-many-requests"]);
        Assert.Single(_log.Lines, line => line.Contains("too-many-requests", StringComparison.Ordinal));
    }

    [Fact]
    public async Task The_authority_and_the_tokens_outlive_a_restart()
    {
        var token = await _cloud.TokenAsync("edge-1");

        await _cloud.RestartAsync();

        using var http = EdgecoreHttp.Unverified(_cloud.Bootstrap);
        Assert.True(token.Trusts(await http.AuthorityAsync()));
        Assert.Equal("open", Assert.Single(await _cloud.JoinTokens.ListAsync()).State);
        Assert.Equal(HttpStatusCode.OK, (await AskAsync("edge-1", token, _csr.Of("edge-1"))).Status);
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(Path.Combine(_cloud.DataFolder, AuthorityFile.FileName)));
    }

    [Fact]
    public async Task A_certificate_of_another_cloud_opens_nothing_here()
    {
        await using var other = await CloudSilo.StartAsync();
        var token = await other.TokenAsync("edge-1");
        using var there = EdgecoreHttp.Unverified(other.Bootstrap);
        using var foreign = _csr.WithKey((await there.CertificateAsync("edge-1", _csr.Of("edge-1"), token.Bearer)).Body);
        using var here = EdgecoreHttp.Unverified(_cloud.Bootstrap);
        using var http = EdgecoreHttp.Verified(_cloud.Bootstrap, await here.AuthorityAsync(), foreign);

        await AssertRefusedAsync("foreign-certificate", await http.CertificateAsync("edge-1", _csr.Of("edge-1")));
    }

    [Fact]
    public async Task A_cloud_lists_its_modules_in_order_and_has_none_of_a_nodes_grains()
    {
        var modules = await _cloud.Grains.GetGrain<INodeGrain>(INodeGrain.Key).GetModulesAsync();

        Assert.Equal(
            [
                (ModuleNames.DbManager, ModuleState.Running), (ModuleNames.CloudHub, ModuleState.Running), (ModuleNames.DeviceController, ModuleState.Running),
                (ModuleNames.EdgeController, ModuleState.Running), (ModuleNames.Router, ModuleState.NotBuilt),
            ],
            modules.Select(m => (m.Name, m.State)));
        Assert.Throws<ArgumentException>(() => _cloud.Grains.GetGrain<Devices.IMembershipGrain>(Devices.IMembershipGrain.Key));
    }

    private NodeTrust Trust => _cloud.Services.GetRequiredService<NodeTrust>();

    private INodeCertificatesGrain Certificates(string node) => _cloud.Grains.GetGrain<INodeCertificatesGrain>(node);

    private long Counted(string reason) => _cloud.Services.GetRequiredService<Refusals>().Snapshot().GetValueOrDefault($"cloudHub.{reason}");

    private Task<EdgecoreHttp.Answer> AskAsync(string? node, JoinToken token, byte[] csr) => SendAsync(node, csr, token.Bearer);

    private async Task<EdgecoreHttp.Answer> SendAsync(string? node, byte[] csr, string? bearer)
    {
        using var http = EdgecoreHttp.Unverified(_cloud.Bootstrap);
        return await http.CertificateAsync(node, csr, bearer);
    }

    private async Task<(byte[] Authority, X509Certificate2 Certificate)> JoinAsync(string node, JoinToken? token = null, Csr? csr = null)
    {
        using var http = EdgecoreHttp.Unverified(_cloud.Bootstrap);
        var answer = await http.CertificateAsync(node, (csr ?? _csr).Of(node), (token ?? await _cloud.TokenAsync(node)).Bearer);
        Assert.Equal(HttpStatusCode.OK, answer.Status);
        return (await http.AuthorityAsync(), (csr ?? _csr).WithKey(answer.Body));
    }

    private Task AssertRefusedAsync(string reason, EdgecoreHttp.Answer answer, HttpStatusCode status = HttpStatusCode.Unauthorized)
    {
        Assert.Equal(status, answer.Status);
        Assert.NotEmpty(answer.Text);
        Assert.True(Counted(reason) > 0, $"{reason} was not counted; the answer was: {answer.Text}");
        Assert.Contains(_log.Lines, line => line.StartsWith("Refused", StringComparison.Ordinal) && line.Contains($"({reason})", StringComparison.Ordinal));
        return Task.CompletedTask;
    }
}
