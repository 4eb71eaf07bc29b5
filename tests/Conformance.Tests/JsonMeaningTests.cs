using System.Text.Json;
using EdgeOrleans.Conformance.Golden;

namespace EdgeOrleans.Conformance;

public sealed class JsonMeaningTests
{
    private static readonly DateTimeOffset Start = DateTimeOffset.FromUnixTimeMilliseconds(1_700_000_000_000);
    private static readonly JsonMeaning Meaning = new(Start, Start.AddSeconds(5));

    [Theory]
    [InlineData("""{"a":1,"b":[true,null]}""", """{ "b":[true,null], "a":1.0 }""")]
    [InlineData("""{"t":"$T"}""", """{"t":1700000001000}""")]
    [InlineData("""{"z":"$Z"}""", """{"z":"2023-11-14T22:13:22Z"}""")]
    [InlineData("""{"u":"$U"}""", """{"u":"784ba8fe-6e40-439d-9201-1dc81544eb8a"}""")]
    [InlineData("""{"r":"it failed: …"}""", """{"r":"it failed: at byte 3"}""")]
    public void What_means_the_same_is_the_same(string wanted, string got) => Assert.Null(Difference(wanted, got));

    [Theory]
    [InlineData("""{"a":1}""", """{"a":1,"b":2}""", "$.b")]
    [InlineData("""{"a":1,"b":2}""", """{"a":1}""", "$.b")]
    [InlineData("""{"a":"1"}""", """{"a":1}""", "$.a")]
    [InlineData("""{"a":null}""", """{"a":{}}""", "$.a")]
    [InlineData("""{"a":[1,2]}""", """{"a":[2,1]}""", "$.a[0]")]
    [InlineData("""{"t":"$T"}""", """{"t":77}""", "$.t")]
    [InlineData("""{"t":"$T"}""", """{"t":"$T"}""", "$.t")]
    [InlineData("""{"z":"$Z"}""", """{"z":"2023-11-14 22:13:22"}""", "$.z")]
    [InlineData("""{"u":"$U"}""", """{"u":""}""", "$.u")]
    [InlineData("""{"r":"it failed: …"}""", """{"r":"it works"}""", "$.r")]
    public void What_differs_is_named(string wanted, string got, string where) =>
        Assert.StartsWith(where, Difference(wanted, got), StringComparison.Ordinal);

    private static string? Difference(string wanted, string got) =>
        Meaning.Difference(JsonDocument.Parse(wanted).RootElement, JsonDocument.Parse(got).RootElement);
}
