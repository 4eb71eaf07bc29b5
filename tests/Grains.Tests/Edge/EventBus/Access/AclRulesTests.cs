using System.Globalization;

namespace EdgeOrleans.Edge.EventBus.Access;

public sealed class AclRulesTests
{
    private const string Rules =
        """
        topic read public/#
        topic write inbox

        user anna
        topic read a/#
        topic write a/in/+
        topic readwrite both
        topic deny a/secret/#

        user bert
        topic #

        pattern readwrite clients/%c/#
        pattern write users/%u/data
        pattern deny clients/%c/locked
        """;

    private static readonly AclRules All = Acl.Of(Rules);

    [Theory]
    [InlineData("anna", "a/b", false, true)]
    [InlineData("anna", "a", false, true)]
    [InlineData("anna", "a/in/x", true, true)]
    [InlineData("anna", "a/in/x/y", false, true)]
    [InlineData("anna", "both", true, true)]
    [InlineData("anna", "a/secret", false, false)]
    [InlineData("anna", "a/secret/x", false, false)]
    [InlineData("anna", "b", false, false)]
    [InlineData("anna", "inbox", false, false)]
    [InlineData("anna", "public/x", false, false)]
    [InlineData("anna", "users/anna/data", true, false)]
    [InlineData("anna", "users/bert/data", false, false)]
    [InlineData("anna", "clients/c/x", true, true)]
    [InlineData("anna", "clients/c", true, true)]
    [InlineData("anna", "clients/d/x", false, false)]
    [InlineData("anna", "clients/c/locked", false, false)]
    [InlineData("bert", "anything/else", true, true)]
    [InlineData("bert", "clients/c/locked", false, false)]
    [InlineData("bert", "clients/d/locked", true, true)]
    [InlineData("bert", "$SYS/x", false, false)]
    [InlineData("carl", "users/carl/data", true, false)]
    [InlineData("carl", "a/b", false, false)]
    [InlineData("carl", "public/x", false, false)]
    [InlineData(null, "public/x", false, true)]
    [InlineData(null, "inbox", true, false)]
    [InlineData(null, "a/b", false, false)]
    [InlineData(null, "clients/c/x", true, true)]
    [InlineData(null, "users//data", false, false)]
    public void A_client_may_publish_and_hear_what_its_rules_say(string? user, string topic, bool mayPublish, bool mayHear)
    {
        var identity = user is null ? Acl.Nobody("c") : Acl.User(user, "c");

        Assert.Equal(mayPublish, All.MayPublish(identity, topic));
        Assert.Equal(mayHear, All.MaySubscribe(identity, topic));
    }

    [Theory]
    [InlineData("anna", "a/b/#", true)]
    [InlineData("anna", "a/b/+", true)]
    [InlineData("anna", "a/#", false)]
    [InlineData("anna", "a/+", false)]
    [InlineData("anna", "a/+/x", false)]
    [InlineData("anna", "a/secret/#", false)]
    [InlineData("anna", "#", false)]
    [InlineData("anna", "+/b", false)]
    [InlineData("anna", "clients/c/#", false)]
    [InlineData("anna", "clients/c/x/#", true)]
    [InlineData("anna", "clients/+/x", false)]
    [InlineData("bert", "b/#", true)]
    [InlineData("bert", "#", false)]
    [InlineData("bert", "clients/d/#", true)]
    [InlineData("bert", "clients/+/x", true)]
    [InlineData("bert", "clients/#", false)]
    [InlineData("bert", "$SYS/#", false)]
    [InlineData(null, "public/#", true)]
    [InlineData(null, "public/+/x", true)]
    [InlineData(null, "#", false)]
    public void A_subscription_is_granted_when_all_it_stands_for_may_be_heard(string? user, string filter, bool isGranted) =>
        Assert.Equal(isGranted, All.MaySubscribe(user is null ? Acl.Nobody("c") : Acl.User(user, "c"), filter));

    [Theory]
    [InlineData("#")]
    [InlineData("+")]
    [InlineData("a+")]
    [InlineData("a#b")]
    [InlineData("x/y")]
    [InlineData("x/#")]
    [InlineData("")]
    public void A_client_id_with_a_wildcard_or_a_slash_matches_no_pattern_that_allows(string clientId)
    {
        var rules = Acl.Of("pattern readwrite clients/%c/#\npattern readwrite %c/x");
        var identity = Acl.User("anna", clientId);

        Assert.All(
            ["clients/a/x", "clients/other", "clients/x/y/z", "clients//x", "clients/" + clientId, "a/x", "/x", clientId + "/x"],
            topic => Assert.False(rules.MayPublish(identity, topic) || rules.MaySubscribe(identity, topic), topic));
        Assert.False(rules.MaySubscribe(identity, "clients/#"));
        Assert.False(rules.MaySubscribe(identity, "#"));
    }

    [Theory]
    [InlineData("#")]
    [InlineData("+")]
    [InlineData("default/+")]
    public void A_user_with_a_wildcard_matches_no_pattern_that_allows(string user)
    {
        var rules = Acl.Of("pattern readwrite users/%u/x");

        Assert.False(rules.MayPublish(Acl.User(user), "users/a/x"));
        Assert.False(rules.MaySubscribe(Acl.User(user), $"users/{user}/x"));
    }

    [Theory]
    [InlineData("$hw")]
    [InlineData("$SYS")]
    [InlineData("$")]
    public void A_name_that_begins_with_a_dollar_opens_no_topic_of_the_node(string name)
    {
        var rules = Acl.Of("pattern readwrite %c/#\npattern readwrite %u/#\npattern read at/%c");

        Assert.False(rules.MaySubscribe(Acl.User("anna", name), $"{name}/#"));
        Assert.False(rules.MayPublish(Acl.User(name, "c"), $"{name}/x"));
        Assert.True(rules.MaySubscribe(Acl.User("anna", name), $"at/{name}"));
    }

    [Fact]
    public void A_device_name_with_its_namespace_fills_two_levels()
    {
        var rules = Acl.Of("pattern write $hw/events/device/%u/twin/update");

        Assert.True(rules.MayPublish(Acl.User("default/pump-1"), "$hw/events/device/default/pump-1/twin/update"));
        Assert.False(rules.MayPublish(Acl.User("default/pump-1"), "$hw/events/device/default/pump-2/twin/update"));
    }

    [Fact]
    public void A_pattern_that_denies_is_left_out_for_no_client_id()
    {
        var rules = Acl.Of("user anna\ntopic #\npattern deny clients/%c/secret");

        Assert.False(rules.MaySubscribe(Acl.User("anna", "x/y"), "clients/x/y/secret"));
        Assert.False(rules.MaySubscribe(Acl.User("anna", "#"), "clients/a/secret"));
        Assert.False(rules.MayPublish(Acl.User("anna", "+"), "clients/a/secret"));
        Assert.True(rules.MaySubscribe(Acl.User("anna", "a"), "clients/b/secret"));
    }

    [Fact]
    public void Placeholders_in_a_topic_are_text_and_in_a_value_too()
    {
        var rules = Acl.Of("user anna\ntopic read t/%u\npattern read p/%c/%u");

        Assert.True(rules.MaySubscribe(Acl.User("anna"), "t/%u"));
        Assert.False(rules.MaySubscribe(Acl.User("anna"), "t/anna"));
        Assert.True(rules.MaySubscribe(Acl.User("anna", "%u"), "p/%u/anna"));
        Assert.False(rules.MaySubscribe(Acl.User("anna", "%u"), "p/anna/anna"));
    }

    [Fact]
    public void A_pattern_without_a_placeholder_is_for_all_and_one_with_a_user_for_none_who_has_none()
    {
        var rules = Acl.Of("pattern read all\npattern read %u/x\npattern deny %u/x/%c");

        Assert.True(rules.MaySubscribe(Acl.Nobody("c"), "all"));
        Assert.True(rules.MaySubscribe(Acl.User("anna"), "all"));
        Assert.False(rules.MaySubscribe(Acl.Nobody("c"), "%u/x"));
        Assert.False(rules.MaySubscribe(Acl.Nobody("c"), "/x"));
    }

    [Fact]
    public void The_longest_names_in_the_most_places_are_filled_in()
    {
        var rules = Acl.Of("pattern read " + string.Join('/', Enumerable.Repeat("%c", 340)));
        var id = new string('i', 1_024);

        Assert.True(rules.MaySubscribe(Acl.Nobody(id), string.Join('/', Enumerable.Repeat(id, 340))));
    }

    [Fact]
    public void An_anonymous_client_has_no_users_rules_whatever_it_says() =>
        Assert.False(All.MaySubscribe(new AccessIdentity("c", "bert", IsAnonymous: true), "a"));

    // By chance, with a seed that a failure names: many small files of rules, many wishes.
    [Fact]
    public void What_is_granted_can_be_heard_topic_by_topic_and_what_is_refused_by_one_rule_cannot()
    {
        var topics = TopicFiltersTests.Texts(["a", "b", "$x"], 3).Concat(["a/c/q", "zz"]).ToArray();
        var filters = TopicFiltersTests.Texts(["a", "b", "$x", "c", "+", "#"], 3).Where(f => TopicFilters.IsFilter(f)).ToArray();
        var granted = 0;
        for (var seed = 0; seed < 400; seed++)
        {
            var random = new Random(seed);
            var lines = Enumerable.Range(0, 1 + random.Next(5)).Select(_ => (Access: Pick(random, "read", "deny", "read"), Filter: Pick(random, filters))).ToArray();
            var rules = Acl.Of("user u\n" + string.Join('\n', lines.Select(l => $"topic {l.Access} {l.Filter}")));
            foreach (var wish in Enumerable.Range(0, 40).Select(_ => Pick(random, filters)))
            {
                if (rules.MaySubscribe(Acl.User("u"), wish))
                {
                    granted++;
                    Assert.All(topics.Where(t => TopicFiltersTests.SaysMqtt(wish, t)), topic => Assert.True(IsReadable(lines, topic), Say(seed, lines, wish, topic)));
                }
            }

            Assert.All(topics, topic => Assert.True(rules.MaySubscribe(Acl.User("u"), topic) == IsReadable(lines, topic), Say(seed, lines, topic, topic)));
        }

        Assert.True(granted > 500, "enough was granted to mean something: " + granted.ToString(CultureInfo.InvariantCulture));
    }

    private static bool IsReadable((string Access, string Filter)[] lines, string topic) =>
        Array.Exists(lines, l => l.Access == "read" && TopicFiltersTests.SaysMqtt(l.Filter, topic))
        && !Array.Exists(lines, l => l.Access == "deny" && TopicFiltersTests.SaysMqtt(l.Filter, topic));

    private static string Say(int seed, (string Access, string Filter)[] lines, string wish, string topic) =>
        $"seed {seed}: {string.Join(", ", lines.Select(l => $"{l.Access} {l.Filter}"))}; wish {wish}; topic {topic}";

    private static T Pick<T>(Random random, params T[] from) => from[random.Next(from.Length)];
}
