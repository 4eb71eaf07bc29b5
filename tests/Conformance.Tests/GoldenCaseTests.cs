using EdgeOrleans.Conformance.Golden;
using EdgeOrleans.Conformance.Running;

namespace EdgeOrleans.Conformance;

/// <summary>Do we keep KubeEdge's promises? One row for each golden case.</summary>
public sealed class GoldenCaseTests(Stages stages) : IClassFixture<Stages>
{
    public static IEnumerable<TheoryDataRow<string>> Cases() => Rows("");

    public static IEnumerable<TheoryDataRow<string>> CasesOverMqtt5() => Rows(" (MQTT 5)");

    [Theory, MemberData(nameof(Cases))]
    public Task Each_case_is_as_promised(string id) => KeepsAsync(id, overMqtt5: false);

    [Theory, MemberData(nameof(CasesOverMqtt5))]
    public Task Each_case_is_as_promised_to_a_client_of_MQTT_5(string id) => KeepsAsync(id, overMqtt5: true);

    [Fact]
    public async Task A_client_that_names_devices_without_a_namespace_is_answered_as_it_asks()
    {
        foreach (var promised in GoldenCases.Built.Select(c => GoldenCases.Promised(c.Id)).Where(c => c.In[^1].Mqtt?.StartsWith("D/", StringComparison.Ordinal) == true))
        {
            var problems = await StageOf(promised).PlayAndClearAsync(promised, withoutNamespace: true);
            Assert.True(problems.Count == 0, $"{promised.Title}\n{string.Join('\n', problems)}");
        }
    }

    [Fact]
    public Task A_node_without_a_cloud_keeps_nothing_for_one() => KeepsAsync(GoldenCases.Of("C090"), stages.Lone);

    [Fact]
    public async Task A_broken_promise_is_noticed()
    {
        var kept = GoldenCases.Promised("C087");
        Assert.Empty(await stages.Linked.PlayAndClearAsync(kept));

        await NoticesAsync("out 3: should not be there", kept with { Out = [.. kept.Out.SkipLast(1)] });
        await NoticesAsync("out 1: topic should be", kept with { Out = [.. kept.Out.Reverse()] });
        await NoticesAsync("hub 1: should not be there", kept with { Hub = [] });
        await NoticesAsync("state: default/ts1-c087 has twin temp", kept with { State = GoldenCases.Promised("C061").State });
        await NoticesAsync("hub 1: should not be there", GoldenCases.Promised("C105") with { Hub = [] });
        await NoticesAsync("state: sub_topics has x/+/data", GoldenCases.Promised("C109") with { Subscriptions = [] });
    }

    private async Task NoticesAsync(string problem, GoldenCase broken) =>
        Assert.Contains(await stages.Linked.PlayAndClearAsync(broken), p => p.StartsWith(problem, StringComparison.Ordinal));

    private static IEnumerable<TheoryDataRow<string>> Rows(string how) => GoldenCases.All.Select(golden => new TheoryDataRow<string>(golden.Id)
    {
        TestDisplayName = golden.Title + how,
        Skip = GoldenCases.Deviations.Missing(golden.Id)?.Reason,
    });

    private Stage StageOf(GoldenCase promised) => promised.NeedsCloud ? stages.Linked : stages.Lone;

    private Task KeepsAsync(string id, bool overMqtt5) => KeepsAsync(GoldenCases.Promised(id), StageOf(GoldenCases.Promised(id)), overMqtt5);

    private static async Task KeepsAsync(GoldenCase promised, Stage stage, bool overMqtt5 = false)
    {
        var problems = await stage.PlayAndClearAsync(promised, overMqtt5);
        Assert.True(problems.Count == 0, $"{promised.Title}\n{string.Join('\n', problems)}");
    }
}
