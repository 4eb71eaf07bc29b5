using System.Text;
using EdgeOrleans.Conformance.Golden;

namespace EdgeOrleans.Conformance;

/// <summary>The text of <c>docs/conformance.md</c>, made of the golden cases.</summary>
internal static class ConformancePage
{
    public static string Write()
    {
        var deviations = GoldenCases.Deviations;
        var page = new StringBuilder();
        page.Append($"""
            # Conformance

            {GoldenCases.All.Count} cases say what KubeEdge v1.22.1 does on the MQTT side of a node. `tests/Conformance.Tests` plays each of them on a running
            node, over MQTT 3.1.1 and over MQTT 5, and compares what clients hear, what goes up to the cloud and what is stored. The cases are in
            `tests/Conformance.Tests/Cases`; this page is made of them, and a test keeps it true.

            They are played with `modules.deviceTwin.compatibility: strict` and `unknownDevices: refuse`. In the default mode, `normal`, all but those of
            `twin/cloud_updated` come out the same: there a client cannot speak for the cloud.

            | subject | cases | as KubeEdge | different on purpose | not yet |
            |---|---|---|---|---|

            """);
        foreach (var file in GoldenCases.Files)
        {
            page.Append(Row(file.About, file.Cases));
        }

        page.Append(Row("**all**", GoldenCases.All));
        page.Append("\n## Different on purpose\n\nIn every case:\n\n");
        foreach (var general in deviations.Everywhere)
        {
            page.Append($"- {general.What} {general.Reason}\n");
        }

        page.Append("\nIn single cases (F contract, Q quirk, B misbehaviour, C old clients):\n\n| cases | here | why |\n|---|---|---|\n");
        foreach (var alike in deviations.Cases.GroupBy(d => (d.What, d.Reason)))
        {
            page.Append($"| {string.Join(", ", alike.Select(Name))} | {Cell(alike.Key.What)} | {Cell(alike.Key.Reason)} |\n");
        }

        if (deviations.NotYet.Count > 0)
        {
            page.Append("\n## Not yet\n\n");
        }

        foreach (var gap in deviations.NotYet)
        {
            page.Append($"- {string.Join(", ", gap.Cases)}: {gap.Reason}\n");
        }

        return page.ToString();
    }

    private static string Row(string about, IReadOnlyList<GoldenCase> cases)
    {
        var missing = cases.Count(c => GoldenCases.Deviations.Missing(c.Id) is not null);
        var different = cases.Count(c => GoldenCases.Deviations.Of(c.Id) is not null);
        return $"| {about} | {cases.Count} | {cases.Count - different - missing} | {different} | {missing} |\n";
    }

    private static string Name(Deviation deviation) => $"{deviation.Case} {GoldenCases.Of(deviation.Case).Class}";

    private static string Cell(string text) => text.Replace("|", "\\|", StringComparison.Ordinal);
}
