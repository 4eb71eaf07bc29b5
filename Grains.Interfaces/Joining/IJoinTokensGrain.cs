using System.Collections.Immutable;

namespace EdgeOrleans.Joining;

/// <summary>The cloud's join tokens. Key: <see cref="Key"/>.</summary>
[Alias("IJoinTokensGrain")]
public interface IJoinTokensGrain : IGrainWithStringKey
{
    /// <summary>The key of the one list of a cloud.</summary>
    const string Key = "cloud";

    /// <summary>Makes a token. Its text is in the answer and nowhere else: only a hash of it is kept.</summary>
    /// <exception cref="RefusedException">400 the name, the group, the time or the number of uses is not possible; 503 there are too many tokens.</exception>
    [Alias("Create")]
    Task<NewJoinToken> CreateAsync(JoinTokenRequest request);

    /// <summary>All tokens, the newest first; one that is over stays in the list for a day.</summary>
    [Alias("List")]
    Task<ImmutableArray<JoinTokenView>> ListAsync();

    /// <summary>Ends a token now. Certificates that were given for it stay good.</summary>
    /// <exception cref="RefusedException">404 no such token.</exception>
    [Alias("Revoke")]
    Task RevokeAsync(string id);
}

/// <summary>For whom a token is to be.</summary>
[GenerateSerializer, Immutable, Alias("cloud.join-token-request")]
public sealed record JoinTokenRequest
{
    /// <summary>The one node that may join with it; empty for any new node, which then needs <see cref="Group"/>.</summary>
    [Id(0)]
    public string Node { get; init; } = "";

    /// <summary>The group of nodes that it is for; a label of the token, and empty for none.</summary>
    [Id(1)]
    public string Group { get; init; } = "";

    /// <summary>How long it is good: one minute to 30 days. Default: one hour.</summary>
    [Id(2)]
    public TimeSpan Lifetime { get; init; } = TimeSpan.FromHours(1);

    /// <summary>With how many keys it may be used: more than one only for a group. The same key again is no further use. Default: 1.</summary>
    [Id(3)]
    public int Uses { get; init; } = 1;
}

/// <summary>A token that was just made.</summary>
/// <param name="Id">Its name in lists and in the log.</param>
/// <param name="Token">Its text, a secret.</param>
[GenerateSerializer, Immutable, Alias("cloud.new-join-token")]
public sealed record NewJoinToken([property: Id(0)] string Id, [property: Id(1)] string Token)
{
    /// <summary>Its id: what is a secret has no text of its own.</summary>
    public override string ToString() => Id;
}

/// <summary>A token as it is listed.</summary>
[GenerateSerializer, Immutable, Alias("cloud.join-token-view")]
public sealed record JoinTokenView
{
    /// <summary>Its name.</summary>
    [Id(0)]
    public required string Id { get; init; }

    /// <summary>The one node that may use it; empty for any of the group.</summary>
    [Id(1)]
    public string Node { get; init; } = "";

    /// <summary>The group.</summary>
    [Id(2)]
    public string Group { get; init; } = "";

    /// <summary>When it was made.</summary>
    [Id(3)]
    public DateTimeOffset Created { get; init; }

    /// <summary>When it ends.</summary>
    [Id(4)]
    public DateTimeOffset Expires { get; init; }

    /// <summary>How often it was used.</summary>
    [Id(5)]
    public int Used { get; init; }

    /// <summary>How often it may be used.</summary>
    [Id(6)]
    public int Uses { get; init; }

    /// <summary><c>open</c>, <c>used</c>, <c>expired</c> or <c>revoked</c>.</summary>
    [Id(7)]
    public required string State { get; init; }
}
