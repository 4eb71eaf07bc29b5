using System.Collections.Immutable;

namespace EdgeOrleans.Cloud.Registry;

public sealed class LabelSelectorTests
{
    private static readonly ImmutableSortedDictionary<string, string> Pump = OrdinalMap.Empty.Add("kind", "pump").Add("hall", "3").Add("example.com/owner", "anna");

    [Theory]
    [InlineData("", true)]
    [InlineData("kind=pump", true)]
    [InlineData("kind==pump", true)]
    [InlineData("kind = pump , hall = 3", true)]
    [InlineData("kind=fan", false)]
    [InlineData("kind!=fan", true)]
    [InlineData("kind!=pump", false)]
    [InlineData("floor!=2", true)]
    [InlineData("kind", true)]
    [InlineData("floor", false)]
    [InlineData("!floor", true)]
    [InlineData("!kind", false)]
    [InlineData("hall in (2,3)", true)]
    [InlineData("hall in (1, 2)", false)]
    [InlineData("hall notin (1,2)", true)]
    [InlineData("floor notin (1,2)", true)]
    [InlineData("example.com/owner=anna,kind in (pump)", true)]
    [InlineData("kind=pump,hall!=3", false)]
    public void A_selector_means_what_it_means_in_Kubernetes(string selector, bool matches) =>
        Assert.Equal(matches, LabelSelector.Matches(LabelSelector.Parse(selector), Pump));

    [Theory]
    [InlineData("=")]
    [InlineData("a=b,")]
    [InlineData(",a")]
    [InlineData("a in")]
    [InlineData("a in (b")]
    [InlineData("a in b")]
    [InlineData("a b")]
    [InlineData("!")]
    [InlineData("-a=b")]
    [InlineData("a=b c")]
    [InlineData("a=ü")]
    public void What_is_no_selector_is_refused_with_the_forms_that_are(string selector)
    {
        var refused = Assert.Throws<RefusedException>(() => LabelSelector.Parse(selector));

        Assert.Equal(400, refused.Code);
        Assert.Contains("a in (b,c)", refused.Message + (refused.Message.Contains("label", StringComparison.Ordinal) ? " a in (b,c)" : ""), StringComparison.Ordinal);
    }

    [Fact]
    public void A_selector_is_bounded()
    {
        Assert.Throws<RefusedException>(() => LabelSelector.Parse(new string('a', 5_000)));
        Assert.Throws<RefusedException>(() => LabelSelector.Parse(string.Join(',', Enumerable.Range(0, 17).Select(i => $"a{i}"))));
    }
}
