using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using EdgeOrleans.Devices;

namespace EdgeOrleans.Edge.DeviceTwin;

public sealed class TwinRulesTests
{
    private static readonly DeviceTwinOptions Strict = new() { Compatibility = TwinCompatibility.Strict };
    private static readonly DeviceTwinOptions Normal = new();

    [Fact]
    public void An_update_with_one_refused_property_changes_none()
    {
        var node = RuleNode.WithDevice().Update("""{"twin":{"t":{"actual":{"value":"1"},"metadata":{"type":"int"}}}}""");
        var before = node.Device;

        node.Update("""{"twin":{"a":{"actual":{"value":"1"}},"t":{"actual":{"value":"x"}},"z":{"actual":{"value":"1"}}}}""");

        Assert.Same(before, node.Device);
        Assert.Equal(400, node.Code);
        Assert.Empty(node.Up);
    }

    [Fact]
    public void Null_for_an_unknown_property_stops_none_of_the_others()
    {
        var node = RuleNode.WithDevice().Update("""{"twin":{"a":null,"b":{"actual":{"value":"1"}},"c":null,"d":{"actual":{"value":"2"}}}}""");

        Assert.Equal(["b", "d"], node.Device.Twin.Keys);
        Assert.Equal(["b", "d"], node.Payload("/document")["twin"]!.AsObject().Select(p => p.Key));
    }

    [Fact]
    public void The_first_expected_value_is_checked_too()
    {
        var node = RuleNode.WithDevice().Update("""{"twin":{"t":{"actual":{"value":"1"},"metadata":{"type":"int"}}}}""");

        node.Update("""{"event_id":"e","twin":{"t":{"expected":{"value":"abc"}}}}""");

        Assert.Equal(400, node.Payload("/twin/update/result")["code"]!.GetValue<int>());
        Assert.Null(node.Device.Twin["t"].Expected);
    }

    [Theory]
    [InlineData("""{"event_id":"e","twin":{"t":{"actual":{}}}}"""), InlineData("""{"event_id":"e","twin":{"t":{"expected":{"value":null}}}}""")]
    public void A_side_without_its_value_is_refused_and_nothing_else_is_affected(string json)
    {
        var node = RuleNode.WithDevice().Update(json);

        Assert.Equal("e", node.Payload("/twin/update/result")["event_id"]!.ToString());
        Assert.Equal(400, node.Code);
    }

    [Fact]
    public void A_property_without_values_can_be_deleted_at_once()
    {
        var node = RuleNode.WithDevice().Update("""{"twin":{"c":{}}}""").Update("""{"twin":{"c":null}}""");

        Assert.True(node.Device.Twin["c"].IsDeleted);
        Assert.Null(node.Payload("/twin/update/result")["twin"]!["c"]);
    }

    [Fact]
    public void A_deleted_property_keeps_its_versions_and_comes_back_above_them()
    {
        var node = RuleNode.WithDevice().Update("""{"twin":{"a":{"actual":{"value":"1"}}}}""").Update("""{"twin":{"a":null}}""");
        Assert.Equal(new TwinVersion(0, 2), node.Device.Twin["a"].Actual!.Version);

        node.Update("""{"twin":{"a":{"actual":{"value":"2"}}}}""");

        Assert.Equal(new TwinVersion(0, 3), node.Device.Twin["a"].Actual!.Version);
    }

    [Fact]
    public void A_type_that_lives_stays_and_naming_another_is_still_told()
    {
        var node = RuleNode.WithDevice().Update("""{"twin":{"a":{"actual":{"value":"1"},"metadata":{"type":"int"}}}}""");

        node.Update("""{"twin":{"a":{"metadata":{"type":"Updated"}}}}""");

        Assert.Equal("int", node.Device.Twin["a"].Type);
        Assert.Equal("{}", node.Payload("/twin/update/result")["twin"]!["a"]!.ToJsonString());
        Assert.Empty(node.Up);
    }

    [Fact]
    public void A_request_or_a_twin_with_too_many_properties_is_refused_whole()
    {
        var options = new DeviceTwinOptions { MaxProperties = 2 };
        var node = RuleNode.WithDevice(options).Update("""{"twin":{"a":{},"b":{},"c":{}}}""");
        Assert.Equal(400, node.Code);

        node.Update("""{"twin":{"a":{},"b":{}}}""").Update("""{"event_id":"e","twin":{"c":{}}}""");

        Assert.Equal("e", node.Payload("/twin/update/result")["event_id"]!.ToString());
        Assert.Equal(["a", "b"], node.Device.Twin.Keys);
    }

    [Fact]
    public void A_request_that_is_too_large_is_refused_before_it_is_read()
    {
        var node = RuleNode.WithDevice(new DeviceTwinOptions { MaxPayload = 1_024 }).Update($"{{\"event_id\":\"e\",\"x\":\"{new string('x', 2_000)}\"}}");

        Assert.Contains("1024", node.Payload("/twin/update/result")["reason"]!.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public void An_unknown_device_is_made_by_a_report_and_never_by_a_question_or_a_refused_report()
    {
        var node = new RuleNode { Registers = true };
        node.Publish("$hw/events/device/default/ts1/twin/get", "{}"u8.ToArray());
        Assert.False(node.Device.Exists);
        node.Update("""{"twin":{"a":{"actual":{"value":"x"},"metadata":{"type":"int"}}}}""");
        Assert.False(node.Device.Exists);

        node.Update("""{"twin":{"a":{"actual":{"value":"1"}}}}""");

        Assert.True(node.Device.Exists);
        Assert.Equal("ts1", node.Device.Name);
    }

    [Fact]
    public void A_state_report_makes_an_unknown_device_and_a_wrong_state_does_not()
    {
        var node = new RuleNode { Registers = true };
        node.Publish("$hw/events/device/default/ts1/state/update", """{"state":"wrong"}"""u8.ToArray());
        Assert.False(node.Device.Exists);

        node.Publish("$hw/events/device/default/ts1/state/update", """{"state":"OK"}"""u8.ToArray());

        Assert.Equal("OK", node.Device.State);
        Assert.NotEmpty(node.Device.LastOnline);
    }

    [Fact]
    public void Who_hears_only_results_gets_no_documents_and_no_deltas()
    {
        var node = RuleNode.WithDevice();
        node.ResultOnly = true;

        node.Update("""{"twin":{"a":{"expected":{"value":"1"}}}}""");

        Assert.Equal("$hw/events/device/default/ts1/twin/update/result", Assert.Single(node.Published).Topic);
        Assert.Single(node.Up);
    }

    [Fact]
    public void A_client_may_not_speak_for_the_cloud_but_makes_the_twin_go_up()
    {
        var node = RuleNode.WithDevice(Normal).Update("""{"twin":{"a":{"expected":{"value":"1"}},"b":{"actual":{"value":"2"}}}}""");
        var before = node.Device;

        node.Publish("$hw/events/device/default/ts1/twin/cloud_updated", """{"twin":{"a":{"expected":{"value":"9"},"metadata":{"type":"string"},"expected_version":{"cloud":9,"edge":9}}}}"""u8.ToArray());

        Assert.Same(before, node.Device);
        Assert.EndsWith("/twin/update/delta", Assert.Single(node.Published).Topic, StringComparison.Ordinal);
        Assert.Contains("\"b\":{\"actual\":{\"value\":\"2\"", Assert.Single(node.Up).Payload, StringComparison.Ordinal);
    }

    [Fact]
    public void A_value_of_the_cloud_that_loses_is_remembered_with_the_one_that_stays()
    {
        var node = RuleNode.WithDevice(Normal).Update("""{"twin":{"a":{"expected":{"value":"1"}}}}""");

        node.CloudUpdate("""{"twin":{"a":{"expected":{"value":"9"},"metadata":{"type":"string"},"expected_version":{"cloud":3,"edge":0}}}}""");

        var conflict = Assert.Single(node.Device.Conflicts);
        Assert.Equal(("a", "expected", "1", "9", "edgemgr"), (conflict.Property, conflict.Side, conflict.Kept.Value, conflict.Refused.Value, conflict.Source));
        Assert.Equal(new TwinVersion(3, 0), conflict.Refused.Version);
    }

    [Fact]
    public void The_conflict_log_keeps_the_newest()
    {
        var node = RuleNode.WithDevice(new DeviceTwinOptions { MaxConflicts = 3 }).Update("""{"twin":{"a":{"expected":{"value":"1"}}}}""");
        for (var i = 0; i < 5; i++)
        {
            node.CloudUpdate("""{"twin":{"a":{"expected":{"value":"v#"},"metadata":{"type":"string"},"expected_version":{"cloud":1,"edge":0}}}}""".Replace("#", $"{i}", StringComparison.Ordinal));
        }

        Assert.Equal(["v2", "v3", "v4"], node.Device.Conflicts.Select(c => c.Refused.Value));
    }

    [Theory]
    [InlineData("""{"a":null}"""), InlineData("""{"a":{"expected":{"value":"2"},"expected_version":{"cloud":1,"edge":1}}}""")]
    [InlineData("""{"b":{"expected":{"value":"2"},"metadata":{"type":"string"}}}"""), InlineData("""{"b":{"actual":{"value":"x"},"metadata":{"type":"int"},"actual_version":{"cloud":1,"edge":1}}}""")]
    public void An_entry_of_the_cloud_that_makes_no_sense_is_passed_over(string twin)
    {
        var node = RuleNode.WithDevice(Normal).Update("""{"twin":{"a":{"actual":{"value":"1"}}}}""");
        var before = node.Device;

        node.CloudUpdate($"{{\"twin\":{twin}}}");

        Assert.Same(before, node.Device);
        Assert.Empty(node.Published);
        Assert.Empty(node.Up);
    }

    [Theory]
    [InlineData(TwinCompatibility.Strict), InlineData(TwinCompatibility.Normal)]
    public void Half_a_sync_entry_may_win_while_the_other_half_loses(TwinCompatibility compatibility)
    {
        var node = RuleNode.WithDevice(new DeviceTwinOptions { Compatibility = compatibility })
            .Update("""{"twin":{"a":{"actual":{"value":"1"}}}}""").Update("""{"twin":{"a":{"actual":{"value":"2"}}}}""");

        node.CloudUpdate("""{"twin":{"a":{"expected":{"value":"7"},"actual":{"value":"0"},"metadata":{"type":"string"},"expected_version":{"cloud":1,"edge":0},"actual_version":{"cloud":1,"edge":1}}}}""");

        Assert.Equal(("7", "2"), (node.Device.Twin["a"].Expected!.Value, node.Device.Twin["a"].Actual!.Value));
        Assert.Contains("\"actual\":{\"value\":\"2\"", node.Up[0].Payload, StringComparison.Ordinal);
        Assert.Equal(compatibility == TwinCompatibility.Normal, node.Up[0].Payload.Contains("\"expected\"", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData(null), InlineData("""{"a":{"actual":{"value":"1"}}}""")]
    public void A_desired_value_that_was_taken_is_confirmed_with_its_version(string? before)
    {
        var node = RuleNode.WithDevice(Normal);
        if (before is not null)
        {
            node.Update($$"""{"twin":{{before}}}""");
        }

        node.Membership(Desired("7", cloud: 3, edge: 0));

        var entry = JsonNode.Parse(Assert.Single(node.Up).Payload)!["twin"]!["a"]!;
        Assert.Equal(("7", 3, 0), ((string)entry["expected"]!["value"]!, (int)entry["expected_version"]!["cloud"]!, (int)entry["expected_version"]!["edge"]!));
        Assert.Null(entry["actual"]);
        Assert.Equal("7", node.Payload("/twin/update/delta")["delta"]!["a"]!.ToString());
    }

    [Fact]
    public void Strict_confirms_nothing_as_edgecore_does()
    {
        var node = RuleNode.WithDevice(Strict);

        node.Membership(Desired("7", cloud: 3, edge: 0));

        Assert.Equal("7", node.Device.Twin["a"].Expected!.Value);
        Assert.Empty(node.Up);
    }

    [Fact]
    public void A_membership_that_says_the_same_again_changes_nothing_and_tells_nobody()
    {
        var node = RuleNode.WithDevice(Normal);
        node.Membership(Desired("7", cloud: 3, edge: 0));
        var before = node.Device;

        node.Membership(Desired("7", cloud: 3, edge: 0));

        Assert.Same(before, node.Device);
        Assert.Empty(node.Published);
        Assert.Empty(node.Up);
    }

    [Fact]
    public void A_cloud_that_asks_with_a_version_of_zero_hears_what_is_there_and_devices_hear_nothing()
    {
        var node = RuleNode.WithDevice(Normal);
        node.Membership(Desired("7", cloud: 3, edge: 0));
        var before = node.Device;

        node.Membership(Desired("7", cloud: 0, edge: 0));

        Assert.Same(before, node.Device);
        Assert.Empty(node.Published);
        Assert.Contains("\"expected_version\":{\"cloud\":3,\"edge\":0}", Assert.Single(node.Up).Payload, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(1, false), InlineData(2, false), InlineData(3, true)]
    public void What_the_device_has_reported_is_replaced_by_a_later_report_alone(int edge, bool isTaken)
    {
        var node = RuleNode.WithDevice(Normal).Update("""{"twin":{"a":{"actual":{"value":"1"}}}}""").Update("""{"twin":{"a":{"actual":{"value":"2"}}}}""");

        node.Membership($$$$$"""{"added_devices":[{"id":"default/ts1","twin":{"a":{"actual":{"value":"9"},"metadata":{"type":"string"},"actual_version":{"cloud":5,"edge":{{{{{edge}}}}}}}}}]}""");

        Assert.Equal(isTaken ? "9" : "2", node.Device.Twin["a"].Actual!.Value);
        Assert.Equal(isTaken, node.Up.Count == 0);
    }

    [Fact]
    public void A_desired_value_that_its_property_cannot_hold_is_a_conflict_once_and_the_cloud_hears_what_stays()
    {
        var node = RuleNode.WithDevice(Normal).Update("""{"twin":{"a":{"expected":{"value":"1"},"metadata":{"type":"int"}}}}""");

        node.Membership(Desired("warm", cloud: 1, edge: 1));
        node.Membership(Desired("warm", cloud: 1, edge: 1));

        Assert.Equal("warm", Assert.Single(node.Device.Conflicts).Refused.Value);
        Assert.Contains("\"expected\":{\"value\":\"1\"", Assert.Single(node.Up).Payload, StringComparison.Ordinal);
    }

    [Fact]
    public void A_device_that_is_described_in_another_way_takes_the_description_over()
    {
        var node = RuleNode.WithDevice(Normal);

        node.Membership("""{"added_devices":[{"id":"default/ts1","name":"ts1","description":"hall 2","twin":{}}]}""");

        Assert.Equal("hall 2", node.Device.Description);
        Assert.Empty(node.Published);
    }

    [Fact]
    public void A_property_that_the_cloud_deleted_before_it_was_known_is_a_tombstone()
    {
        var node = RuleNode.WithDevice(Normal);

        node.CloudUpdate("""{"twin":{"x":{"metadata":{"type":"deleted"},"actual_version":{"cloud":4,"edge":2}}}}""");

        Assert.True(node.Device.Twin["x"].IsDeleted);
        Assert.Equal(new TwinVersion(4, 2), node.Device.Twin["x"].Actual!.Version);
        Assert.Empty(node.Published);
    }

    [Theory]
    [InlineData("Int", "5", true), InlineData("Int", "11", false), InlineData("Int", "x", false), InlineData("Double", "9.5", true)]
    [InlineData("Bytes", "aGk=", true), InlineData("Bytes", "hi there", false), InlineData("Stream", "x", false), InlineData("Boolean", "true", true)]
    [InlineData("String", "any text, with { \"json\": 1 } and ü", true)]
    public void A_model_decides_what_a_value_may_be(string type, string value, bool fits)
    {
        var node = RuleNode.WithDevice(Normal);
        node.Model = Model(new ModelProperty { Type = Enum.Parse<ModelType>(type), Maximum = 10 });

        node.Update($"{{\"twin\":{{\"p\":{{\"actual\":{{\"value\":{JsonSerializer.Serialize(value)}}}}}}}}}");

        Assert.Equal(fits ? 0 : 400, node.Code);
        Assert.Equal(fits, node.Device.Twin.ContainsKey("p"));
    }

    [Fact]
    public void A_text_that_a_model_allows_comes_back_as_it_was()
    {
        const string text = "line\nbreak \"quoted\" <&> ü \U0001F600";
        var node = RuleNode.WithDevice(Normal);
        node.Model = Model(new ModelProperty());

        node.Update($"{{\"twin\":{{\"p\":{{\"actual\":{{\"value\":{JsonSerializer.Serialize(text)}}}}}}}}}");

        Assert.Equal(text, node.Payload("/twin/update/result")["twin"]!["p"]!["actual"]!["value"]!.ToString());
    }

    [Fact]
    public void Strict_keeps_the_characters_even_with_a_model()
    {
        var node = RuleNode.WithDevice(Strict);
        node.Model = Model(new ModelProperty());

        node.Update("""{"twin":{"p":{"actual":{"value":"a b"}}}}""");

        Assert.Equal(400, node.Code);
    }

    [Fact]
    public void A_read_only_property_takes_no_expected_value()
    {
        var node = RuleNode.WithDevice(Normal);
        node.Model = Model(new ModelProperty { ReadOnly = true });

        node.Update("""{"twin":{"p":{"expected":{"value":"1"}}}}""");
        Assert.Equal(400, node.Code);

        node.Update("""{"twin":{"p":{"actual":{"value":"1"}}}}""");
        Assert.Equal(0, node.Code);
    }

    [Fact]
    public void A_models_type_is_the_twins_type()
    {
        var node = RuleNode.WithDevice(Normal);
        node.Model = Model(new ModelProperty { Type = ModelType.Double });

        node.Update("""{"twin":{"p":{"actual":{"value":"1.5"}}}}""");

        Assert.Equal("float", node.Device.Twin["p"].Type);
    }

    [Fact]
    public void Attributes_are_told_when_they_change_and_go_when_they_are_optional()
    {
        var node = RuleNode.WithDevice();
        node.Attributes("""{"event_id":"e","attributes":{"m":{"value":"X"},"n":{"value":"Y","optional":false}}}""");
        Assert.Equal("e", node.Payload("/updated")["event_id"]!.ToString());

        node.Attributes("""{"attributes":{"m":{"value":"X","optional":true},"n":{"value":"Y"}}}""");
        Assert.Empty(node.Published);

        node.Attributes("""{"attributes":{"m":null,"n":null}}""");
        Assert.Equal(["n"], node.Device.Attributes.Keys);
        Assert.Equal("""{"m":null}""", node.Payload("/updated")["attributes"]!.ToJsonString());
    }

    [Fact]
    public void A_member_without_attributes_loses_those_it_had()
    {
        var node = new RuleNode();
        node.Membership("""{"added_devices":[{"id":"default/ts1","name":"ts1","attributes":{"m":{"value":"X"}}}]}""");

        node.Membership("""{"added_devices":[{"id":"default/ts1","name":"ts1"}]}""");

        Assert.Empty(node.Device.Attributes);
    }

    [Fact]
    public void A_member_with_a_null_property_is_taken_over_without_it()
    {
        var node = new RuleNode();

        node.Membership("""{"added_devices":[{"id":"default/ts1","name":"ts1","twin":{"a":null,"b":{"expected":{"value":"1"},"metadata":{"type":"int"},"expected_version":{"cloud":1,"edge":0}}}}]}""");

        Assert.Equal(["b"], node.Device.Twin.Keys);
    }

    [Fact]
    public void A_record_is_read_back_as_it_was_written()
    {
        var node = RuleNode.WithDevice(Normal);
        node.Update("""{"twin":{"a":{"actual":{"value":"1"},"optional":false},"b":{"expected":{"value":"x"}},"c":{},"B":{"actual":{"value":""}}}}""");
        node.Update("""{"twin":{"b":null}}""");
        node.CloudUpdate("""{"twin":{"a":{"actual":{"value":"9"},"metadata":{"type":"string"},"actual_version":{"cloud":0,"edge":0}}}}""");
        node.Attributes("""{"attributes":{"m":{"value":"ü","optional":false,"metadata":{"type":"int"}}}}""");
        node.Publish("$hw/events/device/default/ts1/state/update", """{"state":"online"}"""u8.ToArray());
        var record = node.Device with { Model = "default/m" };

        var json = JsonSerializer.SerializeToUtf8Bytes(record, DeviceTwinJson.Default.TwinRecord);
        var back = JsonSerializer.Deserialize(json, DeviceTwinJson.Default.TwinRecord)!;

        Assert.Equal(record.Twin, back.Twin);
        Assert.Equal(record.Attributes, back.Attributes);
        Assert.Equal(record.Conflicts, back.Conflicts);
        Assert.Equal((record.Name, record.Description, record.State, record.LastOnline, record.Model, true), (back.Name, back.Description, back.State, back.LastOnline, back.Model, back.Exists));
        Assert.Equal(["B", "a", "b", "c"], back.Twin.Keys);
        Assert.Equal(Encoding.UTF8.GetString(json), JsonSerializer.Serialize(back, DeviceTwinJson.Default.TwinRecord));
    }

    private static ModelRules Model(ModelProperty property) => new() { Properties = ModelRulesOf(property) };

    private static System.Collections.Immutable.ImmutableDictionary<string, ModelProperty> ModelRulesOf(ModelProperty property) =>
        System.Collections.Immutable.ImmutableDictionary<string, ModelProperty>.Empty.Add("p", property);

    [Fact]
    public void A_version_at_its_end_stays_there()
    {
        var node = RuleNode.WithDevice();
        node.Update("""{"twin":{"a":{"actual":{"value":"1"},"metadata":{"type":"string"}}}}""");
        var property = node.Device.Twin["a"];
        var last = property with { Actual = property.Actual! with { Version = new TwinVersion(0, long.MaxValue) } };
        node["default/ts1"] = node.Device with { Twin = node.Device.Twin.SetItem("a", last) };

        node.Update("""{"twin":{"a":{"actual":{"value":"2"}}}}""");

        Assert.Equal(("2", new TwinVersion(0, long.MaxValue)), (node.Device.Twin["a"].Actual!.Value, node.Device.Twin["a"].Actual!.Version));
    }

    private static string Desired(string value, int cloud, int edge) =>
        $$$$$"""{"added_devices":[{"id":"default/ts1","name":"ts1","twin":{"a":{"expected":{"value":"{{{{{value}}}}}"},"optional":true,"metadata":{"type":"string"},"expected_version":{"cloud":{{{{{cloud}}}}},"edge":{{{{{edge}}}}}}}}}]}""";
}
