using EdgeOrleans.Conformance.Golden;
using EdgeOrleans.Conformance.Running;

namespace EdgeOrleans.Conformance;

public sealed class NormalModeTests
{
    private const string CloudUpdated = "/twin/cloud_updated";

    [Fact]
    public async Task A_node_in_normal_mode_differs_about_cloud_updated_alone()
    {
        await using var loneNode = await ProbedNode.StartAsync(cloud: false, compatibility: "normal");
        await using var linkedNode = await ProbedNode.StartAsync(cloud: true, compatibility: "normal");
        await using var lone = await Stage.OpenAsync(loneNode);
        await using var linked = await Stage.OpenAsync(linkedNode);

        foreach (var promised in GoldenCases.Built.Select(c => GoldenCases.Promised(c.Id)).Where(c => !IsCloudUpdated(c)))
        {
            var problems = await (promised.NeedsCloud ? linked : lone).PlayAndClearAsync(promised);
            Assert.True(problems.Count == 0, $"{promised.Title}\n{string.Join('\n', problems)}");
        }

        Assert.NotEmpty(await linked.PlayAndClearAsync(GoldenCases.Promised("C092")));
    }

    private static bool IsCloudUpdated(GoldenCase golden) => golden.In.Any(i => i.Mqtt?.EndsWith(CloudUpdated, StringComparison.Ordinal) == true);
}
