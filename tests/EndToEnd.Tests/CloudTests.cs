using EdgeOrleans.Joining;

namespace EdgeOrleans.EndToEnd;

public sealed class CloudTests
{
    [Fact]
    public async Task A_cloud_starts_makes_a_token_that_outlives_a_kill_and_stops_as_it_is_asked()
    {
        await using var cloud = new NodeProcess(new NodeSetup { Arguments = ["cloud", $"--modules.cloudHub.https.port={FreePorts.Take()}"] });
        await cloud.StartAsync();

        var token = (await cloud.Console.OutputAsync("token", "create", "--node", "edge-1", "--ttl", "1h")).Trim();
        await cloud.KillAsync();
        await cloud.StartAsync();
        var list = await cloud.Console.OutputAsync("token", "list");

        Assert.True(JoinToken.TryParse(token, out _));
        Assert.Contains("open", list, StringComparison.Ordinal);
        Assert.Equal(200, (await cloud.GetAsync("/readyz")).Status);
        Assert.DoesNotContain(token[65..], cloud.Output.Text + cloud.Error.Text, StringComparison.Ordinal);
        Assert.Equal(0, await cloud.StopAsync());
    }
}
