using EdgeOrleans.Conformance.Golden;
using EdgeOrleans.Conformance.Running;

namespace EdgeOrleans.Conformance;

public sealed class RestartTests
{
    private static readonly string[] Kinds = ["C013", "C030", "C039", "C060", "C071", "C073", "C077", "C079", "C080", "C092"];

    [Fact]
    public async Task What_a_case_left_is_there_after_a_restart()
    {
        var since = DateTimeOffset.FromUnixTimeMilliseconds(TimeProvider.System.GetUtcNow().ToUnixTimeMilliseconds());
        await using var node = await ProbedNode.StartAsync(cloud: false);
        await using (var before = await Stage.OpenAsync(node))
        {
            foreach (var (promised, device) in Promises(node.Name))
            {
                await before.PlayAsync(promised, device);
            }
        }

        await node.RestartAsync();

        await using var after = await Stage.OpenAsync(node);
        foreach (var (promised, _) in Promises(node.Name))
        {
            var problems = await after.StateProblemsAsync(promised, since);
            Assert.True(problems.Count == 0, $"{promised.Title}\n{string.Join('\n', problems)}");
        }
    }

    private static IEnumerable<(GoldenCase Promised, string Device)> Promises(string node) =>
        from id in Kinds
        let promised = GoldenCases.Promised(id)
        select (promised.For(promised.DeviceOfItsOwn, node), promised.DeviceOfItsOwn);
}
