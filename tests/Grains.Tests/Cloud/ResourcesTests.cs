using System.Text.Json.Nodes;
using EdgeOrleans.Devices;
using EdgeOrleans.Joining;
using EdgeOrleans.Link;
using EdgeOrleans.Resources;
using EdgeOrleans.TestKit;

namespace EdgeOrleans.Cloud;

/// <summary>What people say of devices, models and nodes, kept by a running cloud.</summary>
public sealed class ResourcesTests : IAsyncLifetime
{
    private CloudSilo _cloud = null!;

    public async ValueTask InitializeAsync() => _cloud = await CloudSilo.StartAsync();

    public ValueTask DisposeAsync() => _cloud.DisposeAsync();

    [Fact]
    public async Task A_document_is_kept_as_it_was_said_with_versions_that_rise_with_it_and_is_there_after_a_restart()
    {
        const string Spec = """{"nodeName":"edge-1","protocol":{"protocolName":"modbus","configData":{"port":502}},"properties":[{"name":"t","visitors":{"protocolName":"modbus","configData":{"offset":1}},"collectCycle":1000}]}""";
        Assert.Equal("created", (await ApplyAsync("Device", "a", Spec)).Outcome);
        Assert.Equal("unchanged", (await ApplyAsync("Device", "a", Spec)).Outcome);
        var first = await GetAsync();
        Assert.Equal("configured", (await ApplyAsync("Device", "a", Spec.Replace("1000", "2000", StringComparison.Ordinal))).Outcome);

        await _cloud.RestartAsync();

        var second = await GetAsync();
        Assert.Equal((int)first["metadata"]!["generation"]! + 1, (int)second["metadata"]!["generation"]!);
        Assert.True(Version(second) > Version(first));
        Assert.Equal((string?)first["metadata"]!["uid"], (string?)second["metadata"]!["uid"]);
        Assert.True(JsonNode.DeepEquals(JsonNode.Parse(Spec.Replace("1000", "2000", StringComparison.Ordinal)), second["spec"]));
    }

    [Fact]
    public async Task A_document_about_an_older_version_is_refused_and_says_which_there_is()
    {
        await ApplyAsync("Device", "a", "{}");
        var old = Version(await GetAsync());
        await ApplyAsync("Device", "a", """{"nodeName":"edge-1"}""");

        var refused = await Assert.ThrowsAsync<RefusedException>(() => ApplyAsync("Device", "a", """{"nodeName":"edge-2"}""", $$""","resourceVersion":"{{old}}" """));
        var notRemoved = await Assert.ThrowsAsync<RefusedException>(() => _cloud.Resources.DeleteAsync(ResourceKinds.Device, "default/a", $"{old}"));

        Assert.Equal((409, 409), (refused.Code, notRemoved.Code));
        Assert.Contains($"{Version(await GetAsync())}", refused.Message, StringComparison.Ordinal);
        Assert.Equal("edge-1", (string?)(await GetAsync())["spec"]!["nodeName"]);
    }

    [Theory]
    [InlineData("""{"kind":"Device"}""", "apiVersion")]
    [InlineData("""{"apiVersion":"devices.kubeedge.io/v1beta1","kind":"Pod","metadata":{"name":"a"},"spec":{}}""", "kind")]
    [InlineData("""{"apiVersion":"devices.kubeedge.io/v1beta1","kind":"Device","metadata":{"name":"a"},"spec":{"nodeNam":"x"}}""", "spec.nodeNam")]
    [InlineData("""{"apiVersion":"devices.kubeedge.io/v1beta1","kind":"Device","metadata":{"name":"a","labels":{"-":"x"}},"spec":{}}""", "metadata.labels.-")]
    [InlineData("""{"apiVersion":"devices.kubeedge.io/v1beta1","kind":"Device","metadata":{"name":"a"},"spec":{"nodeName":"No Node"}}""", "spec.nodeName")]
    [InlineData("""{"apiVersion":"v1","kind":"Node","metadata":{"name":"Edge_1"}}""", "metadata.name")]
    [InlineData("[]", "$")]
    [InlineData("no json", "$")]
    public async Task What_is_wrong_is_named_by_its_path(string document, string path)
    {
        var refused = await Assert.ThrowsAsync<RefusedException>(() => _cloud.Resources.ApplyAsync(document));

        Assert.Equal(400, refused.Code);
        Assert.StartsWith(path, refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_device_that_moves_is_taken_from_the_old_node_and_given_to_the_new_one()
    {
        await ApplyAsync("Device", "a", """{"nodeName":"edge-1","properties":[{"name":"t","desired":{"value":"5"}}]}""");
        await ApplyAsync("Device", "a", """{"nodeName":"edge-2","properties":[{"name":"t","desired":{"value":"5"}}]}""");

        // A marker for either node, and the value waits for the new one alone.
        Assert.Equal((2, 1), ((await LedgerAsync(OutboxClasses.Membership)).Waiting, (await LedgerAsync(OutboxClasses.Desired)).Waiting));
        Assert.Equal(1, (await LedgerAsync(OutboxClasses.Desired)).Refused["device-moved"]);
        Assert.Empty((await _cloud.Resources.ListAsync(new ResourceQuery { Kind = ResourceKinds.Device, Node = "edge-1" })).Items);
        Assert.Single((await _cloud.Resources.ListAsync(new ResourceQuery { Kind = ResourceKinds.Device, Node = "edge-2" })).Items);
    }

    [Fact]
    public async Task A_model_that_devices_use_stays_and_is_enforced_on_what_is_wanted()
    {
        await ApplyAsync("DeviceModel", "pump", """{"properties":[{"name":"t","type":"INT","minimum":"0","maximum":"90","accessMode":"ReadWrite"}]}""");
        await ApplyAsync("Device", "a", """{"deviceModelRef":{"name":"pump"}}""");

        Assert.Equal(409, (await Assert.ThrowsAsync<RefusedException>(() => _cloud.Resources.DeleteAsync(ResourceKinds.DeviceModel, "default/pump"))).Code);
        Assert.Equal(400, (await Assert.ThrowsAsync<RefusedException>(() => ApplyAsync("Device", "a", """{"deviceModelRef":{"name":"pump"},"properties":[{"name":"t","desired":{"value":"91"}}]}"""))).Code);
        await _cloud.Resources.DeleteAsync(ResourceKinds.Device, "default/a");
        await _cloud.Resources.DeleteAsync(ResourceKinds.DeviceModel, "default/pump");
        Assert.Null(await _cloud.Resources.GetAsync(ResourceKinds.DeviceModel, "default/pump"));
    }

    [Fact]
    public async Task A_value_that_is_set_stands_in_the_document_and_one_in_the_document_is_set()
    {
        await ApplyAsync("Device", "a", """{"nodeName":"edge-1"}""");
        var twin = _cloud.Grains.GetGrain<IDeviceTwinGrain>("default/a");

        await twin.SetExpectedAsync(System.Collections.Immutable.ImmutableDictionary<string, string>.Empty.Add("t", "5"));

        Assert.Equal("5", (string?)(await GetAsync())["spec"]!["properties"]![0]!["desired"]!["value"]);
        await ApplyAsync("Device", "a", """{"nodeName":"edge-1","properties":[{"name":"t","desired":{"value":"6"}}]}""");
        Assert.Equal(("6", new TwinVersion(2, 0)), (await twin.GetAsync())!.Twin["t"].Expected is { } e ? (e.Value, e.Version) : default);
    }

    [Fact]
    public async Task A_node_that_is_removed_loses_its_certificates_and_its_devices_stay()
    {
        await ApplyAsync("Node", "edge-1", "{}", apiVersion: "v1");
        await ApplyAsync("Device", "a", """{"nodeName":"edge-1"}""");
        Assert.Equal("edge-1", (await _cloud.Resources.ListAsync(new ResourceQuery { Kind = ResourceKinds.Node })).Items.Single().Id);

        await _cloud.Resources.DeleteAsync(ResourceKinds.Node, "edge-1");

        Assert.Null(await _cloud.Resources.GetAsync(ResourceKinds.Node, "edge-1"));
        Assert.NotNull(await _cloud.Resources.GetAsync(ResourceKinds.Device, "default/a"));
        Assert.Equal(404, (await Assert.ThrowsAsync<RefusedException>(() => _cloud.Resources.DeleteAsync(ResourceKinds.Node, "edge-1"))).Code);
        Assert.Empty(await _cloud.Grains.GetGrain<INodeCertificatesGrain>("edge-1").ListAsync());
    }

    [Fact]
    public async Task A_change_that_its_node_could_never_hear_of_is_refused_and_leaves_nothing()
    {
        await using var small = await CloudSilo.StartAsync(new Dictionary<string, string> { ["outbox.maxBytes"] = "4Ki" });
        RefusedException? refused = null;
        var kept = 0;
        for (; refused is null && kept < 100; kept++)
        {
            try
            {
                await small.Resources.ApplyAsync(Document("Device", $"d{kept}", """{"nodeName":"edge-1"}""", "", "devices.kubeedge.io/v1beta1"));
            }
            catch (RefusedException e)
            {
                refused = e;
                kept--;
            }
        }

        Assert.Equal(503, refused?.Code);
        Assert.Equal(kept, (await small.Resources.ListAsync(new ResourceQuery { Kind = ResourceKinds.Device })).Items.Length);
        Assert.Null(await small.Resources.GetAsync(ResourceKinds.Device, $"default/d{kept}"));
    }

    private Task<ApplyOutcome> ApplyAsync(string kind, string name, string spec, string metadata = "", string apiVersion = "devices.kubeedge.io/v1beta1") =>
        _cloud.Resources.ApplyAsync(Document(kind, name, spec, metadata, apiVersion));

    private static string Document(string kind, string name, string spec, string metadata, string apiVersion) =>
        $$$"""{"apiVersion":"{{{apiVersion}}}","kind":"{{{kind}}}","metadata":{"name":"{{{name}}}"{{{metadata}}}},"spec":{{{spec}}}}""";

    private async Task<JsonNode> GetAsync() => JsonNode.Parse((await _cloud.Resources.GetAsync(ResourceKinds.Device, "default/a"))!)!;

    private static long Version(JsonNode document) => long.Parse((string)document["metadata"]!["resourceVersion"]!, System.Globalization.CultureInfo.InvariantCulture);

    private async Task<LedgerEntry> LedgerAsync(string type) =>
        (await _cloud.Grains.GetGrain<ILedgerGrain>(ILedgerGrain.Key).GetAsync()).FirstOrDefault(e => e.Class == type) ?? new LedgerEntry { Class = type };
}
