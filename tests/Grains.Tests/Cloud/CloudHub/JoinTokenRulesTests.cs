using System.Text.Json;
using EdgeOrleans.Joining;

namespace EdgeOrleans.Cloud.CloudHub;

public sealed class JoinTokenRulesTests
{
    private static readonly DateTimeOffset Noon = new(2027, 1, 1, 12, 0, 0, TimeSpan.Zero);

    [Fact]
    public void A_token_is_for_one_key_and_that_key_may_ask_again()
    {
        var (tokens, bearer) = Create(new JoinTokenRequest { Node = "edge-1" });

        var (used, token, _) = Redeem(tokens, bearer, "edge-1", "key-1");
        var again = Redeem(used, bearer, "edge-1", "key-1");
        var other = Redeem(used, bearer, "edge-1", "key-2");

        Assert.Equal("used", token!.StateAt(Noon));
        Assert.Same(used, again.Tokens);
        Assert.NotNull(again.Token);
        Assert.Equal("token-used", other.Refusal?.Reason);
    }

    [Fact]
    public void A_token_is_over_when_its_time_is_over_even_for_the_key_that_used_it()
    {
        var (tokens, bearer) = Create(new JoinTokenRequest { Node = "edge-1", Lifetime = TimeSpan.FromHours(1) });
        var (used, _, _) = Redeem(tokens, bearer, "edge-1", "key-1");

        Assert.NotNull(JoinTokenRules.Redeem(used, JoinTokenRules.Hash(bearer), "edge-1", "key-1", Noon.AddMinutes(59)).Token);
        Assert.Equal("token-expired", JoinTokenRules.Redeem(used, JoinTokenRules.Hash(bearer), "edge-1", "key-1", Noon.AddHours(1)).Refusal?.Reason);
    }

    [Fact]
    public void A_token_is_for_its_node_alone()
    {
        var (tokens, bearer) = Create(new JoinTokenRequest { Node = "edge-1" });

        var (after, _, refusal) = Redeem(tokens, bearer, "edge-2", "key-1");

        Assert.Equal("token-other-node", refusal?.Reason);
        Assert.Same(tokens, after);
    }

    [Fact]
    public void A_revoked_token_is_over_at_once()
    {
        var (tokens, bearer) = Create(new JoinTokenRequest { Node = "edge-1" });

        var revoked = JoinTokenRules.Revoke(tokens, tokens.Tokens[0].Id)!;

        Assert.Equal("token-revoked", Redeem(revoked, bearer, "edge-1", "key-1").Refusal?.Reason);
        Assert.Null(JoinTokenRules.Revoke(tokens, "other"));
    }

    [Fact]
    public void A_token_that_was_changed_by_one_letter_is_unknown()
    {
        var (tokens, bearer) = Create(new JoinTokenRequest { Node = "edge-1" });
        var claims = bearer.Split('.');
        claims[1] = (claims[1][0] == 'A' ? 'B' : 'A') + claims[1][1..];

        Assert.Equal("token-unknown", Redeem(tokens, string.Join('.', claims), "edge-1", "key-1").Refusal?.Reason);
    }

    [Fact]
    public void A_token_of_a_group_serves_as_many_nodes_as_it_says()
    {
        var (tokens, bearer) = Create(new JoinTokenRequest { Group = "shop", Uses = 2 });

        (tokens, var first, _) = Redeem(tokens, bearer, "edge-1", "key-1");
        (tokens, _, _) = Redeem(tokens, bearer, "edge-2", "key-2");

        Assert.Equal("open", first!.StateAt(Noon));
        Assert.Equal("token-used", Redeem(tokens, bearer, "edge-3", "key-3").Refusal?.Reason);
        Assert.NotNull(Redeem(tokens, bearer, "edge-2", "key-2").Token);
    }

    [Fact]
    public void W4_What_is_stored_cannot_be_used_as_a_token()
    {
        var (tokens, bearer) = Create(new JoinTokenRequest { Node = "edge-1" });

        var stored = JsonSerializer.Serialize(tokens, CloudHubJson.Default.JoinTokensRecord);
        var read = JsonSerializer.Deserialize(stored, CloudHubJson.Default.JoinTokensRecord)!;

        Assert.All(bearer.Split('.'), part => Assert.DoesNotContain(part, stored, StringComparison.Ordinal));
        Assert.NotNull(Redeem(read, bearer, "edge-1", "key-1").Token);
        Assert.DoesNotContain(bearer.Split('.')[2], JsonSerializer.Serialize(Redeem(read, bearer, "edge-1", "key-1").Tokens, CloudHubJson.Default.JoinTokensRecord), StringComparison.Ordinal);
    }

    [Fact]
    public void A_token_has_the_form_that_edgecore_takes()
    {
        var (_, bearer) = Create(new JoinTokenRequest { Node = "edge-1", Lifetime = TimeSpan.FromHours(1) });
        var parts = bearer.Split('.');

        Assert.Equal("eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9", parts[0]);
        using var claims = JsonDocument.Parse(System.Buffers.Text.Base64Url.DecodeFromChars(parts[1]));
        Assert.Equal(Noon.AddHours(1).ToUnixTimeSeconds(), claims.RootElement.GetProperty("exp").GetInt64());
        Assert.Equal(32, System.Buffers.Text.Base64Url.DecodeFromChars(parts[2]).Length);
        Assert.True(JoinToken.TryParse(JoinToken.Format(new string('0', 64), bearer), out _));
    }

    [Theory]
    [InlineData("", "", 1, 60)]
    [InlineData("Edge_1", "", 1, 60)]
    [InlineData("edge-1", "a b", 1, 60)]
    [InlineData("edge-1", "", 2, 60)]
    [InlineData("", "shop", 0, 60)]
    [InlineData("", "shop", 10_001, 60)]
    [InlineData("edge-1", "", 1, 0)]
    [InlineData("edge-1", "", 1, 31 * 24 * 60)]
    public void A_token_that_makes_no_sense_is_not_made(string node, string group, int uses, int minutes)
    {
        var request = new JoinTokenRequest { Node = node, Group = group, Uses = uses, Lifetime = TimeSpan.FromMinutes(minutes) };

        Assert.Equal(400, Assert.Throws<RefusedException>(() => Create(request)).Code);
    }

    [Fact]
    public void There_are_only_so_many_tokens_and_those_that_are_long_over_make_room()
    {
        var tokens = new JoinTokensRecord();
        for (var i = 0; i < JoinTokenRules.MostTokens; i++)
        {
            tokens = JoinTokenRules.Create(tokens, new JoinTokenRequest { Node = $"edge-{i}" }, Noon).Tokens;
        }

        Assert.Equal(503, Assert.Throws<RefusedException>(() => JoinTokenRules.Create(tokens, new JoinTokenRequest { Node = "more" }, Noon)).Code);
        Assert.Single(JoinTokenRules.Create(tokens, new JoinTokenRequest { Node = "more" }, Noon.AddHours(26)).Tokens.Tokens);
    }

    private static (JoinTokensRecord Tokens, string Bearer) Create(JoinTokenRequest request)
    {
        var (tokens, _, bearer) = JoinTokenRules.Create(new JoinTokensRecord(), request, Noon);
        return (tokens, bearer);
    }

    private static (JoinTokensRecord Tokens, JoinTokenRecord? Token, Refusal? Refusal) Redeem(JoinTokensRecord tokens, string bearer, string node, string key) =>
        JoinTokenRules.Redeem(tokens, JoinTokenRules.Hash(bearer), node, key, Noon);
}
