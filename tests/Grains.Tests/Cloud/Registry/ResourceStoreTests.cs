using System.Collections.Immutable;
using EdgeOrleans.DbManager;
using EdgeOrleans.Resources;

namespace EdgeOrleans.Cloud.Registry;

public sealed class ResourceStoreTests : IDisposable
{
    private static readonly string[] Namespaces = ["default", "plant", "plant-a"];
    private static readonly string[] Nodes = ["", "edge-1", "edge-2"];
    private static readonly string[] Selectors = ["", "kind=pump", "kind!=pump", "kind in (pump,fan)", "hall", "!hall", "kind=pump,hall notin (1)", "kind=pump,!hall"];
    private static readonly DateTimeOffset Noon = new(2026, 11, 26, 12, 0, 0, TimeSpan.Zero);
    private readonly TempDatabase _temp = new();
    private readonly SortedDictionary<string, ResourceLine> _model = new(StringComparer.Ordinal);
    private readonly Random _random = new(11);
    private ResourceStore? _store;

    private ResourceStore Store => _store ??= new ResourceStore(_temp.Database);

    public void Dispose() => _temp.Dispose();

    [Fact]
    public async Task Every_list_is_that_of_a_model_and_every_watch_comes_to_the_same_end()
    {
        var query = new ResourceQuery { Kind = ResourceKinds.Device, Selector = "kind=pump", Node = "edge-1", Namespace = "" };
        var (watched, change) = (new SortedSet<string>(StringComparer.Ordinal), 0L);
        for (var round = 0; round < 150; round++)
        {
            await ChangeAsync(_random.Next(1, 6));
            await CheckAsync();
            for (var more = true; more;)
            {
                var page = await Store.ListAsync(query with { ChangedAfter = change, Count = 3 });
                foreach (var item in page.Items)
                {
                    _ = item.Removed ? watched.Remove(item.Id) : watched.Add(item.Id);
                }

                (change, more) = (page.Change, page.More);
            }

            Assert.Equal(await IdsAsync(query), watched);
        }
    }

    [Fact]
    public async Task A_watch_that_comes_after_removals_are_forgotten_is_told_to_begin_anew()
    {
        await _temp.Database.RunAsync(db => Store.Write(db, Line("default/a", "", OrdinalMap.Empty)));
        await _temp.Database.RunAsync(db => Store.Write(db, Line("default/b", "", OrdinalMap.Empty)));
        var change = (await Store.ListAsync(Query())).Change;
        await _temp.Database.RunAsync(db => Store.Remove(db, ResourceKinds.Device, "default/a", Noon));
        Assert.True(Assert.Single((await Store.ListAsync(Query() with { ChangedAfter = change })).Items).Removed);

        await _temp.Database.RunAsync(db => Store.Remove(db, ResourceKinds.Device, "default/b", Noon.AddHours(2)));

        Assert.Equal(410, (await Assert.ThrowsAsync<RefusedException>(() => Store.ListAsync(Query() with { ChangedAfter = change }))).Code);
    }

    [Fact]
    public async Task When_nodes_were_heard_is_written_without_a_change_that_watches_hear_and_never_goes_back()
    {
        await _temp.Database.RunAsync(db => Store.Write(db, Line("edge-1", "", OrdinalMap.Empty) with { Kind = ResourceKinds.Node }));
        var change = (await Store.ListAsync(Query(ResourceKinds.Node))).Change;

        await Store.SeenAsync([("edge-1", Noon), ("edge-9", Noon)]);
        await Store.SeenAsync([("edge-1", Noon.AddMinutes(-1))]);

        var page = await Store.ListAsync(Query(ResourceKinds.Node));
        Assert.Equal((Noon, change), (Assert.Single(page.Items).LastSeen!.Value, page.Change));
    }

    [Fact]
    public async Task At_the_start_of_a_hub_no_node_is_ready_through_it()
    {
        foreach (var (node, hub) in new[] { ("edge-1", "a"), ("edge-2", "b") })
        {
            await _temp.Database.RunAsync(db =>
            {
                Store.Write(db, Line(node, "", OrdinalMap.Empty) with { Kind = ResourceKinds.Node });
                Store.WriteLink(db, node, new NodeLine(true, Noon, "127.0.0.1", "x", hub));
            });
        }

        await Store.NoneConnectedAsync("a");

        Assert.Equal([("edge-1", false), ("edge-2", true)], (await Store.ListAsync(Query(ResourceKinds.Node))).Items.Select(i => (i.Id, i.Ready)));
    }

    [Fact]
    public async Task A_page_has_a_size_that_is_possible() =>
        Assert.Equal(400, (await Assert.ThrowsAsync<RefusedException>(() => Store.ListAsync(Query() with { Count = 1_001 }))).Code);

    private static ResourceQuery Query(string kind = ResourceKinds.Device) => new() { Kind = kind };

    private async Task ChangeAsync(int count)
    {
        for (var i = 0; i < count; i++)
        {
            var id = $"{Pick(Namespaces)}/d{_random.Next(30)}";
            if (_random.Next(4) == 0)
            {
                _model.Remove(id);
                await _temp.Database.RunAsync(db => Store.Remove(db, ResourceKinds.Device, id, Noon));
                continue;
            }

            _model[id] = Line(id, Pick(Nodes), Labels());
            await _temp.Database.RunAsync(db => Store.Write(db, _model[id]));
        }
    }

    private async Task CheckAsync()
    {
        var query = new ResourceQuery
        {
            Kind = ResourceKinds.Device,
            Selector = Pick(Selectors),
            Node = Pick(Nodes),
            Namespace = _random.Next(2) == 0 ? "" : Pick(Namespaces),
            Count = _random.Next(1, 12),
        };
        var wanted = LabelSelector.Parse(query.Selector);
        var expected = _model.Values
            .Where(l => LabelSelector.Matches(wanted, l.Head.Labels) && (query.Node.Length == 0 || l.Node == query.Node) && (query.Namespace.Length == 0 || l.Id.StartsWith(query.Namespace + "/", StringComparison.Ordinal)))
            .Select(static l => l.Id);

        Assert.Equal(expected, await IdsAsync(query));
    }

    private async Task<List<string>> IdsAsync(ResourceQuery query)
    {
        var ids = new List<string>();
        for (var more = true; more;)
        {
            var page = await Store.ListAsync(query with { After = ids.LastOrDefault() ?? "" });
            ids.AddRange(page.Items.Select(static i => i.Id));
            more = page.More;
        }

        return ids;
    }

    private ImmutableSortedDictionary<string, string> Labels()
    {
        var labels = OrdinalMap.Empty;
        labels = _random.Next(3) > 0 ? labels.Add("kind", Pick(["pump", "fan", "valve"])) : labels;
        return _random.Next(2) > 0 ? labels.Add("hall", Pick(["1", "2"])) : labels;
    }

    private T Pick<T>(T[] of) => of[_random.Next(of.Length)];

    private static ResourceLine Line(string id, string node, ImmutableSortedDictionary<string, string> labels) => new()
    {
        Kind = ResourceKinds.Device,
        Id = id,
        Node = node,
        Head = new ResourceHead { Uid = "u", Created = Noon, Version = 1, Labels = labels, Annotations = OrdinalMap.Empty, Spec = "{}" },
    };
}
