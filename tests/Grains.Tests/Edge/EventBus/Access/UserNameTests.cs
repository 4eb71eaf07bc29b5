namespace EdgeOrleans.Edge.EventBus.Access;

public sealed class UserNameTests
{
    [Theory]
    [InlineData("a")]
    [InlineData("pump-1")]
    [InlineData("default/pump-1")]
    [InlineData("Jörg Müller")]
    [InlineData("user@plant.example")]
    [InlineData("$x")]
    [InlineData("😀")]
    public void A_good_name_is_taken(string name) => Assert.Null(UserName.Refuses(name, "node"));

    [Theory]
    [InlineData("")]
    [InlineData("a:b")]
    [InlineData("a+b")]
    [InlineData("+")]
    [InlineData("#")]
    [InlineData("a#")]
    [InlineData("a\nb")]
    [InlineData("a\0")]
    [InlineData("a\u007f")]
    [InlineData("a\u0085b")]
    [InlineData(" a")]
    [InlineData("a ")]
    [InlineData("/a")]
    [InlineData("a/")]
    [InlineData("/")]
    [InlineData("a/b/c")]
    [InlineData("node")]
    [InlineData("NODE")]
    public void A_bad_name_is_told_why(string name) => Assert.NotEmpty(UserName.Refuses(name, "node")!);

    [Fact]
    public void A_name_has_256_characters_at_the_most()
    {
        Assert.Null(UserName.Refuses(new string('a', 256), ""));
        Assert.NotNull(UserName.Refuses(new string('a', 257), ""));
    }

    [Fact]
    public void Half_a_character_is_no_name()
    {
        Assert.NotNull(UserName.Refuses("a\ud83d", ""));
        Assert.NotNull(UserName.Refuses("a\ude00b", ""));
    }

    [Fact]
    public void Without_a_reserved_name_none_is_reserved() => Assert.Null(UserName.Refuses("node", ""));
}
