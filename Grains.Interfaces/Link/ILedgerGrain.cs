using System.Collections.Immutable;

namespace EdgeOrleans.Link;

/// <summary>What became of everything that was to go over the link. Key: <see cref="Key"/>.</summary>
[Alias("ILedgerGrain")]
public interface ILedgerGrain : IGrainWithStringKey
{
    /// <summary>The key of the one ledger of a node or cloud.</summary>
    const string Key = "ledger";

    /// <summary>All classes in the order of their names, as the last commit left them.</summary>
    [Alias("Get")]
    Task<ImmutableArray<LedgerEntry>> GetAsync();
}

/// <summary>
/// What became of everything of one class: accepted = delivered + unconfirmed + waiting + superseded + expired + refused, at any time,
/// whatever was killed in between.
/// </summary>
[GenerateSerializer, Immutable, Alias("link.ledger-entry")]
public sealed record LedgerEntry
{
    /// <summary>The class.</summary>
    [Id(0)]
    public required string Class { get; init; }

    /// <summary>What was taken to be sent.</summary>
    [Id(1)]
    public long Accepted { get; init; }

    /// <summary>What the other end has said that it has.</summary>
    [Id(2)]
    public long Delivered { get; init; }

    /// <summary>What has left and cannot be confirmed in this dialect of the link: nobody knows whether it arrived.</summary>
    [Id(3)]
    public long Unconfirmed { get; init; }

    /// <summary>What is still to be sent or confirmed.</summary>
    [Id(4)]
    public long Waiting { get; init; }

    /// <summary>What a newer one of the same key replaced while it waited.</summary>
    [Id(5)]
    public long Superseded { get; init; }

    /// <summary>What became too old.</summary>
    [Id(6)]
    public long Expired { get; init; }

    /// <summary>What the other end did not want, or what came over the cap, after it was accepted; by reason.</summary>
    [Id(7)]
    public ImmutableSortedDictionary<string, long> Refused { get; init; } = ImmutableSortedDictionary<string, long>.Empty;
}
