using System.Collections.Immutable;
using EdgeOrleans.Devices;

namespace EdgeOrleans.Cloud.DeviceController;

public sealed class CloudTwinRulesTests
{
    private static readonly DeviceRecord Device = new() { Head = Head(), Node = "edge-1" };

    [Fact]
    public void What_is_wanted_gets_the_next_number_of_the_cloud_and_the_nodes_newest()
    {
        var first = Want(Device, "25");
        var seen = Show(first, expected: ("20", 0, 7));
        var second = Want(seen, "26");

        Assert.Equal(new TwinVersion(1, 0), first.Twin["t"].Desired!.Version);
        Assert.Equal(new TwinVersion(2, 7), second.Twin["t"].Desired!.Version);
    }

    [Fact]
    public void What_is_wanted_already_is_not_wanted_again()
    {
        var wanted = Want(Device, "25");

        Assert.Same(wanted, Want(wanted, "25"));
    }

    [Fact]
    public void It_has_arrived_when_the_node_shows_the_clouds_number_or_a_higher_one()
    {
        var wanted = Want(Device, "25");

        Assert.True(wanted.Twin["t"].IsPending);
        Assert.True(Show(wanted, expected: ("20", 0, 3)).Twin["t"].IsPending);
        Assert.False(Show(wanted, expected: ("25", 1, 0)).Twin["t"].IsPending);
        Assert.False(Show(wanted, expected: ("30", 1, 4)).Twin["t"].IsPending);
    }

    [Fact]
    public void A_node_that_is_ahead_keeps_its_value_the_loser_is_kept_and_the_value_is_said_on_its_version()
    {
        var (after, again) = CloudTwinRules.Report(Want(Device, "25"), [Expected("20", 0, 7, at: 5)], 9);

        Assert.True(again);
        Assert.Equal(new TwinVersion(1, 7), after.Twin["t"].Desired!.Version);
        var conflict = Assert.Single(after.Conflicts);
        Assert.Equal(("20", "25", "cloud"), (conflict.Kept.Value, conflict.Refused.Value, conflict.Source));
    }

    [Fact]
    public void A_cloud_that_was_set_back_goes_on_above_what_the_node_has_seen_of_it()
    {
        var after = Want(Show(Device, expected: ("20", 41, 3)), "25");

        Assert.Equal(new TwinVersion(42, 3), after.Twin["t"].Desired!.Version);
    }

    [Fact]
    public void What_the_node_shows_after_that_is_what_there_is()
    {
        var after = Show(Show(Want(Device, "25"), expected: ("25", 1, 0)), expected: ("27", 1, 1));

        Assert.Equal("27", after.View("default/d").Twin["t"].Expected!.Value);
        Assert.Empty(after.View("default/d").Pending);
    }

    [Fact]
    public void The_same_report_twice_changes_nothing()
    {
        var once = Show(Device, actual: ("21", 0, 4), at: 100);

        Assert.Same(once, Show(once, actual: ("21", 0, 4), at: 100));
    }

    [Theory]
    [InlineData(0, 5, 101, true, "a newer version")]
    [InlineData(0, 3, 99, false, "an older one that was late")]
    [InlineData(0, 1, 500, true, "a counter that began anew, later by the node's clock")]
    [InlineData(0, 5, 50, true, "a newer version, after the clock was set back")]
    public void Of_two_actual_values_the_newer_one_stays(long cloud, long edge, long at, bool isTaken, string why)
    {
        var known = Show(Device, actual: ("old", 0, 4), at: 100);

        Assert.True((Show(known, actual: ("new", cloud, edge), at: at).Twin["t"].Actual!.Value == "new") == isTaken, why);
    }

    [Fact]
    public void Both_sides_of_a_property_have_versions_of_their_own()
    {
        var after = Show(Show(Device, actual: ("21", 0, 9)), expected: ("30", 2, 1));

        Assert.Equal((new TwinVersion(0, 9), new TwinVersion(2, 1)), (after.Twin["t"].Actual!.Version, after.Twin["t"].Expected!.Version));
    }

    [Fact]
    public void What_nobody_wants_any_more_is_not_pending_and_its_number_is_not_given_again()
    {
        var withdrawn = CloudTwinRules.Withdraw(Want(Device, "25"), []);

        Assert.False(withdrawn.Twin["t"].IsPending);
        Assert.Equal(2, Want(withdrawn, "25").Twin["t"].Desired!.Version.Cloud);
    }

    [Fact]
    public void On_another_node_everything_that_is_wanted_is_wanted_anew_and_its_reports_begin_anew()
    {
        var here = Show(Show(Want(Device, "25"), expected: ("25", 1, 6)), actual: ("21", 0, 90), at: 100);
        var there = CloudTwinRules.Move(here, "edge-2");

        Assert.True(there.Twin["t"].IsPending);
        Assert.Equal(new TwinVersion(1, 0), there.Twin["t"].Desired!.Version);
        Assert.Equal("7", Show(there, actual: ("7", 0, 1), at: 200).Twin["t"].Actual!.Value);
        Assert.Equal("edge-2", there.Node);
    }

    [Fact]
    public void A_deleted_property_shows_as_deleted()
    {
        var after = CloudTwinRules.Report(Show(Device, actual: ("21", 0, 4)), [new ReportedProperty("t", null, new TwinValue { Version = new TwinVersion(0, 5), Timestamp = 9 }, true, TwinProperty.DeletedType)], 9).Record;

        Assert.True(after.View("default/d").Twin["t"].IsDeleted);
    }

    [Theory]
    [InlineData("", "empty")]
    [InlineData("a b", "only include")]
    public void Without_a_model_a_value_follows_the_stock_rule(string value, string says)
    {
        var refused = Assert.Throws<RefusedException>(() => Want(Device, value));

        Assert.Equal(400, refused.Code);
        Assert.Contains(says, refused.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("t", "91", "range")]
    [InlineData("t", "warm", "int")]
    [InlineData("p", "1", "read-only")]
    [InlineData("temperatur", "1", "is no property")]
    public void A_models_refusals_are_those_of_the_node(string property, string value, string says)
    {
        var rules = new ModelRules
        {
            Properties = ImmutableDictionary<string, ModelProperty>.Empty
                .Add("t", new ModelProperty { Type = ModelType.Int, Minimum = 0, Maximum = 90 })
                .Add("p", new ModelProperty { Type = ModelType.Float, ReadOnly = true }),
        };

        var refused = Assert.Throws<RefusedException>(() => CloudTwinRules.Want(Device, Values(property, value), ImmutableDictionary<string, string>.Empty, rules, 1));

        Assert.Contains(says, refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_twin_is_bounded_in_properties_and_in_the_size_of_values()
    {
        var many = Enumerable.Range(0, 1_001).Select(i => new ReportedProperty($"p{i}", null, new TwinValue { Value = "1", Timestamp = 1, Version = new TwinVersion(0, 1) }, true, "string")).ToList();
        var large = new ReportedProperty("t", null, new TwinValue { Value = new string('x', CloudTwinRules.MaxValue + 1), Version = new TwinVersion(0, 1) }, true, "string");

        Assert.Throws<RefusedException>(() => CloudTwinRules.Report(Device, many, 1));
        Assert.Throws<RefusedException>(() => CloudTwinRules.Report(Device, [large], 1));
    }

    [Fact]
    public void Whatever_order_reports_arrive_in_the_newest_of_each_side_is_kept()
    {
        var random = new Random(7);
        for (var round = 0; round < 200; round++)
        {
            var reports = Enumerable.Range(1, 8).Select(i => Expected($"e{i}", 0, i, at: i)).Concat(Enumerable.Range(1, 8).Select(i => Actual($"a{i}", 0, i, at: i))).ToArray();
            random.Shuffle(reports);
            var record = reports.Aggregate(Device, static (r, report) => CloudTwinRules.Report(r, [report], 1).Record);

            Assert.Equal(("e8", "a8"), (record.Twin["t"].Expected!.Value, record.Twin["t"].Actual!.Value));
        }
    }

    [Fact]
    public void That_a_property_may_not_be_deleted_any_more_is_taken_without_a_value_and_never_taken_back()
    {
        var known = Show(Device, actual: ("21", 0, 4));

        var after = Traits(known, optional: false);

        Assert.False(after.View("default/d").Twin["t"].Optional);
        Assert.Equal(known.StatusVersion + 1, after.StatusVersion);
        Assert.Same(after, Traits(after, optional: false));
        Assert.Same(after, Traits(after, optional: true));
        Assert.Same(after, Show(after, actual: ("21", 0, 4)));
    }

    [Fact]
    public void A_type_without_a_value_ends_a_deletion_and_changes_no_property_that_lives()
    {
        var deleted = Deleted(Show(Device, actual: ("21", 0, 4)), edge: 5);
        var back = Traits(deleted, type: "int");

        Assert.Equal("int", back.View("default/d").Twin["t"].Type);
        Assert.Null(back.View("default/d").Twin["t"].Actual!.Value);
        Assert.Same(back, Traits(back, type: "float"));
        Assert.Same(back, Traits(back, type: TwinProperty.DeletedType));
        Assert.Same(back, Traits(back, type: ""));
    }

    [Fact]
    public void The_type_that_a_node_has_for_what_is_wanted_is_known_before_it_has_a_value()
    {
        var wanted = Traits(Want(Device, "25"), type: "int");

        Assert.Equal("int", wanted.Twin["t"].Type);
        Assert.True(wanted.Twin["t"].IsPending);
        Assert.Throws<RefusedException>(() => Want(wanted, "warm"));
    }

    [Fact]
    public void Of_a_property_that_nobody_knows_type_and_options_alone_are_nothing()
    {
        Assert.Same(Device, Traits(Device, optional: false, type: "int"));
        Assert.Equal("string", Show(Traits(Device, type: "int"), actual: ("21", 0, 1)).Twin["t"].Type);
    }

    [Fact]
    public void A_node_that_says_everything_again_brings_type_and_options_too()
    {
        var known = Show(Device, actual: ("21", 0, 4));
        var deleted = Deleted(known, edge: 5);

        Assert.False(Again(known, "21", edge: 4, optional: false, "string").Twin["t"].Optional);
        Assert.Equal("int", Again(deleted, null, edge: 5, optional: true, "int").Twin["t"].Type);
    }

    [Fact]
    public void What_comes_late_with_an_older_value_brings_no_type_and_no_options()
    {
        var deleted = Deleted(Show(Device, actual: ("21", 0, 4)), edge: 5);

        Assert.Same(deleted, Again(deleted, "21", edge: 4, optional: false, "int"));
    }

    private static DeviceRecord Deleted(DeviceRecord record, long edge) => Again(record, null, edge, optional: true, TwinProperty.DeletedType);

    private static DeviceRecord Again(DeviceRecord record, string? value, long edge, bool optional, string type) => CloudTwinRules.Report(
        record, [new ReportedProperty("t", null, new TwinValue { Value = value, Version = new TwinVersion(0, edge), Timestamp = 1 }, optional, type)], 9).Record;

    private static DeviceRecord Traits(DeviceRecord record, bool? optional = null, string? type = null) =>
        CloudTwinRules.Report(record, [new ReportedProperty("t", null, null, optional, type)], 9).Record;

    private static DeviceRecord Want(DeviceRecord record, string value) =>
        CloudTwinRules.Want(record, Values("t", value), ImmutableDictionary<string, string>.Empty, null, 1).Record;

    private static DeviceRecord Show(DeviceRecord record, (string Value, long Cloud, long Edge)? expected = null, (string Value, long Cloud, long Edge)? actual = null, long at = 1) =>
        CloudTwinRules.Report(record, [expected is { } e ? Expected(e.Value, e.Cloud, e.Edge, at) : Actual(actual!.Value.Value, actual.Value.Cloud, actual.Value.Edge, at)], 9).Record;

    private static ReportedProperty Expected(string value, long cloud, long edge, long at) => new("t", Value(value, cloud, edge, at), null, true, "string");

    private static ReportedProperty Actual(string value, long cloud, long edge, long at) => new("t", null, Value(value, cloud, edge, at), true, "string");

    private static TwinValue Value(string value, long cloud, long edge, long at) => new() { Value = value, Timestamp = at, Version = new TwinVersion(cloud, edge) };

    private static Dictionary<string, string> Values(string property, string value) => new(StringComparer.Ordinal) { [property] = value };

    private static ResourceHead Head() => new() { Uid = "u", Labels = OrdinalMap.Empty, Annotations = OrdinalMap.Empty, Spec = "{}" };
}
