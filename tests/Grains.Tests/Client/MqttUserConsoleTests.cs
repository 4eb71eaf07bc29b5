using System.Security.Cryptography.X509Certificates;
using EdgeOrleans.Edge.EventBus;
using EdgeOrleans.Edge.EventBus.Access;
using EdgeOrleans.TestKit;
using Microsoft.Extensions.DependencyInjection;

namespace EdgeOrleans.Client;

/// <summary>The console says who may connect to the broker of a node.</summary>
public sealed class MqttUserConsoleTests : IAsyncLifetime
{
    private readonly TempFolder _folder = new();
    private EdgeNode _node = null!;

    public async ValueTask InitializeAsync()
    {
        _node = await EdgeNode.StartAsync(new Dictionary<string, string>
        {
            ["modules.eventBus.mqttUserFile"] = _folder.PathOf("users"),
            ["modules.eventBus.mqttServerTls"] = "ssl://127.0.0.1:0",
        });
        await RunAsync("version");
    }

    public async ValueTask DisposeAsync()
    {
        await _node.DisposeAsync();
        _folder.Dispose();
    }

    [Fact]
    public async Task A_password_that_the_node_makes_stands_alone_on_standard_output()
    {
        var added = await RunAsync("mqtt", "user", "add", "default/pump-1");
        var again = await RunAsync("mqtt", "user", "add", "default/pump-1", "-o", "json");

        Assert.Equal(ExitCodes.Ok, added.ExitCode);
        Assert.Matches("^[A-Za-z0-9_-]{22}$", Assert.Single(added.Lines));
        Assert.Equal("user/default/pump-1 added", Assert.Single(added.ErrorLines));
        Assert.Equal(("default/pump-1", false), (again.Json.GetProperty("user").GetString(), again.Json.GetProperty("new").GetBoolean()));
        Assert.True(await CanLogInAsync("default/pump-1", again.Json.GetProperty("password").GetString()!));
    }

    [Theory]
    [InlineData("s3cret word\n", "s3cret word")]
    [InlineData("s3cret\r\nmore\n", "s3cret")]
    [InlineData(" spaces stay ", " spaces stay ")]
    public async Task A_password_is_read_from_the_first_line_of_standard_input_and_not_said_again(string input, string password)
    {
        var added = await TypeAsync(input, "mqtt", "user", "add", "pump-1", "--password-stdin");
        var again = await TypeAsync(input, "mqtt", "user", "add", "pump-1", "--password-stdin");
        var json = await TypeAsync(input, "mqtt", "user", "add", "pump-1", "--password-stdin", "-o", "json");

        Assert.Equal((ExitCodes.Ok, "user/pump-1 added", ""), (added.ExitCode, Assert.Single(added.Lines), added.Error));
        Assert.Equal("user/pump-1 has a new password", Assert.Single(again.Lines));
        Assert.False(json.Json.TryGetProperty("password", out _));
        Assert.True(await CanLogInAsync("pump-1", password));
    }

    [Fact]
    public async Task What_is_no_password_is_wrong_usage_and_changes_nothing()
    {
        foreach (var (input, said) in ((string, string)[])
        [
            ("", "begins with no password"),
            ("\nsecond line", "begins with no password"),
            (new string('x', 65_536) + "\n", "65,535 bytes"),
            ("b\uFFFDd\n", "no UTF-8 text"),
        ])
        {
            var wrong = await TypeAsync(input, "mqtt", "user", "add", "pump-1", "--password-stdin");
            Assert.Equal((ExitCodes.Usage, ""), (wrong.ExitCode, wrong.Out));
            Assert.Contains(said, Assert.Single(wrong.ErrorLines), StringComparison.Ordinal);
        }

        foreach (var args in (string[][])[["pump-1", "--password", "x"], ["pump-1", "x"], []])
        {
            Assert.Equal(ExitCodes.Usage, (await RunAsync(["mqtt", "user", "add", .. args])).ExitCode);
        }

        Assert.Equal("no MQTT users; add one with: edgectl mqtt user add NAME", (await RunAsync("mqtt", "user", "list")).ErrorLines[0]);
    }

    [Fact]
    public async Task Users_are_a_list_as_all_others_with_a_word_of_the_rules_beside_it()
    {
        await TypeAsync("p\n", "mqtt", "user", "add", "pump-2", "--password-stdin");
        await TypeAsync("p\n", "mqtt", "user", "add", "pump-1", "--password-stdin");

        var all = await RunAsync("mqtt", "user", "list");
        var one = await RunAsync("mqtt", "user", "list", "*-2", "-o", "json");
        var none = await RunAsync("mqtt", "user", "list", "meter*", "-o", "yaml");
        var missing = await RunAsync("mqtt", "user", "list", "meter");

        Assert.Equal(["USER", "pump-1", "pump-2"], all.Lines);
        Assert.Equal("the default rules are in force", Assert.Single(all.ErrorLines));
        Assert.Equal("""{"users":["pump-2"],"file":true,"rules":"defaults","usersError":null,"rulesError":null}""", one.Out.TrimEnd());
        Assert.Equal(ExitCodes.Ok, none.ExitCode);
        Assert.Equal((ExitCodes.NotFound, "error: there is no MQTT user 'meter'"), (missing.ExitCode, Assert.Single(missing.ErrorLines)));
    }

    [Fact]
    public async Task A_file_that_is_not_taken_is_warned_of()
    {
        await TypeAsync("p\n", "mqtt", "user", "add", "pump-1", "--password-stdin");
        _folder.Write("users", "pump-1\n");
        _node.Services.GetRequiredService<AccessFiles>().Check();

        var list = await RunAsync("mqtt", "user", "list");

        Assert.Equal(["USER", "pump-1"], list.Lines);
        Assert.Matches("^warning: the users are those of before, .*users, line 1: ", list.ErrorLines[1]);
    }

    [Fact]
    public async Task A_user_that_is_removed_is_named_with_the_connections_that_end_and_one_that_is_not_there_is_exit_code_4()
    {
        await TypeAsync("p\n", "mqtt", "user", "add", "pump-1", "--password-stdin");
        await TypeAsync("p\n", "mqtt", "user", "add", "pump-2", "--password-stdin");
        using var pump = await MqttTalk.ConnectAsync(_node.MqttPort, "pump", login: new("pump-1", "p"));

        Assert.Equal(["user/pump-1 removed; 1 connection ends"], (await RunAsync("mqtt", "user", "remove", "pump-1")).Lines);
        Assert.Equal(["user/pump-2 removed"], (await RunAsync("mqtt", "user", "remove", "pump-2")).Lines);
        var gone = await RunAsync("mqtt", "user", "remove", "pump-1");

        Assert.Equal((ExitCodes.NotFound, "", "error: there is no MQTT user 'pump-1'"), (gone.ExitCode, gone.Out, Assert.Single(gone.ErrorLines)));
        Assert.False(await CanLogInAsync("pump-1", "p"));
    }

    [Fact]
    public async Task A_person_is_asked_before_a_user_is_removed()
    {
        await TypeAsync("p\n", "mqtt", "user", "add", "pump-1", "--password-stdin");

        Assert.Equal(ExitCodes.Failed, await AnswerAsync("n"));
        Assert.True(await CanLogInAsync("pump-1", "p"));
        Assert.Equal(ExitCodes.Ok, await AnswerAsync("y"));
        Assert.False(await CanLogInAsync("pump-1", "p"));
    }

    [Fact]
    public async Task A_certificate_is_written_with_its_key_for_its_owner_alone_and_with_the_authority()
    {
        var certs = _folder.PathOf("new", "certs");

        var written = await RunAsync("mqtt", "certificate", "shop/till-1", "--out", certs, "--lifetime", "30d");
        var json = await RunAsync("mqtt", "certificate", "pump-1", "--out", certs, "-o", "json");

        Assert.Equal(ExitCodes.Ok, written.ExitCode);
        Assert.StartsWith("certificate/shop/till-1 written until ", Assert.Single(written.Lines), StringComparison.Ordinal);
        Assert.Equal(["ca.crt", "pump-1.crt", "pump-1.key", "shop-till-1.crt", "shop-till-1.key"], Files(certs));
        Assert.Equal(Path.Combine(certs, "pump-1.key"), json.Json.GetProperty("key").GetString());
        using var till = X509Certificate2.CreateFromPemFile(Path.Combine(certs, "shop-till-1.crt"), Path.Combine(certs, "shop-till-1.key"));
        Assert.Equal("shop/till-1", till.GetNameInfo(X509NameType.SimpleName, forIssuer: false));
        Assert.InRange(till.NotAfter.ToUniversalTime(), DateTime.UtcNow.AddDays(29), DateTime.UtcNow.AddDays(31));
        Assert.InRange(json.Json.GetProperty("notAfter").GetDateTime().ToUniversalTime(), DateTime.UtcNow.AddDays(364), DateTime.UtcNow.AddDays(366));
        Assert.Contains("BEGIN CERTIFICATE", await ReadAsync(certs, "ca.crt"), StringComparison.Ordinal);
        if (!OperatingSystem.IsWindows())
        {
            Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(Path.Combine(certs, "pump-1.key")));
        }
    }

    [Fact]
    public async Task Files_that_are_there_stay_unless_they_are_to_be_overwritten()
    {
        var certs = _folder.PathOf("certs");
        await RunAsync("mqtt", "certificate", "a/b", "--out", certs);
        var before = await ReadAsync(certs, "a-b.key");
        var authority = await ReadAsync(certs, "ca.crt");

        var same = await RunAsync("mqtt", "certificate", "a/b", "--out", certs);
        var alike = await RunAsync("mqtt", "certificate", "a-b", "--out", certs);
        _folder.Write(Path.Combine("certs", "ca.crt"), "of another node");
        var other = await RunAsync("mqtt", "certificate", "c", "--out", certs);

        foreach (var (refused, file) in new[] { (same, "a-b.crt"), (alike, "a-b.crt"), (other, "ca.crt") })
        {
            Assert.Equal((ExitCodes.Failed, ""), (refused.ExitCode, refused.Out));
            Assert.Contains($"{Path.Combine(certs, file)} is there already", Assert.Single(refused.ErrorLines), StringComparison.Ordinal);
        }

        Assert.Equal(["a-b.crt", "a-b.key", "ca.crt"], Files(certs));
        Assert.Equal(before, await ReadAsync(certs, "a-b.key"));
        Assert.Equal("of another node", await ReadAsync(certs, "ca.crt"));

        Assert.Equal(ExitCodes.Ok, (await RunAsync("mqtt", "certificate", "a/b", "--out", certs, "--force")).ExitCode);
        Assert.NotEqual(before, await ReadAsync(certs, "a-b.key"));
        Assert.Equal(authority, await ReadAsync(certs, "ca.crt"));
        using var pair = X509Certificate2.CreateFromPemFile(Path.Combine(certs, "a-b.crt"), Path.Combine(certs, "a-b.key"));
        Assert.True(pair.HasPrivateKey);
    }

    [Fact]
    public async Task What_cannot_be_written_is_one_line_and_leaves_no_file_behind()
    {
        _folder.Write("file", "");
        var certs = _folder.PathOf("certs");
        Directory.CreateDirectory(Path.Combine(certs, "pump-1.crt"));

        var noFolder = await RunAsync("mqtt", "certificate", "pump-1", "--out", _folder.PathOf("file"));
        var isFolder = await RunAsync("mqtt", "certificate", "pump-1", "--out", certs, "--force");
        var tooLong = await RunAsync("mqtt", "certificate", new string('x', 256), "--out", _folder.PathOf("long"));

        foreach (var (failed, said) in new[] { (noFolder, "cannot be written to "), (isFolder, "pump-1.crt is a folder"), (tooLong, "cannot be written to ") })
        {
            Assert.Equal((ExitCodes.Failed, ""), (failed.ExitCode, failed.Out));
            Assert.Contains(said, Assert.Single(failed.ErrorLines), StringComparison.Ordinal);
        }

        Assert.Empty(Files(certs));
        Assert.Empty(Files(_folder.PathOf("long")));
    }

    [Theory]
    [InlineData(ExitCodes.Usage, "'soon' is no lifetime", "pump-1", "--lifetime", "soon")]
    [InlineData(ExitCodes.Usage, "is no lifetime", "pump-1", "--lifetime", "0d")]
    [InlineData(ExitCodes.Failed, "1 hour to 3,650 days", "pump-1", "--lifetime", "36500d")]
    [InlineData(ExitCodes.Failed, "the name ", "a:b")]
    [InlineData(ExitCodes.Usage, "choose another", "ca")]
    public async Task A_certificate_that_cannot_be_made_is_refused_with_what_would_be_right(int exitCode, string said, params string[] args)
    {
        var refused = await RunAsync(["mqtt", "certificate", .. args, "--out", _folder.PathOf("certs")]);

        Assert.Equal((exitCode, ""), (refused.ExitCode, refused.Out));
        Assert.Contains(said, Assert.Single(refused.ErrorLines), StringComparison.Ordinal);
        Assert.False(Directory.Exists(_folder.PathOf("certs")));
    }

    [Fact]
    public async Task Certificates_are_listed_and_revoked_with_their_serial_numbers()
    {
        var certs = _folder.PathOf("certs");
        await RunAsync("mqtt", "certificate", "pump-1", "--out", certs);
        await RunAsync("mqtt", "certificate", "pump-2", "--out", certs);
        using var one = X509Certificate2.CreateFromPem(await ReadAsync(certs, "pump-1.crt"));
        var serial = one.SerialNumber.TrimStart('0');

        var list = await RunAsync("mqtt", "certificate", "list");
        var revoked = await RunAsync("mqtt", "certificate", "revoke", "pump-1");
        var json = await RunAsync("mqtt", "certificate", "revoke", "pump-2", "--serial", "AB:CD", "-o", "json");
        var after = await RunAsync("mqtt", "certificate", "list", "pump-1", "-o", "json");

        Assert.Matches("^USER +SERIAL +ISSUED +ENDS +REVOKED", list.Lines[0]);
        Assert.Matches($"^pump-1 +{serial} +2", list.Lines[1]);
        Assert.Equal(["certificate/pump-1: 1 revoked"], revoked.Lines);
        Assert.Equal("""{"user":"pump-2","revoked":["ABCD"],"connections":0}""", json.Out.TrimEnd());
        Assert.StartsWith("hint: the node did not know AB:CD", Assert.Single(json.ErrorLines), StringComparison.Ordinal);
        Assert.Equal((1, serial), (after.Json.GetArrayLength(), after.Json[0].GetProperty("serial").GetString()));
        Assert.NotNull(after.Json[0].GetProperty("revoked").GetString());
        foreach (var args in (string[][])[["list", "meter"], ["revoke", "meter"], ["revoke", "pump-1", "--serial", "ABCD"]])
        {
            Assert.Equal(ExitCodes.NotFound, (await RunAsync(["mqtt", "certificate", .. args])).ExitCode);
        }

        Assert.Equal(ExitCodes.Usage, (await RunAsync("mqtt", "certificate", "revoke")).ExitCode);
        Assert.Equal(ExitCodes.Usage, (await RunAsync("mqtt", "certificate")).ExitCode);
    }

    [Fact]
    public async Task A_user_who_is_called_like_a_command_gets_a_certificate_behind_two_dashes()
    {
        var certs = _folder.PathOf("certs");

        var written = await RunAsync("mqtt", "certificate", "--out", certs, "--", "list");

        Assert.Equal(ExitCodes.Ok, written.ExitCode);
        Assert.Contains("list.crt", Files(certs));
    }

    [Fact]
    public async Task A_cloud_says_that_it_has_no_broker()
    {
        await using var cloud = await CloudSilo.StartAsync();
        foreach (var args in (string[][])[["user", "add", "x"], ["user", "list"], ["user", "remove", "x"], ["certificate", "x", "--out", _folder.PathOf("certs")], ["certificate", "list"], ["certificate", "revoke", "x"]])
        {
            var outcome = await Ctl.RunAsync(["--server", $"127.0.0.1:{cloud.GatewayPort}", "mqtt", .. args], cancellation: TestContext.Current.CancellationToken);

            Assert.Equal(ExitCodes.Failed, outcome.ExitCode);
            Assert.Contains("a cloud has no MQTT broker", Assert.Single(outcome.ErrorLines), StringComparison.Ordinal);
        }
    }

    private async Task<int> AnswerAsync(string answer)
    {
        using var output = new StringWriter();
        using var reader = new StringReader(answer + "\n");
        return await EdgeCtl.RunAsync(
            ["--server", $"127.0.0.1:{_node.GatewayPort}", "mqtt", "user", "remove", "pump-1"],
            new Terminal(output, output, reader, Draws: false, Asks: true),
            cancellation: TestContext.Current.CancellationToken);
    }

    private async Task<bool> CanLogInAsync(string user, string password)
    {
        using var client = await MqttTalk.ConnectAsync(_node.MqttPort, "who", login: new(user, password));
        return client.Code == 0;
    }

    private static string[] Files(string folder) =>
        Directory.Exists(folder) ? [.. Directory.EnumerateFiles(folder).Select(static f => Path.GetFileName(f)).Order(StringComparer.Ordinal)] : [];

    private static Task<string> ReadAsync(string folder, string file) => File.ReadAllTextAsync(Path.Combine(folder, file), TestContext.Current.CancellationToken);

    private Task<Ctl.Outcome> RunAsync(params string[] args) => TypeAsync("", args);

    private Task<Ctl.Outcome> TypeAsync(string input, params string[] args) =>
        Ctl.RunAsync(["--server", $"127.0.0.1:{_node.GatewayPort}", .. args], input, TestContext.Current.CancellationToken);
}
