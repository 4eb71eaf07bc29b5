using EdgeOrleans.DbManager;
using EdgeOrleans.Settings;
using Microsoft.Extensions.Options;

namespace EdgeOrleans.Edge.EdgeHub;

public sealed class EnrolmentTests : IAsyncLifetime
{
    private readonly string _data = Directory.CreateTempSubdirectory("edge-hub-").FullName;
    private readonly TestCloud _cloud = new();
    private readonly Logged<Enrolment> _log = new();

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync() => await _cloud.StartAsync();

    public async ValueTask DisposeAsync()
    {
        await _cloud.DisposeAsync();
        Directory.Delete(_data, recursive: true);
    }

    [Fact]
    public async Task A_token_becomes_a_certificate_that_is_on_disk_for_nobody_else()
    {
        var credentials = await Node(_cloud.Token).GetAsync(Cancellation);

        Assert.Equal("edge-1", BootstrapClient.NodeOf(credentials.Certificate));
        Assert.True(credentials.Certificate.HasPrivateKey);
        Assert.True(OperatingSystem.IsWindows() || File.GetUnixFileMode(At("node.key")) == (UnixFileMode.UserRead | UnixFileMode.UserWrite));
        Assert.Equal(["ca.crt", "node.crt", "node.key"], Directory.GetFiles(Path.Combine(_data, "certs")).Select(Path.GetFileName).Order());
        Assert.Equal(credentials.Certificate.SerialNumber, (await Node("").GetAsync(Cancellation)).Certificate.SerialNumber);
    }

    [Fact]
    public async Task With_a_certificate_on_disk_nobody_is_asked_and_no_token_is_looked_at()
    {
        using var given = _cloud.IssueTo("edge-1", TimeSpan.FromDays(-1), TimeSpan.FromDays(1));
        _cloud.Provision(_data, given);
        await _cloud.StopAsync();

        Assert.Equal(given.SerialNumber, (await Node("").GetAsync(Cancellation)).Certificate.SerialNumber);
        Assert.Equal(given.SerialNumber, (await Node(_cloud.Token).GetAsync(Cancellation)).Certificate.SerialNumber);
        Assert.Empty(_cloud.Requests);
    }

    [Fact]
    public async Task A_cloud_that_did_not_make_the_token_hears_nothing_of_it()
    {
        await using var other = await new TestCloud().StartAsync();

        var refused = await Assert.ThrowsAsync<JoinException>(() => Node(other.Token).GetAsync(Cancellation));

        Assert.Contains("is not the cloud that made the token", refused.Message, StringComparison.Ordinal);
        Assert.Empty(_cloud.Requests);
        Assert.False(File.Exists(At("ca.crt")));
    }

    [Fact]
    public async Task A_bootstrap_door_with_a_certificate_for_another_name_gets_no_token()
    {
        await using var elsewhere = await new TestCloud("cloud.example").StartAsync();

        await Assert.ThrowsAsync<JoinException>(() => Node(elsewhere.Token, elsewhere).GetAsync(Cancellation));

        Assert.Empty(elsewhere.Requests);
    }

    [Fact]
    public async Task An_answer_that_is_lost_is_asked_for_again_with_the_same_key()
    {
        _cloud.LoseAnswers = 1;
        await Assert.ThrowsAsync<JoinException>(() => Node(_cloud.Token).GetAsync(Cancellation));

        // As after a crash: another process, the same disk.
        var credentials = await Node(_cloud.Token).GetAsync(Cancellation);

        Assert.Equal("edge-1", BootstrapClient.NodeOf(credentials.Certificate));
        Assert.Equal(2, _cloud.Requests.Count);
        Assert.Single(_cloud.Requests.Select(r => r.Key).Distinct());
    }

    [Fact]
    public async Task W35_an_expired_token_an_unreachable_door_and_a_token_that_is_none_are_sentences_without_the_token()
    {
        _cloud.RefuseCertificates = (401, "token validation failure, err: the token has expired");
        var expired = await Assert.ThrowsAsync<JoinException>(() => Node(_cloud.Token).GetAsync(Cancellation));
        await _cloud.StopAsync();
        var unreachable = await Assert.ThrowsAsync<JoinException>(() => Node(_cloud.Token).GetAsync(Cancellation));
        var none = await Assert.ThrowsAsync<JoinException>(() => Node("abc.def").GetAsync(Cancellation));
        var missing = await Assert.ThrowsAsync<JoinException>(() => Node("").GetAsync(Cancellation));

        Assert.Contains("the token has expired", expired.Message, StringComparison.Ordinal);
        Assert.Contains("token create --node edge-1", expired.Message, StringComparison.Ordinal);
        Assert.Contains("cannot be asked", unreachable.Message, StringComparison.Ordinal);
        Assert.Contains("--join", missing.Message, StringComparison.Ordinal);
        Assert.All([expired, unreachable, none, missing], e => Assert.DoesNotContain("secret", e.ToString(), StringComparison.Ordinal));
        Assert.DoesNotContain("abc.def", none.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_certificate_of_another_node_is_named_and_never_written_over()
    {
        using var other = _cloud.IssueTo("edge-2", TimeSpan.FromDays(-1), TimeSpan.FromDays(1));
        _cloud.Provision(_data, other);

        var refused = await Assert.ThrowsAsync<JoinException>(() => Node(_cloud.Token).GetAsync(Cancellation));

        Assert.Contains("edge-2", refused.Message, StringComparison.Ordinal);
        Assert.Empty(_cloud.Requests);
    }

    [Fact]
    public async Task Files_that_cannot_be_read_are_named_and_never_written_over()
    {
        Directory.CreateDirectory(Path.Combine(_data, "certs"));
        await File.WriteAllTextAsync(At("node.crt"), "nonsense", Cancellation);

        var refused = await Assert.ThrowsAsync<JoinException>(() => Node(_cloud.Token).GetAsync(Cancellation));

        Assert.Contains("node.crt", refused.Message, StringComparison.Ordinal);
        Assert.Equal("nonsense", await File.ReadAllTextAsync(At("node.crt"), Cancellation));
    }

    [Fact]
    public async Task An_expired_certificate_is_tried_and_a_token_counts_only_if_it_is_not_taken()
    {
        using var old = _cloud.IssueTo("edge-1", TimeSpan.FromDays(-2), TimeSpan.FromDays(-1));
        _cloud.Provision(_data, old);

        var back = await Node("").GetAsync(Cancellation);

        Assert.True(back.Certificate.NotAfter > DateTime.Now);
        Assert.Equal((null, old.SerialNumber), (Assert.Single(_cloud.Requests).Bearer, _cloud.Requests[0].Holder));
    }

    [Fact]
    public async Task A_half_finished_change_of_files_is_finished_at_the_next_start()
    {
        using var before = _cloud.IssueTo("edge-1", TimeSpan.FromDays(-1), TimeSpan.FromDays(1));
        _cloud.Provision(_data, before);
        using var next = _cloud.IssueTo("edge-1", TimeSpan.FromDays(-1), TimeSpan.FromDays(2));
        using (var key = System.Security.Cryptography.X509Certificates.ECDsaCertificateExtensions.GetECDsaPrivateKey(next)!)
        {
            await File.WriteAllTextAsync(At("node.key.new"), key.ExportPkcs8PrivateKeyPem(), Cancellation);
            await File.WriteAllTextAsync(At("node.crt.new"), next.ExportCertificatePem(), Cancellation);
        }

        Assert.Equal(next.SerialNumber, (await Node("").GetAsync(Cancellation)).Certificate.SerialNumber);

        // Once more with the key moved already.
        await File.WriteAllTextAsync(At("node.crt.new"), next.ExportCertificatePem(), Cancellation);
        await File.WriteAllTextAsync(At("node.crt"), before.ExportCertificatePem(), Cancellation);
        Assert.Equal(next.SerialNumber, (await Node("").GetAsync(Cancellation)).Certificate.SerialNumber);
    }

    private string At(string file) => Path.Combine(_data, "certs", file);

    private Enrolment Node(string token, TestCloud? cloud = null)
    {
        var options = new EdgeHubOptions
        {
            Token = token,
            HttpServer = $"https://{(cloud ?? _cloud).Address}",
            WebSocket = new EdgeHubOptions.WebSocketOptions { Server = (cloud ?? _cloud).Address },
        };
        return new Enrolment(Options.Create(options), Options.Create(new NodeOptions { Name = "edge-1" }), Options.Create(new DataOptions { Data = _data }), TimeProvider.System, _log);
    }
}
