namespace EdgeOrleans.Joining;

public sealed class JoinTokenTests
{
    // As the reference has it from a stock cloud.
    private const string Stock =
        "a5d83931a638c875c8a4573772130b4683977d5d13abbd8415b093df3f17524c.eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJleHAiOjE3OTU1MDkyMDd9.Yn7wLYn6rNNBm3yjqJe6ANynFBYDb8aimop-erIvvcQ";

    [Fact]
    public void A_stock_token_is_read_and_only_its_last_three_parts_are_sent()
    {
        Assert.True(JoinToken.TryParse($" {Stock}\n", out var token));

        Assert.Equal("a5d83931a638c875c8a4573772130b4683977d5d13abbd8415b093df3f17524c", token.CaHash);
        Assert.Equal("eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJleHAiOjE3OTU1MDkyMDd9.Yn7wLYn6rNNBm3yjqJe6ANynFBYDb8aimop-erIvvcQ", token.Bearer);
    }

    [Fact]
    public void An_authority_that_did_not_make_the_token_is_not_trusted()
    {
        byte[] authority = [0x30, 0x82, 1, 2, 3];
        Assert.True(JoinToken.TryParse(JoinToken.Format(JoinToken.HashOf(authority), "a.b.c"), out var token));

        Assert.True(token.Trusts(authority));
        Assert.False(token.Trusts([0x30, 0x82, 1, 2, 4]));
    }

    [Theory]
    [InlineData(null)]
    [InlineData("")]
    [InlineData("a.b.c")]
    [InlineData("abc.b.c.d")]
    [InlineData("A5D83931A638C875C8A4573772130B4683977D5D13ABBD8415B093DF3F17524C.a.b.c")]
    [InlineData("a5d83931a638c875c8a4573772130b4683977d5d13abbd8415b093df3f17524c.a.b.c.d")]
    [InlineData("a5d83931a638c875c8a4573772130b4683977d5d13abbd8415b093df3f17524c.a..c")]
    [InlineData("a5d83931a638c875c8a4573772130b4683977d5d13abbd8415b093df3f17524c.a.b c.d")]
    public void What_is_no_token_is_not_read(string? text) => Assert.False(JoinToken.TryParse(text, out _));

    [Fact]
    public void A_token_has_no_text_that_could_get_into_a_log()
    {
        Assert.True(JoinToken.TryParse(Stock, out var token));

        Assert.DoesNotContain("eyJ", $"{token} {new NewJoinToken("abc", Stock)}", StringComparison.Ordinal);
    }
}
