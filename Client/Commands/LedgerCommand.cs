using System.CommandLine;
using System.Text.Json.Nodes;
using EdgeOrleans.Client.Rendering;
using EdgeOrleans.Link;

namespace EdgeOrleans.Client.Commands;

/// <summary><c>edgectl ledger</c>: what became of everything that was to go over the link.</summary>
internal sealed class LedgerCommand : Command
{
    public LedgerCommand(Shell shell)
        : base("ledger", "What became of everything that was to go over the link: accepted = delivered + unconfirmed + waiting + superseded + expired + refused.")
    {
        Add(shell.Output);
        SetAction(async (parsed, cancellation) =>
        {
            await using var connection = await shell.ConnectAsync(parsed, cancellation);
            var entries = await connection.Ledger.GetAsync().WaitAsync(cancellation);
            var total = entries.Aggregate(new LedgerEntry { Class = "total" }, Add);
            shell.Renderer(parsed).List(_ => Of([.. entries, total]), () => Document(entries, total), "nothing was to go over the link yet");
            return ExitCodes.Ok;
        });
    }

    private static LedgerEntry Add(LedgerEntry a, LedgerEntry b) => a with
    {
        Accepted = a.Accepted + b.Accepted,
        Delivered = a.Delivered + b.Delivered,
        Unconfirmed = a.Unconfirmed + b.Unconfirmed,
        Waiting = a.Waiting + b.Waiting,
        Superseded = a.Superseded + b.Superseded,
        Expired = a.Expired + b.Expired,
        Refused = b.Refused.Aggregate(a.Refused, static (all, one) => all.SetItem(one.Key, all.GetValueOrDefault(one.Key) + one.Value)),
    };

    private static Table Of(IReadOnlyList<LedgerEntry> entries)
    {
        var table = new Table("CLASS", "ACCEPTED", "DELIVERED", "UNCONFIRMED", "WAITING", "SUPERSEDED", "EXPIRED", "REFUSED");
        foreach (var e in entries.Count > 1 ? entries : [])
        {
            table.Add(e.Class, $"{e.Accepted}", $"{e.Delivered}", $"{e.Unconfirmed}", $"{e.Waiting}", $"{e.Superseded}", $"{e.Expired}", $"{e.Refused.Values.Sum()}");
        }

        return table;
    }

    private static JsonObject Document(IEnumerable<LedgerEntry> entries, LedgerEntry total)
    {
        var document = Entry(total);
        document["classes"] = new JsonArray([.. entries.Select(static e =>
        {
            var entry = Entry(e);
            entry.Insert(0, "class", e.Class);
            return entry;
        })]);
        return document;
    }

    private static JsonObject Entry(LedgerEntry e) => new()
    {
        ["accepted"] = e.Accepted,
        ["delivered"] = e.Delivered,
        ["unconfirmed"] = e.Unconfirmed,
        ["waiting"] = e.Waiting,
        ["superseded"] = e.Superseded,
        ["expired"] = e.Expired,
        ["refused"] = e.Refused.Values.Sum(),
        ["refusedBy"] = new JsonObject(e.Refused.Select(static r => KeyValuePair.Create<string, JsonNode?>(r.Key, r.Value))),
    };
}
