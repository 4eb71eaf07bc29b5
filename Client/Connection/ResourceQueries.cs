using System.Runtime.CompilerServices;
using EdgeOrleans.Resources;

namespace EdgeOrleans.Client.Connection;

/// <summary>Lists of a cloud, page by page: there may be 100,000 of a kind.</summary>
internal static class ResourceQueries
{
    /// <summary>All that a query means, in the order of their ids.</summary>
    public static async IAsyncEnumerable<ResourceSummary> ListAsync(this NodeConnection cloud, ResourceQuery query, [EnumeratorCancellation] CancellationToken cancellation)
    {
        ResourcePage page;
        do
        {
            page = await cloud.Resources.ListAsync(query).WaitAsync(cancellation);
            foreach (var item in page.Items)
            {
                yield return item;
            }

            query = query with { After = page.Items.Length > 0 ? page.Items[^1].Id : query.After };
        }
        while (page.More && page.Items.Length > 0);
    }

    /// <summary>These, which must be there.</summary>
    /// <exception cref="CommandException">One of them is not.</exception>
    public static async Task<List<ResourceSummary>> TheseAsync(this NodeConnection cloud, string kind, IReadOnlyList<string> ids, CancellationToken cancellation)
    {
        var found = new List<ResourceSummary>();
        foreach (var id in ids)
        {
            // The first one behind everything that comes before it is itself, or there is none.
            var page = await cloud.Resources.ListAsync(new ResourceQuery { Kind = kind, After = id[..^1], Count = 1_000 }).WaitAsync(cancellation);
            found.Add(page.Items.FirstOrDefault(i => i.Id == id) ?? await SearchAsync(cloud, kind, id, page, cancellation));
        }

        return found;
    }

    /// <summary>A resource's document, which must be there.</summary>
    /// <exception cref="CommandException">It is not.</exception>
    public static async Task<string> DocumentAsync(this NodeConnection cloud, string kind, string id, CancellationToken cancellation) =>
        await cloud.Resources.GetAsync(kind, id).WaitAsync(cancellation) ?? throw NoSuch(kind, id);

    public static CommandException NoSuch(string kind, string id) => new(ExitCodes.NotFound, $"there is no {kind} '{id}'; 'edgectl get {Plural(kind)}' lists them");

    /// <summary>How a kind is called in commands.</summary>
    public static string Plural(string kind) => kind == ResourceKinds.DeviceModel ? "models" : kind + "s";

    // More than a page begins with the same letters: what is asked for is between them.
    private static async Task<ResourceSummary> SearchAsync(NodeConnection cloud, string kind, string id, ResourcePage page, CancellationToken cancellation)
    {
        while (page is { More: true, Items.Length: > 0 } && string.CompareOrdinal(page.Items[^1].Id, id) < 0)
        {
            page = await cloud.Resources.ListAsync(new ResourceQuery { Kind = kind, After = page.Items[^1].Id }).WaitAsync(cancellation);
            if (page.Items.FirstOrDefault(i => i.Id == id) is { } found)
            {
                return found;
            }
        }

        throw NoSuch(kind, id);
    }
}
