using EdgeOrleans.Conformance.Golden;

namespace EdgeOrleans.Conformance;

public sealed class ConformanceTableTests
{
    private const string Rewrite = "EDGEORLEANS_REWRITE_DOCS";

    [Fact]
    public void No_golden_case_was_lost() =>
        Assert.Equal(Enumerable.Range(1, 111).Select(n => $"C{n:000}"), GoldenCases.All.Select(c => c.Id));

    [Fact]
    public void A_contract_is_deviated_from_only_to_go_further() =>
        Assert.Equal(["C090"], GoldenCases.All.Where(c => c.Class == 'F' && GoldenCases.Deviations.Of(c.Id) is not null).Select(c => c.Id));

    [Fact]
    public void Each_deviation_and_each_gap_is_of_a_case_that_there_is()
    {
        var deviations = GoldenCases.Deviations;
        var named = deviations.Cases.Select(d => d.Case).Concat(deviations.NotYet.SelectMany(n => n.Cases)).ToList();

        Assert.Equal(named.Distinct(), named);
        Assert.Subset(GoldenCases.All.Select(c => c.Id).ToHashSet(), named.ToHashSet());
    }

    [Fact]
    public void The_page_about_conformance_says_what_the_cases_say()
    {
        var page = Path.Combine(House.Root, "docs", "conformance.md");
        var text = ConformancePage.Write();
        if (Environment.GetEnvironmentVariable(Rewrite) == "1")
        {
            File.WriteAllText(page, text);
        }

        Assert.True(File.ReadAllText(page) == text, $"docs/conformance.md is behind the cases; run this test with {Rewrite}=1 to write it anew");
    }
}
