namespace EdgeOrleans.Conformance.Golden;

/// <summary><c>Cases/deviations.json</c>: where this product does something else on purpose.</summary>
internal sealed record Deviations
{
    /// <summary>What is different in every case that it concerns.</summary>
    public required IReadOnlyList<GeneralDeviation> Everywhere { get; init; }

    public required IReadOnlyList<Deviation> Cases { get; init; }

    public required IReadOnlyList<NotYet> NotYet { get; init; }

    public Deviation? Of(string id) => Cases.SingleOrDefault(d => d.Case == id);

    public NotYet? Missing(string id) => NotYet.SingleOrDefault(n => n.Cases.Contains(id));
}

internal sealed record GeneralDeviation(string What, string Reason);

/// <summary>One case: what is done instead, why, and what replaces the golden lines. A list that is not given stays as it is.</summary>
internal sealed record Deviation
{
    public required string Case { get; init; }

    public required string What { get; init; }

    public required string Reason { get; init; }

    public IReadOnlyList<GoldenOut>? Out { get; init; }

    public IReadOnlyList<GoldenHubLine>? Hub { get; init; }

    public IReadOnlyDictionary<string, GoldenDevice>? State { get; init; }

    public GoldenCase Apply(GoldenCase golden) => golden with { Out = Out ?? golden.Out, Hub = Hub ?? golden.Hub, State = State ?? golden.State };
}

/// <summary>Cases of something that is not built, and why.</summary>
internal sealed record NotYet(IReadOnlyList<string> Cases, string Reason);
