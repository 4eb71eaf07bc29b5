using System.Text;

namespace EdgeOrleans.Edge.EventBus.Access;

public sealed class AclFileTests
{
    [Fact]
    public void A_file_as_mosquitto_has_it_is_read()
    {
        var rules = Acl.Of(
            """
            # This affects access control for clients with no username.
            topic read $SYS/#

            # This only affects clients with username "roger".
            user roger
            topic foo/bar
            topic   write   with a space/x

            # This affects all clients.
            pattern write $SYS/broker/connection/%c/state
            """);

        Assert.Equal(4, rules.Count);
        Assert.True(rules.MaySubscribe(Acl.Nobody("c"), "$SYS/#"));
        Assert.False(rules.MaySubscribe(Acl.User("roger"), "$SYS/#"));
        Assert.True(rules.MaySubscribe(Acl.User("roger"), "foo/bar"));
        Assert.True(rules.MayPublish(Acl.User("roger"), "foo/bar"));
        Assert.True(rules.MayPublish(Acl.User("roger"), "with a space/x"));
        Assert.False(rules.MaySubscribe(Acl.User("roger"), "with a space/x"));
        Assert.True(rules.MayPublish(Acl.Nobody("c"), "$SYS/broker/connection/c/state"));
        Assert.False(rules.MayPublish(Acl.Nobody("c"), "$SYS/broker/connection/d/state"));
    }

    [Fact]
    public void Windows_line_ends_tabs_and_a_byte_order_mark_are_read()
    {
        var rules = Acl.Of("\uFEFFuser\tanna\r\n\ttopic read\ta/b \r\n");

        Assert.True(rules.MaySubscribe(Acl.User("anna"), "a/b"));
    }

    [Fact]
    public void A_user_who_is_named_twice_has_the_rules_of_both_places()
    {
        var rules = Acl.Of("user anna\ntopic read a\nuser bert\ntopic read b\nuser anna\ntopic read c");

        Assert.True(rules.MaySubscribe(Acl.User("anna"), "a"));
        Assert.True(rules.MaySubscribe(Acl.User("anna"), "c"));
        Assert.False(rules.MaySubscribe(Acl.User("anna"), "b"));
    }

    [Fact]
    public void A_name_may_have_spaces_within()
    {
        var rules = Acl.Of("user anna of the plant\ntopic read a");

        Assert.True(rules.MaySubscribe(Acl.User("anna of the plant"), "a"));
    }

    [Fact]
    public void An_empty_file_allows_nothing()
    {
        var rules = Acl.Of("");

        Assert.False(rules.MaySubscribe(Acl.User("anna"), "a"));
        Assert.False(rules.MayPublish(Acl.Nobody("c"), "a"));
    }

    [Theory]
    [InlineData("topics read a", "begins no rule")]
    [InlineData("Topic read a", "begins no rule")]
    [InlineData("a/b", "begins no rule")]
    [InlineData("user", "without a name")]
    [InlineData("user a:b", "':'")]
    [InlineData("user #", "'#'")]
    [InlineData("topic", "0 characters")]
    [InlineData("pattern", "0 characters")]
    [InlineData("topic reads a", "is no access")]
    [InlineData("topic a b", "is no access")]
    [InlineData("topic read a#", "no topic filter")]
    [InlineData("topic read a/#/b", "no topic filter")]
    [InlineData("pattern a+/%c", "no topic filter")]
    [InlineData("topic read a\0b", "no topic filter")]
    public void A_wrong_line_is_told_with_what_would_be_right(string line, string part)
    {
        var error = Assert.Throws<AccessFileException>(() => Acl.Of($"# rules\n\n{line}\ntopic read ok"));

        Assert.Equal(3, error.Line);
        Assert.StartsWith("rules.acl, line 3: ", error.Message, StringComparison.Ordinal);
        Assert.Contains(part, error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_long_line_is_not_shown_as_a_whole() =>
        Assert.True(Assert.Throws<AccessFileException>(() => Acl.Of(new string('x', 100_000))).Message.Length < 400);

    [Fact]
    public void Rules_and_their_topics_are_bounded()
    {
        Assert.Equal(10_000, Acl.Of(Lines("topic read a", 10_000)).Count);
        Assert.Equal(10_001, Assert.Throws<AccessFileException>(() => Acl.Of(Lines("topic read a", 10_001))).Line);
        Assert.Equal(10_001, Assert.Throws<AccessFileException>(() => Acl.Of(Lines("user anna", 10_001))).Line);
        Assert.Equal(1, Acl.Of("topic read " + new string('a', 1_024)).Count);
        Assert.Throws<AccessFileException>(() => Acl.Of("topic read " + new string('a', 1_025)));
    }

    [Fact]
    public void Text_that_is_no_UTF8_is_an_error_of_its_line() =>
        Assert.Equal(2, Assert.Throws<AccessFileException>(() => new AclFile("rules.acl").Parse([(byte)'\n', 0xC3])).Line);

    [Fact]
    public void A_file_that_is_not_there_is_said_so() =>
        Assert.Contains("no such file", Assert.Throws<AccessFileException>(() => new AclFile("/nowhere/rules.acl").Load()).Message, StringComparison.Ordinal);

    private static string Lines(string line, int count) => string.Join('\n', Enumerable.Repeat(line, count));
}

/// <summary>Rules and clients of tests.</summary>
internal static class Acl
{
    public static AclRules Of(string text) => new AclFile("rules.acl").Parse(Encoding.UTF8.GetBytes(text));

    public static AccessIdentity User(string name, string clientId = "client") => new(clientId, name, IsAnonymous: false);

    public static AccessIdentity Nobody(string clientId) => new(clientId, null, IsAnonymous: true);
}
