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
    public Task Each_case_is_as_promised(string id) => KeepsAsync(Promised(id), StageOf(id));

    [Theory, MemberData(nameof(Cases))]
    public Task Each_case_is_as_promised_to_a_client_of_MQTT_5(string id) => KeepsAsync(Promised(id), StageOf(id), overMqtt5: true);

    [Fact]
    public Task A_node_without_a_cloud_keeps_nothing_for_one() => KeepsAsync(GoldenCases.Of("C090"), stages.Lone);

    [Fact]
    public async Task A_broken_promise_is_noticed()
    {
        var kept = Promised("C087");
        Assert.Empty(await ProblemsAsync(kept, stages.Linked));

        Assert.Contains(await ProblemsAsync(kept with { Out = [.. kept.Out.SkipLast(1)] }, stages.Linked), p => p.StartsWith("out 3: should not", StringComparison.Ordinal));
        Assert.Contains(await ProblemsAsync(kept with { Out = [.. kept.Out.Reverse()] }, stages.Linked), p => p.StartsWith("out 1: topic", StringComparison.Ordinal));
        Assert.Contains(await ProblemsAsync(kept with { Hub = [] }, stages.Linked), p => p.StartsWith("hub 1: should not", StringComparison.Ordinal));
        Assert.Contains(await ProblemsAsync(kept with { State = Promised("C061").State }, stages.Linked), p => p.StartsWith("state: ", StringComparison.Ordinal));
    }

    private static GoldenCase Promised(string id) => GoldenCases.Deviations.Of(id)?.Apply(GoldenCases.Of(id)) ?? GoldenCases.Of(id);

    private Stage StageOf(string id) => Promised(id) is { CloudUp: true } or { Hub.Count: > 0 } ? stages.Linked : stages.Lone;

    private static async Task KeepsAsync(GoldenCase promised, Stage stage, bool overMqtt5 = false)
    {
        var problems = await ProblemsAsync(promised, stage, overMqtt5);
        Assert.True(problems.Count == 0, $"{promised.Title}\n{string.Join('\n', problems)}");
    }

    private static async Task<IReadOnlyList<string>> ProblemsAsync(GoldenCase promised, Stage stage, bool overMqtt5 = false)
    {
        var device = $"{GoldenCases.DeviceName}-{promised.Id.ToLowerInvariant()}";
        try
        {
            return await stage.PlayAsync(promised.For(device, stage.NodeName), device, overMqtt5);
        }
        finally
        {
            await stage.ClearAsync();
        }
    }
}
