using System.Collections.Immutable;

namespace EdgeOrleans.Link;

/// <summary>Tells the ledger of this process, whatever its role. It keeps nothing, so any number of it may.</summary>
[GrainType("link.ledger"), Orleans.Concurrency.StatelessWorker(2)]
internal sealed class LedgerGrain(Outbox outbox) : Grain, ILedgerGrain
{
    public async Task<ImmutableArray<LedgerEntry>> GetAsync() => [.. await outbox.LedgerAsync()];
}
