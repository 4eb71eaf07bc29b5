using EdgeOrleans.Conformance.Golden;
using EdgeOrleans.Conformance.Running;

namespace EdgeOrleans.Conformance;

/// <summary>Do we keep KubeEdge's promises? One row for each golden case.</summary>
public sealed class GoldenCaseTests(Stages stages) : IClassFixture<Stages>
{
    public static IEnumerable<TheoryDataRow<string>> Cases() => GoldenCases.All.Select(golden => new TheoryDataRow<string>(golden.Id)
    {
        TestDisplayName = golden.Title,
        Skip = GoldenCases.Deviations.Missing(golden.Id)?.Reason,
    });

    [Theory, MemberData(nameof(Cases))]
    public Task Each_case_is_as_promised(string id)
    {
        var golden = GoldenCases.All.Single(c => c.Id == id);
        var promised = GoldenCases.Deviations.Of(id)?.Apply(golden) ?? golden;
        return PlayAsync(promised, promised.CloudUp || promised.Hub.Count > 0 ? stages.Linked : stages.Lone);
    }

    [Fact]
    public Task A_node_without_a_cloud_keeps_nothing_for_one() => PlayAsync(GoldenCases.All.Single(c => c.Id == "C090"), stages.Lone);

    private static async Task PlayAsync(GoldenCase promised, Stage stage)
    {
        var device = $"{GoldenCases.DeviceName}-{promised.Id.ToLowerInvariant()}";
        try
        {
            var problems = await stage.PlayAsync(promised.For(device, stage.NodeName), device);
            Assert.True(problems.Count == 0, $"{promised.Title}\n{string.Join('\n', problems)}");
        }
        finally
        {
            await stage.ClearAsync();
        }
    }
}
