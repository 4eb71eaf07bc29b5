using System.Collections.Concurrent;
using System.Security.Cryptography.X509Certificates;
using EdgeOrleans.Edge.EventBus.Access;
using EdgeOrleans.Mqtt;
using EdgeOrleans.TestKit;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace EdgeOrleans.Edge.EventBus;

/// <summary>An operator says who may connect.</summary>
public sealed class MqttUsersGrainTests : IDisposable
{
    private const int BadUserNameOrPassword = 0x86;
    private const int NotAuthorized = 0x87;

    private readonly TempFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task A_user_without_a_password_gets_one_of_128_bits_and_comes_in_with_it()
    {
        await using var node = await StartAsync();

        var added = await Users(node).SetAsync(new MqttUserRequest { Name = "default/pump-1" });

        Assert.Equal(("default/pump-1", true), (added.Name, added.IsNew));
        Assert.Matches("^[A-Za-z0-9_-]{22}$", added.Password);
        using var pump = await ConnectAsync(node, "default/pump-1", added.Password!);
        Assert.Equal(0, pump.Code);
        using var wrong = await ConnectAsync(node, "default/pump-1", added.Password![..^1]);
        Assert.Equal(BadUserNameOrPassword, wrong.Code);
    }

    [Fact]
    public async Task A_password_that_is_given_is_not_said_again_and_the_node_keeps_its_hash_alone()
    {
        await using var node = await StartAsync();

        var added = await Users(node).SetAsync(new MqttUserRequest { Name = "pump-1", Password = "zwölf Monde" });

        Assert.Null(added.Password);
        using var pump = await ConnectAsync(node, "pump-1", "zwölf Monde");
        Assert.Equal(0, pump.Code);
        var file = await File.ReadAllTextAsync(_folder.PathOf("users"), TestContext.Current.CancellationToken);
        Assert.StartsWith("pump-1:$7$", file, StringComparison.Ordinal);
        Assert.DoesNotContain("Monde", file, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_new_password_ends_the_old_one_and_what_came_with_it()
    {
        await using var node = await StartAsync();
        var first = await Users(node).SetAsync(new MqttUserRequest { Name = "pump-1" });
        using var pump = await ConnectAsync(node, "pump-1", first.Password!);

        var second = await Users(node).SetAsync(new MqttUserRequest { Name = "pump-1" });

        Assert.False(second.IsNew);
        Assert.NotEqual(first.Password, second.Password);
        Assert.Equal(NotAuthorized, await pump.EndedAsync());
        using var old = await ConnectAsync(node, "pump-1", first.Password!);
        using var now = await ConnectAsync(node, "pump-1", second.Password!, id: "again");
        Assert.Equal((BadUserNameOrPassword, 0), (old.Code, now.Code));
    }

    [Fact]
    public async Task A_user_that_is_removed_says_how_many_connections_end_and_they_do()
    {
        await using var node = await StartAsync();
        var users = Users(node);
        await users.SetAsync(new MqttUserRequest { Name = "pump-1", Password = "p" });
        await users.SetAsync(new MqttUserRequest { Name = "pump-2", Password = "p" });
        using var one = await ConnectAsync(node, "pump-1", "p", id: "one");
        using var two = await ConnectAsync(node, "pump-1", "p", id: "two");
        using var other = await ConnectAsync(node, "pump-2", "p", id: "other");

        var removal = await users.RemoveAsync("pump-1");

        Assert.Equal(2, removal.Connections);
        Assert.Equal((NotAuthorized, NotAuthorized), (await one.EndedAsync(), await two.EndedAsync()));
        await other.PingAsync();
        Assert.Equal(["pump-2"], (await users.ListAsync(new MqttQuery())).Page.Items);
        var gone = await Assert.ThrowsAsync<RefusedException>(() => users.RemoveAsync("pump-1"));
        Assert.Equal((404, "there is no MQTT user 'pump-1'"), (gone.Code, gone.Message));
    }

    [Fact]
    public async Task Users_are_listed_in_pages_in_the_order_of_their_names()
    {
        _folder.Write("users", string.Concat(Enumerable.Range(0, 25).Reverse().Select(i => $"u{i:D2}:{Hash}\n")));
        await using var node = await StartAsync();

        var first = (await Users(node).ListAsync(new MqttQuery { Count = 20 })).Page;
        var second = (await Users(node).ListAsync(new MqttQuery { Count = 20, After = first.Items[^1] })).Page;
        var some = (await Users(node).ListAsync(new MqttQuery { Name = "u*3" })).Page;

        Assert.Equal((20, true, 5, false), (first.Items.Length, first.More, second.Items.Length, second.More));
        Assert.Equal(Enumerable.Range(0, 25).Select(i => $"u{i:D2}"), first.Items.Concat(second.Items));
        Assert.Equal(["u03", "u13", "u23"], some.Items);
        foreach (var count in (int[])[0, MqttQuery.MaxCount + 1])
        {
            Assert.Equal(400, (await Assert.ThrowsAsync<RefusedException>(() => Users(node).ListAsync(new MqttQuery { Count = count }))).Code);
        }
    }

    [Theory]
    [InlineData(false, false, MqttRuleSource.None)]
    [InlineData(true, false, MqttRuleSource.Defaults)]
    [InlineData(true, true, MqttRuleSource.File)]
    [InlineData(false, true, MqttRuleSource.File)]
    public async Task A_list_says_whether_there_is_a_file_of_users_and_whose_rules_are_in_force(bool hasUsers, bool hasRules, MqttRuleSource source)
    {
        var settings = new Dictionary<string, string>();
        if (hasUsers)
        {
            settings["modules.eventBus.mqttUserFile"] = _folder.PathOf("users");
        }

        if (hasRules)
        {
            settings["modules.eventBus.mqttAclFile"] = _folder.Write("rules", "topic read #\n");
        }

        await using var node = await EdgeNode.StartAsync(settings);

        var users = await Users(node).ListAsync(new MqttQuery());

        Assert.Equal((hasUsers, source, (string?)null, (string?)null), (users.HasFile, users.Rules, users.UsersError, users.RulesError));
    }

    [Fact]
    public async Task Files_that_were_broken_are_told_of_with_their_line_and_a_user_cannot_be_changed_until_then()
    {
        _folder.Write("users", $"pump-1:{Hash}\n");
        _folder.Write("rules", "topic read #\n");
        await using var node = await StartAsync(("modules.eventBus.mqttAclFile", _folder.PathOf("rules")));
        _folder.Write("users", "pump-1:in plain words\n");
        _folder.Write("rules", "topic read #\ntopic\n");
        node.Services.GetRequiredService<AccessFiles>().Check();

        var users = await Users(node).ListAsync(new MqttQuery());
        var refused = await Assert.ThrowsAsync<RefusedException>(() => Users(node).SetAsync(new MqttUserRequest { Name = "pump-2" }));

        Assert.Equal(["pump-1"], users.Page.Items);
        Assert.Equal(MqttRuleSource.File, users.Rules);
        Assert.Contains("users, line 1: ", users.UsersError, StringComparison.Ordinal);
        Assert.DoesNotContain("plain words", users.UsersError, StringComparison.Ordinal);
        Assert.Contains("rules, line 2: ", users.RulesError, StringComparison.Ordinal);
        Assert.Equal((503, users.UsersError), (refused.Code, refused.Message));
    }

    [Theory]
    [InlineData("", "p", "characters")]
    [InlineData("a:b", "p", "':'")]
    [InlineData("a/b/c", "p", "namespace/name")]
    [InlineData("pump-1", "", "1 to 65,535 bytes")]
    public async Task A_name_or_a_password_that_is_none_is_refused_with_what_would_be_right(string name, string password, string said)
    {
        await using var node = await StartAsync();

        var refused = await Assert.ThrowsAsync<RefusedException>(() => Users(node).SetAsync(new MqttUserRequest { Name = name, Password = password }));

        Assert.Equal(400, refused.Code);
        Assert.Contains(said, refused.Message, StringComparison.Ordinal);
        Assert.Empty((await Users(node).ListAsync(new MqttQuery())).Page.Items);
    }

    [Fact]
    public async Task A_node_without_a_file_of_users_or_without_TLS_says_what_to_set()
    {
        await using var node = await EdgeNode.StartAsync();

        foreach (var (ask, said) in ((Func<Task>, string)[])
        [
            (() => Users(node).SetAsync(new MqttUserRequest { Name = "pump-1" }), "no file of MQTT users"),
            (() => Users(node).RemoveAsync("pump-1"), "no file of MQTT users"),
            (() => Users(node).IssueCertificateAsync("pump-1", TimeSpan.FromDays(1)), "modules.eventBus.mqttServerTls"),
        ])
        {
            var refused = await Assert.ThrowsAsync<RefusedException>(ask);
            Assert.Equal(409, refused.Code);
            Assert.Contains(said, refused.Message, StringComparison.Ordinal);
        }
    }

    [Theory]
    [InlineData("modules.eventBus.enable", "false", "modules.eventBus.enable is false")]
    [InlineData("modules.eventBus.mqttMode", "2", "its broker is outside")]
    public async Task A_node_that_serves_no_clients_has_no_users(string key, string value, string said)
    {
        await using var node = await StartAsync((key, value), ("modules.eventBus.mqttServerExternal", "tcp://127.0.0.1:9"));

        foreach (var ask in (Func<Task>[])
        [
            () => Users(node).ListAsync(new MqttQuery()),
            () => Users(node).SetAsync(new MqttUserRequest { Name = "pump-1" }),
            () => Users(node).RemoveAsync("pump-1"),
            () => Users(node).IssueCertificateAsync("pump-1", TimeSpan.FromDays(1)),
        ])
        {
            var refused = await Assert.ThrowsAsync<RefusedException>(ask);
            Assert.Equal(409, refused.Code);
            Assert.Contains(said, refused.Message, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task A_certificate_bears_the_users_name_is_made_for_its_key_and_by_the_nodes_authority()
    {
        await using var node = await StartAsync(("modules.eventBus.mqttServerTls", "ssl://127.0.0.1:0"));

        var made = await Users(node).IssueCertificateAsync("shop/till-1", TimeSpan.FromDays(30));

        using var certificate = X509Certificate2.CreateFromPem(made.CertificatePem, made.KeyPem);
        using var authority = X509Certificate2.CreateFromPem(made.CaPem);
        Assert.True(CertificateNames.TryRead(certificate, "", out var user, out _));
        Assert.Equal(("shop/till-1", true, true), (user, certificate.HasPrivateKey, made.IsBrokers));
        Assert.InRange(made.NotAfter, DateTimeOffset.UtcNow.AddDays(29), DateTimeOffset.UtcNow.AddDays(31));
        using var chain = new X509Chain { ChainPolicy = { TrustMode = X509ChainTrustMode.CustomRootTrust, RevocationMode = X509RevocationMode.NoCheck } };
        chain.ChainPolicy.CustomTrustStore.Add(authority);
        Assert.True(chain.Build(certificate));
        foreach (var (name, lifetime) in ((string, TimeSpan)[])[("a:b", TimeSpan.FromDays(1)), ("pump-1", TimeSpan.Zero), ("pump-1", TimeSpan.FromDays(36_500))])
        {
            Assert.Equal(400, (await Assert.ThrowsAsync<RefusedException>(() => Users(node).IssueCertificateAsync(name, lifetime))).Code);
        }
    }

    [Fact]
    public void What_bears_a_secret_has_no_text_of_its_own()
    {
        Assert.Equal("pump-1", new MqttUserRequest { Name = "pump-1", Password = "secret" }.ToString());
        Assert.Equal("pump-1", new MqttUserChange { Name = "pump-1", IsNew = true, Password = "secret" }.ToString());
        Assert.DoesNotContain("secret", new MqttCertificate { CertificatePem = "a", KeyPem = "secret", CaPem = "b" }.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task No_secret_gets_into_a_log_or_into_the_text_of_a_call()
    {
        using var log = new Everything();
        await using var node = await StartAsync(
            silo =>
            {
                silo.Services.AddSingleton<ILoggerProvider>(log);
                silo.AddIncomingGrainCallFilter(async call =>
                {
                    log.Lines.Enqueue($"{call.Request}");
                    await call.Invoke();
                    log.Lines.Enqueue($"{call.Response}");
                });
            },
            ("modules.eventBus.mqttServerTls", "ssl://127.0.0.1:0"));

        var made = await Users(node).SetAsync(new MqttUserRequest { Name = "of-the-node" });
        await Users(node).SetAsync(new MqttUserRequest { Name = "of-the-operator", Password = "swordfish" });
        await Assert.ThrowsAsync<RefusedException>(() => Users(node).SetAsync(new MqttUserRequest { Name = "a:b", Password = "swordfish" }));
        var certificate = await Users(node).IssueCertificateAsync("pump-1", TimeSpan.FromDays(1));

        Assert.Contains(log.Lines, static line => line.Contains("of-the-operator", StringComparison.Ordinal));
        foreach (var secret in (string[])[made.Password!, "swordfish", certificate.KeyPem.Split('\n')[1]])
        {
            Assert.DoesNotContain(log.Lines, line => line.Contains(secret, StringComparison.Ordinal));
        }
    }

    private static string Hash { get; } = PasswordHash.Of("p"u8, iterations: 1).ToLine();

    private static IMqttUsersGrain Users(EdgeNode node) => node.Grains.GetGrain<IMqttUsersGrain>(IMqttUsersGrain.Key);

    private Task<EdgeNode> StartAsync(params (string Key, string Value)[] settings) => StartAsync(null, settings);

    private Task<EdgeNode> StartAsync(Action<ISiloBuilder>? add, params (string Key, string Value)[] settings) => EdgeNode.StartAsync(
        settings.Append(("modules.eventBus.mqttUserFile", _folder.PathOf("users"))).ToDictionary(static s => s.Item1, static s => s.Item2), add);

    private static Task<MqttTalk> ConnectAsync(EdgeNode node, string user, string password, string id = "a") =>
        MqttTalk.ConnectAsync(node.MqttPort, id, login: new(user, password));

    /// <summary>All that is logged, whatever its level.</summary>
    private sealed class Everything : ILoggerProvider, ILogger
    {
        public ConcurrentQueue<string> Lines { get; } = new();

        public ILogger CreateLogger(string categoryName) => this;

        public void Dispose()
        {
        }

        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) =>
            Lines.Enqueue($"{formatter(state, exception)} {exception}");
    }
}
