using System.Text.Json.Nodes;
using EdgeOrleans.Client.Connection;
using EdgeOrleans.Client.Manifests;
using EdgeOrleans.Client.Rendering;

namespace EdgeOrleans.Client;

public sealed class RenderingTests
{
    [Fact]
    public void Yaml_reads_back_as_the_same_json()
    {
        const string Json = """{"a":"25","b":25,"c":"true","d":null,"e":"","f":[],"g":{},"h":["x: y","- z","# no","é","2026-11-25","0x1F","null"],"i":{"j":[{"k":1.5},{"k":"1.5"}]},"l":"two\nlines","m":"tab\t"}""";
        using var yaml = new StringWriter();

        Yaml.Write(yaml, JsonNode.Parse(Json)!);

        Assert.Equal(Json, Assert.Single(ManifestReader.Read("x", yaml.ToString()).Manifests).Json.Replace("\\t", "\\t", StringComparison.Ordinal));
    }

    [Fact]
    public void A_devices_words_cannot_steer_a_terminal()
    {
        using var output = new StringWriter();

        new Table("NAME").Add("a\u001b[2Jb\nc").Write(output);

        Assert.Equal("NAME\na�[2Jb�c\n", output.ToString());
    }

    [Theory]
    [InlineData("127.0.0.1:30000", "127.0.0.1:30000")]
    [InlineData("node-1", "node-1:7")]
    [InlineData("[::1]:5", "[::1]:5")]
    [InlineData("::1", "[::1]:7")]
    public void An_address_has_a_host_and_perhaps_a_port(string text, string address)
    {
        Assert.True(ServerAddress.TryParse(text, 7, out var parsed));
        Assert.Equal(address, parsed.ToString());
    }

    [Theory]
    [InlineData("")]
    [InlineData(":5")]
    [InlineData("a:0")]
    [InlineData("a:65536")]
    [InlineData("a:b")]
    [InlineData("[::1")]
    [InlineData("http://a:5")]
    public void What_is_no_address_is_not_taken_for_one(string text) => Assert.False(ServerAddress.TryParse(text, 7, out _));
}
