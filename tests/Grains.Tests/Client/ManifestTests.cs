using EdgeOrleans.Client.Manifests;

namespace EdgeOrleans.Client;

public sealed class ManifestTests
{
    [Theory]
    [InlineData("a: 25", """{"a":25}""")]
    [InlineData("a: \"25\"", """{"a":"25"}""")]
    [InlineData("a: on", """{"a":"on"}""")]
    [InlineData("a: !!str 25", """{"a":"25"}""")]
    [InlineData("a: [1.50, -3, .5, +7, 1e3, 007]", """{"a":[1.50,-3,0.5,7,1e3,7]}""")]
    [InlineData("a: {b: true, c: ~, d: }", """{"a":{"b":true,"c":null,"d":null}}""")]
    [InlineData("a: |\n  x\n  y", """{"a":"x\ny"}""")]
    [InlineData("a: &x {b: 1}\nc: *x", """{"a":{"b":1},"c":{"b":1}}""")]
    [InlineData("a: &x [&y 1, *y]\nc: *x\nd: *y", """{"a":[1,1],"c":[1,1],"d":1}""")]
    [InlineData("""{"a": {"b": "grün <x>"}}""", """{"a":{"b":"grün <x>"}}""")]
    public void Yaml_becomes_json_by_the_core_schema(string yaml, string json)
    {
        var set = ManifestReader.Read("x.yaml", yaml);

        Assert.Empty(set.Errors);
        Assert.Equal(json, Assert.Single(set.Manifests).Json);
    }

    [Fact]
    public void Every_document_knows_where_it_begins_and_what_it_is()
    {
        var set = ManifestReader.Read("pump.yaml", """
            # the first one
            kind: Device
            metadata: {name: b, namespace: plant}
            ---
            ---
            # a comment
            kind: DeviceModel
            metadata: {name: a}
            """);

        Assert.Equal([("pump.yaml:2", "device/plant/b"), ("pump.yaml:7", "devicemodel/default/a")], set.Manifests.Select(m => (m.Origin, m.Resource)));
    }

    [Fact]
    public void The_items_of_a_list_are_resources_of_their_own()
    {
        var set = ManifestReader.Read("x", "kind: DeviceList\nitems: [{kind: Device, metadata: {name: a}}, {kind: Device, metadata: {name: b}}]");

        Assert.Equal(["device/default/a", "device/default/b"], set.Manifests.Select(m => m.Resource));
    }

    [Theory]
    [InlineData("spec.properties[1].type: 'INTEGER' is not known", 7)]
    [InlineData("spec.properties[1].name: missing", 6)]
    [InlineData("spec.properties[0]: it is an object with fields", 5)]
    [InlineData("metadata.labels.a.b/c has no effect on this node", 3)]
    [InlineData("spec.protocol has no effect on this node", 4)]
    [InlineData("kind: missing", 1)]
    [InlineData("another object has this name", 1)]
    public void A_nodes_sentence_is_found_in_the_file(string sentence, int line)
    {
        var set = ManifestReader.Read("x.yaml", "kind: Device\nmetadata:\n  labels: {a.b/c: d}\nspec:\n  properties: [{name: a},\n    {\n     type: INTEGER}]\n");

        Assert.Equal($"x.yaml:{line}: {sentence}", Assert.Single(set.Manifests).Locate(sentence));
    }

    [Fact]
    public void An_item_of_a_list_knows_where_it_stands()
    {
        var set = ManifestReader.Read("x.yaml", "kind: List\nitems:\n- kind: Device\n- kind: Device\n  spec:\n    a: 1\n");

        Assert.Equal(["x.yaml:3", "x.yaml:4"], set.Manifests.Select(m => m.Origin));
        Assert.Equal("x.yaml:6: spec.a: no", set.Manifests[1].Locate("spec.a: no"));
    }

    [Theory]
    [InlineData("a: 1\nb: @x", "x.yaml:2")]
    [InlineData("a: 1\na: 2", "x.yaml:2: 'a' is there twice")]
    [InlineData("a: *nobody", "x.yaml:1: there is no anchor '&nobody' above")]
    [InlineData("a: &x {b: *x}", "x.yaml:1")]
    [InlineData("- 1", "x.yaml:1: a resource is a map")]
    [InlineData("{[1]: 2}", "x.yaml:1: a key must be a text")]
    public void An_error_names_file_and_line(string yaml, string says)
    {
        var set = ManifestReader.Read("x.yaml", yaml);

        Assert.StartsWith(says, Assert.Single(set.Errors), StringComparison.Ordinal);
    }

    [Fact]
    public void What_comes_before_a_broken_document_still_counts()
    {
        var set = ManifestReader.Read("x.yaml", "kind: Device\n---\na: b: c\n");

        Assert.Single(set.Manifests);
        Assert.Single(set.Errors);
    }

    [Fact]
    public void Aliases_that_multiply_are_stopped()
    {
        var levels = Enumerable.Range(1, 9).Select(i => $"a{i}: &a{i} [{string.Join(",", Enumerable.Repeat($"*a{i - 1}", 10))}]");
        var set = ManifestReader.Read("x.yaml", "a0: &a0 [1]\n" + string.Join('\n', levels));

        Assert.Contains("larger than", Assert.Single(set.Errors), StringComparison.Ordinal);
    }

    [Fact]
    public void Nesting_without_end_is_stopped()
    {
        var set = ManifestReader.Read("x.yaml", new string('[', 5000));

        Assert.Contains("deeper than", Assert.Single(set.Errors), StringComparison.Ordinal);
    }
}
