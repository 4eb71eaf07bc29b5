using EdgeOrleans.Joining;
using EdgeOrleans.TestKit;

namespace EdgeOrleans.Client;

public sealed class CloudCommandTests : IAsyncLifetime
{
    private CloudSilo _cloud = null!;

    public async ValueTask InitializeAsync()
    {
        _cloud = await CloudSilo.StartAsync();

        // The first connection of a process compiles half of Orleans, and the console's patience is short: that one is nobody's test.
        await RunAsync("version");
    }

    public ValueTask DisposeAsync() => _cloud.DisposeAsync();

    [Fact]
    public async Task A_cloud_answers_the_console_as_a_node_does()
    {
        var modules = await RunAsync("get", "modules", "-o", "json");
        var version = await RunAsync("version");

        Assert.Equal(["dbManager", "cloudHub", "deviceController", "edgeController", "router"], modules.Json.EnumerateArray().Select(m => m.GetProperty("name").GetString()));
        Assert.Contains("node: ", version.Out, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_token_is_printed_alone_listed_without_its_text_and_revoked()
    {
        var made = await RunAsync("token", "create", "--node", "edge-1", "--ttl", "2h");
        var list = await RunAsync("token", "list", "-o", "json");
        var id = list.Json[0].GetProperty("id").GetString()!;
        var revoked = await RunAsync("token", "revoke", id);
        var after = await RunAsync("token", "list");

        Assert.Equal((0, ""), (made.ExitCode, made.Error));
        Assert.True(JoinToken.TryParse(Assert.Single(made.Lines), out var token));
        Assert.DoesNotContain(token.Bearer, list.Out, StringComparison.Ordinal);
        Assert.Equal(("edge-1", "open"), (list.Json[0].GetProperty("node").GetString(), list.Json[0].GetProperty("state").GetString()));
        Assert.Equal($"token/{id} revoked", Assert.Single(revoked.Lines));
        Assert.StartsWith($"{id} edge-1 - revoked 0/1", after.Lines[1], StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_is_not_there_or_not_possible_is_said_with_its_exit_code()
    {
        var noToken = await RunAsync("token", "revoke", "nothing");
        var noCertificate = await RunAsync("node", "revoke", "edge-9");
        var badName = await RunAsync("token", "create", "--node", "Edge_1");
        var nobody = await RunAsync("token", "create");

        Assert.Equal((ExitCodes.NotFound, "error: there is no token 'nothing'"), (noToken.ExitCode, Assert.Single(noToken.ErrorLines)));
        Assert.Equal(ExitCodes.NotFound, noCertificate.ExitCode);
        Assert.Equal(ExitCodes.Failed, badName.ExitCode);
        Assert.Equal(ExitCodes.Usage, nobody.ExitCode);
    }

    [Fact]
    public async Task A_node_that_is_asked_for_what_the_cloud_has_says_so()
    {
        await using var node = await EdgeNode.StartAsync();

        var outcome = await Ctl.RunAsync(["token", "list", "--server", $"127.0.0.1:{node.GatewayPort}"], cancellation: TestContext.Current.CancellationToken);

        Assert.Contains("this is a node, and that is asked of the cloud", Assert.Single(outcome.ErrorLines), StringComparison.Ordinal);
    }

    private Task<Ctl.Outcome> RunAsync(params string[] args) =>
        Ctl.RunAsync([.. args, "--server", $"127.0.0.1:{_cloud.GatewayPort}"], cancellation: TestContext.Current.CancellationToken);
}
