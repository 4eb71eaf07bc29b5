using System.Collections.Immutable;
using System.Security.Cryptography;
using System.Text;
using EdgeOrleans.Joining;
using EdgeOrleans.Nodes;

namespace EdgeOrleans.Cloud.CloudHub;

/// <summary>What may be asked of tokens, and who may use one.</summary>
internal static class JoinTokenRules
{
    public const int MostTokens = 1_000;
    public const int MostUses = 10_000;

    // One list is written with every change of a token: this is what bounds it.
    private const int MostUsesOfAll = 20_000;
    private const string IdLetters = "abcdefghijkmnpqrstuvwxyz23456789";

    private static readonly TimeSpan Shortest = TimeSpan.FromMinutes(1);
    private static readonly TimeSpan Longest = TimeSpan.FromDays(30);
    private static readonly TimeSpan ListedAfterwards = TimeSpan.FromDays(1);

    /// <summary>The tokens with a new one, and what is sent as bearer with it.</summary>
    /// <exception cref="RefusedException">The request is not possible, or there are too many.</exception>
    public static (JoinTokensRecord Tokens, JoinTokenRecord Token, string Bearer) Create(JoinTokensRecord tokens, JoinTokenRequest request, DateTimeOffset now)
    {
        Check(request);
        var kept = Prune(tokens, now).Tokens;
        if (kept.Length >= MostTokens || kept.Where(t => t.StateAt(now) == "open").Sum(t => t.Uses) + request.Uses > MostUsesOfAll)
        {
            throw new RefusedException(503, $"there are too many tokens ({MostTokens} with {MostUsesOfAll} uses at the most); revoke some, or let them expire");
        }

        var (id, expires) = (RandomNumberGenerator.GetString(IdLetters, 10), now + request.Lifetime);
        var bearer = Bearer(id, expires);
        var token = new JoinTokenRecord
        {
            Id = id, Hash = Hash(bearer), Node = request.Node, Group = request.Group, Created = now, Expires = expires, Uses = request.Uses,
        };
        return (tokens with { Tokens = kept.Add(token) }, token, bearer);
    }

    /// <summary>Uses a token for a key of a node. The same key of the same node is no further use: an answer may have been lost.</summary>
    /// <returns>The tokens, the same object when nothing changed; and the token or why it is of no use.</returns>
    public static (JoinTokensRecord Tokens, JoinTokenRecord? Token, Refusal? Refusal) Redeem(
        JoinTokensRecord tokens, byte[] hash, string node, string keyHash, DateTimeOffset now)
    {
        if (Find(tokens, hash) is not { } token)
        {
            return (tokens, null, new Refusal(401, "token-unknown", "the token is not one of this cloud"));
        }

        if (WhyNot(token, node, now) is { } refusal)
        {
            return (tokens, null, refusal);
        }

        var use = UseOf(node, keyHash);
        if (token.UsedBy.Contains(use))
        {
            return (tokens, token, null);
        }

        if (token.UsedBy.Length >= token.Uses)
        {
            return (tokens, null, new Refusal(401, "token-used", $"the token {token.Id} was used already, with another key"));
        }

        var used = token with { UsedBy = token.UsedBy.Add(use) };
        return (tokens with { Tokens = tokens.Tokens.Replace(token, used) }, used, null);
    }

    /// <summary>The tokens with one that is over; null when there is none of that id.</summary>
    public static JoinTokensRecord? Revoke(JoinTokensRecord tokens, string id) => tokens.Tokens.FirstOrDefault(t => t.Id == id) is { } token
        ? tokens with { Tokens = tokens.Tokens.Replace(token, token with { Revoked = true }) }
        : null;

    /// <summary>What is kept of what a node sends as bearer.</summary>
    public static byte[] Hash(string bearer) => SHA256.HashData(Encoding.UTF8.GetBytes(bearer));

    private static void Check(JoinTokenRequest request)
    {
        if (request.Node.Length == 0 && request.Group.Length == 0)
        {
            throw new RefusedException(400, "a token is for a node or for a group; name one");
        }

        if (request.Node.Length > 0 && !NodeName.IsValid(request.Node))
        {
            throw new RefusedException(400, $"'{request.Node}' is no name of a node; it has lower case letters, digits, '-' and '.', and begins and ends with a letter or digit");
        }

        if (request.Group.Length > 0 && !NodeName.IsValid(request.Group))
        {
            throw new RefusedException(400, $"'{request.Group}' is no name of a group; it has lower case letters, digits, '-' and '.', and begins and ends with a letter or digit");
        }

        if (request.Lifetime < Shortest || request.Lifetime > Longest)
        {
            throw new RefusedException(400, "a token is good for one minute to 30 days");
        }

        if (request.Uses < 1 || request.Uses > (request.Node.Length > 0 ? 1 : MostUses))
        {
            throw new RefusedException(400, $"a token for a node is for one use, one for a group is for 1 to {MostUses}");
        }
    }

    // A token that is over stays in the list for a day, so that a person sees what became of it.
    private static JoinTokensRecord Prune(JoinTokensRecord tokens, DateTimeOffset now) =>
        tokens with { Tokens = tokens.Tokens.RemoveAll(t => t.Expires + ListedAfterwards < now) };

    // All are compared, each in constant time: how long it takes says nothing about any of them.
    private static JoinTokenRecord? Find(JoinTokensRecord tokens, byte[] hash)
    {
        JoinTokenRecord? found = null;
        foreach (var token in tokens.Tokens)
        {
            found = CryptographicOperations.FixedTimeEquals(token.Hash, hash) ? token : found;
        }

        return found;
    }

    private static Refusal? WhyNot(JoinTokenRecord token, string node, DateTimeOffset now)
    {
        if (token.Revoked)
        {
            return new Refusal(401, "token-revoked", $"the token {token.Id} was revoked");
        }

        if (now >= token.Expires)
        {
            return new Refusal(401, "token-expired", $"the token {token.Id} expired at {token.Expires:u}");
        }

        return token.Node.Length > 0 && token.Node != node
            ? new Refusal(401, "token-other-node", $"the token {token.Id} is for another node")
            : null;
    }

    private static string UseOf(string node, string keyHash) => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes($"{node}\n{keyHash}")).AsSpan(0, 16));

    // A JWT to those who look into it. The key of its signature is thrown away: what is compared is the hash of all of it, so nobody who
    // reads what is stored can make a token of it, and no key of ours is worth stealing for that.
    private static string Bearer(string id, DateTimeOffset expires)
    {
        var text = $"{Part("""{"alg":"HS256","typ":"JWT"}""")}.{Part($$"""{"exp":{{expires.ToUnixTimeSeconds()}},"jti":"{{id}}"}""")}";
        var signature = HMACSHA256.HashData(RandomNumberGenerator.GetBytes(32), Encoding.UTF8.GetBytes(text));
        return $"{text}.{System.Buffers.Text.Base64Url.EncodeToString(signature)}";
    }

    private static string Part(string json) => System.Buffers.Text.Base64Url.EncodeToString(Encoding.UTF8.GetBytes(json));
}

/// <summary>What is stored of all tokens.</summary>
internal sealed record JoinTokensRecord
{
    public int Schema { get; init; } = 1;

    public ImmutableArray<JoinTokenRecord> Tokens { get; init; } = [];
}

/// <summary>What is stored of a token: nothing that could be used as one.</summary>
internal sealed record JoinTokenRecord
{
    public required string Id { get; init; }

    /// <summary>SHA-256 of what is sent as bearer.</summary>
    public required byte[] Hash { get; init; }

    public string Node { get; init; } = "";

    public string Group { get; init; } = "";

    public DateTimeOffset Created { get; init; }

    public DateTimeOffset Expires { get; init; }

    public int Uses { get; init; } = 1;

    public bool Revoked { get; init; }

    /// <summary>Who used it: a hash of node and key each.</summary>
    public ImmutableArray<string> UsedBy { get; init; } = [];

    /// <summary>In a word.</summary>
    public string StateAt(DateTimeOffset now) =>
        Revoked ? "revoked" : UsedBy.Length >= Uses ? "used" : now >= Expires ? "expired" : "open";
}
