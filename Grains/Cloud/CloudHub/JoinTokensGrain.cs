using System.Collections.Immutable;
using System.Security.Cryptography;
using EdgeOrleans.DbManager;
using EdgeOrleans.Joining;
using Microsoft.Extensions.Logging;

namespace EdgeOrleans.Cloud.CloudHub;

/// <summary>Lets a node use a token. Key: <see cref="IJoinTokensGrain.Key"/>.</summary>
[Alias("IJoinTokenRedeemer")]
internal interface IJoinTokenRedeemer : IGrainWithStringKey
{
    /// <summary>Uses a token for a key of a node; the same node and key any number of times.</summary>
    /// <param name="hash">SHA-256 of what was sent as bearer.</param>
    /// <param name="node">Who the sender says that it is.</param>
    /// <param name="key">The public key, SubjectPublicKeyInfo.</param>
    [Alias("Redeem")]
    Task<Redemption> RedeemAsync(byte[] hash, string node, byte[] key);

    /// <summary>Ends all open tokens that are for one node alone.</summary>
    [Alias("RevokeOf")]
    Task RevokeOfAsync(string node);
}

/// <summary>Owns the join tokens. A use counts when it is on disk, before there is a certificate for it.</summary>
[GrainType("cloud.join-tokens")]
internal sealed partial class JoinTokensGrain(
    [PersistentState("join-tokens", DbManagerModule.State)] IPersistentState<JoinTokensRecord> stored,
    CertificateAuthority authority,
    TimeProvider time,
    ILogger<JoinTokensGrain> logger) : Grain, IJoinTokensGrain, IJoinTokenRedeemer
{
    public async Task<NewJoinToken> CreateAsync(JoinTokenRequest request)
    {
        var (tokens, token, bearer) = JoinTokenRules.Create(stored.State, request, time.GetUtcNow());
        await WriteAsync(tokens);
        LogCreated(token.Id, token.Node.Length > 0 ? $"node {token.Node}" : $"group {token.Group}", token.Expires);
        return new NewJoinToken(token.Id, JoinToken.Format(authority.Hash, bearer));
    }

    public Task<ImmutableArray<JoinTokenView>> ListAsync()
    {
        var now = time.GetUtcNow();
        return Task.FromResult<ImmutableArray<JoinTokenView>>([.. stored.State.Tokens.Reverse().Select(t => new JoinTokenView
        {
            Id = t.Id,
            Node = t.Node,
            Group = t.Group,
            Created = t.Created,
            Expires = t.Expires,
            Used = t.UsedBy.Length,
            Uses = t.Uses,
            State = t.StateAt(now),
        })]);
    }

    public async Task RevokeAsync(string id)
    {
        await WriteAsync(JoinTokenRules.Revoke(stored.State, id) ?? throw new RefusedException(404, $"there is no token '{id}'"));
        LogRevoked(id);
    }

    public async Task<Redemption> RedeemAsync(byte[] hash, string node, byte[] key)
    {
        var keyHash = Convert.ToHexStringLower(SHA256.HashData(key));
        var (tokens, token, refusal) = JoinTokenRules.Redeem(stored.State, hash, node, keyHash, time.GetUtcNow());
        if (!ReferenceEquals(tokens, stored.State))
        {
            await WriteAsync(tokens);
        }

        return token is not null
            ? new Redemption { Token = token.Id, Group = token.Group, OnlyNew = token.Node.Length == 0 }
            : new Redemption { Reason = refusal!.Reason, Sentence = refusal.Sentence };
    }

    public async Task RevokeOfAsync(string node)
    {
        var now = time.GetUtcNow();
        foreach (var token in stored.State.Tokens.Where(t => t.Node == node && t.StateAt(now) == "open").ToList())
        {
            await RevokeAsync(token.Id);
        }
    }

    private Task WriteAsync(JoinTokensRecord record) => stored.ReplaceAsync(record, DeactivateOnIdle);

    [LoggerMessage(LogLevel.Information, "Token {Id} was made for {Whom}, good until {Until:u}")]
    private partial void LogCreated(string id, string whom, DateTimeOffset until);

    [LoggerMessage(LogLevel.Information, "Token {Id} was revoked")]
    private partial void LogRevoked(string id);
}

/// <summary>A token that may be used, or why it may not.</summary>
[GenerateSerializer, Immutable, Alias("cloud.redemption")]
internal sealed record Redemption
{
    /// <summary>The token's id; empty when it was refused.</summary>
    [Id(0)]
    public string Token { get; init; } = "";

    [Id(1)]
    public string Group { get; init; } = "";

    /// <summary>Whether it is for nodes that have no certificate yet.</summary>
    [Id(2)]
    public bool OnlyNew { get; init; }

    [Id(3)]
    public string Reason { get; init; } = "";

    [Id(4)]
    public string Sentence { get; init; } = "";
}
