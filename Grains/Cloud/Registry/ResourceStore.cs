using System.Collections.Immutable;
using System.Globalization;
using System.Text;
using System.Text.Json;
using EdgeOrleans.DbManager;
using EdgeOrleans.Resources;

namespace EdgeOrleans.Cloud.Registry;

/// <summary>The tables of <c>0005-registry.sql</c>. All SQL about resources is here.</summary>
internal sealed class ResourceStore(Database database) : IResourceIndex
{
    /// <summary>How long removals are told to watches.</summary>
    public static readonly TimeSpan RemovedKept = TimeSpan.FromHours(1);

    // From here on a label is no good way in: so many rows have it that going along the ids finds a page of them soon.
    private const int Many = 2_000;

    private const string Columns = "r.kind, r.id, r.labels, r.created, r.version, r.node, r.model, r.state, r.last_online, r.properties, r.description, "
        + "r.ready, r.last_seen, r.address, r.agent, r.change, r.moved";

    private const string Upsert = """
        INSERT INTO resource(kind, id, labels, created, version, node, model, state, last_online, properties, description, change, moved)
        VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?12)
        ON CONFLICT(kind, id) DO UPDATE SET labels=?3, created=?4, version=?5, node=?6, model=?7, state=?8, last_online=?9, properties=?10, description=?11, change=?12,
            moved=iif(labels=?3 AND node=?6, moved, ?12)
        """;

    public Task<ResourcePage> ListAsync(ResourceQuery query)
    {
        if (query.Count is < 1 or > ResourceQuery.MaxCount)
        {
            return Task.FromException<ResourcePage>(new RefusedException(400, $"a page has 1 to {ResourceQuery.MaxCount} resources, not {query.Count}"));
        }

        try
        {
            var wanted = LabelSelector.Parse(query.Selector);
            return database.ReadAsync(db => query.ChangedAfter is { } after ? Changes(db, query, wanted, after) : Lines(db, query, wanted));
        }
        catch (RefusedException e)
        {
            return Task.FromException<ResourcePage>(e);
        }
    }

    public Task<bool> ExistsAsync(string kind, string id) => database.ReadAsync(db =>
        db.Query("SELECT 1 FROM resource WHERE kind=?1 AND id=?2", static _ => true, kind, id).Count > 0);

    public Task<NodeLine?> NodeAsync(string node) => database.ReadAsync(db => db.Query<NodeLine?>(
        "SELECT ready, last_seen, address, agent, hub FROM resource WHERE kind='node' AND id=?1",
        static row => new NodeLine(row.GetInt64(0) != 0, TimeOf(row, 1), row.GetString(2), row.GetString(3), row.GetString(4)), node).FirstOrDefault());

    public Task<IReadOnlyList<string>> NodesOfModelAsync(string model) => database.ReadAsync(db => NodesOfModel(db, model));

    public Task<bool> IsUsedAsync(string model, string node) => database.ReadAsync(db => DeviceOf(db, model, node, "") is not null);

    public Task<string?> UserOfAsync(string model) => database.ReadAsync(db => DeviceOf(db, model, null, ""));

    public Task<IReadOnlyList<string>> DevicesOfAsync(string node, string after, int count) => database.ReadAsync<IReadOnlyList<string>>(db => db.Query(
        "SELECT id FROM resource WHERE node<>'' AND kind='device' AND node=?1 AND id>?2 ORDER BY id LIMIT ?3", static row => row.GetString(0), node, after, (long)count));

    public Task SeenAsync(IReadOnlyCollection<(string Node, DateTimeOffset At)> nodes) => nodes.Count == 0 ? Task.CompletedTask : database.RunAsync(db =>
    {
        // No change that a watch would hear of: all nodes would change all the time.
        foreach (var (node, at) in nodes)
        {
            db.Execute("UPDATE resource SET last_seen=?2 WHERE kind='node' AND id=?1 AND ifnull(last_seen, 0)<?2", node, at.ToUnixTimeMilliseconds());
        }
    });

    public Task NoneConnectedAsync(string hub) => database.RunAsync(db =>
    {
        foreach (var node in db.Query("SELECT id FROM resource WHERE ready=1 AND hub=?1", static row => row.GetString(0), hub))
        {
            db.Execute("UPDATE resource SET ready=0, change=?2 WHERE kind='node' AND id=?1", node, NextChange(db));
        }
    });

    public void Write(DbSession db, ResourceLine line)
    {
        var (head, labels) = (line.Head, Labels(line.Head.Labels));
        var before = db.Query("SELECT labels FROM resource WHERE kind=?1 AND id=?2", static row => row.GetString(0), line.Kind, line.Id).FirstOrDefault();
        db.Execute(
            Upsert, line.Kind, line.Id, labels, head.Created.ToUnixTimeMilliseconds(), head.Version, line.Node, line.Model, line.State, line.LastOnline,
            line.Properties, line.Description, NextChange(db));
        if (before is null)
        {
            db.Execute("DELETE FROM resource_removed WHERE kind=?1 AND id=?2", line.Kind, line.Id);
        }

        if (before != labels && !(before is null && head.Labels.IsEmpty))
        {
            WriteLabels(db, line);
        }
    }

    public void WriteLink(DbSession db, string node, NodeLine link) => db.Execute(
        "UPDATE resource SET ready=?2, last_seen=max(ifnull(last_seen, 0), ?3), address=?4, agent=?5, hub=?6, change=?7 WHERE kind='node' AND id=?1",
        node, link.IsReady, link.LastSeen?.ToUnixTimeMilliseconds() ?? 0, link.Address, link.Agent, link.Hub, NextChange(db));

    public void Remove(DbSession db, string kind, string id, DateTimeOffset now)
    {
        var node = db.Query("DELETE FROM resource WHERE kind=?1 AND id=?2 RETURNING node", static row => row.GetString(0), kind, id).FirstOrDefault();
        if (node is null)
        {
            return;
        }

        db.Execute("DELETE FROM resource_label WHERE kind=?1 AND id=?2", kind, id);
        db.Execute(
            "INSERT OR REPLACE INTO resource_removed(kind, id, node, change, at) VALUES(?1, ?2, ?3, ?4, ?5)", kind, id, node, NextChange(db), now.ToUnixTimeMilliseconds());
        Forget(db, now - RemovedKept);
    }

    public IReadOnlyList<string> NodesOfModel(DbSession db, string model) => db.Query(
        "SELECT DISTINCT node FROM resource WHERE model<>'' AND model=?1 AND kind='device' AND node<>'' ORDER BY node", static row => row.GetString(0), model);

    public string? DeviceOf(DbSession db, string model, string? node, string except) => db.Query(
        "SELECT id FROM resource WHERE model<>'' AND model=?1 AND (?2 IS NULL OR node=?2) AND kind='device' AND id<>?3 LIMIT 1",
        static row => row.GetString(0), model, node, except).FirstOrDefault();

    private static void Forget(DbSession db, DateTimeOffset before)
    {
        var forgotten = db.Query("DELETE FROM resource_removed WHERE at<?1 RETURNING change", static row => row.GetInt64(0), before.ToUnixTimeMilliseconds());
        if (forgotten.Count > 0)
        {
            db.Execute("UPDATE resource_change SET forgotten=max(forgotten, ?1)", forgotten.Max());
        }
    }

    private static void WriteLabels(DbSession db, ResourceLine line)
    {
        db.Execute("DELETE FROM resource_label WHERE kind=?1 AND id=?2", line.Kind, line.Id);
        foreach (var (name, value) in line.Head.Labels.Where(static l => l.Key != LabelRules.Description))
        {
            db.Execute("INSERT INTO resource_label(kind, name, value, id) VALUES(?1, ?2, ?3, ?4)", line.Kind, name, value, line.Id);
        }
    }

    private static long NextChange(DbSession db) => db.Query("UPDATE resource_change SET last=last+1 RETURNING last", static row => row.GetInt64(0))[0];

    private static ResourcePage Lines(DbSession db, ResourceQuery query, ImmutableArray<LabelRequirement> wanted)
    {
        var sql = new Statement();
        var narrow = query.Node.Length > 0 ? null : Narrowest(db, query.Kind, wanted);
        sql.Add(query.Node.Length > 0
            ? $"SELECT {Columns} FROM resource r INDEXED BY resource_by_node WHERE r.node<>'' AND r.kind={sql.Bind(query.Kind)} AND r.node={sql.Bind(query.Node)}"
            : $"SELECT {Columns} FROM resource r WHERE r.kind={sql.Bind(query.Kind)}");
        if (narrow is not null)
        {
            sql.Add($" AND r.id IN (SELECT id FROM resource_label WHERE kind={sql.Bind(query.Kind)} AND name={sql.Bind(narrow.Name)}{ValueIn(sql, narrow)})");
        }

        AddBounds(sql, query);
        sql.Add($" AND r.id>{sql.Bind(query.After)}");
        AddLabels(sql, wanted.Where(w => !ReferenceEquals(w, narrow)));
        sql.Add($" ORDER BY r.id LIMIT {sql.Bind((long)query.Count + 1)}");
        var rows = db.Query(sql.Text, static row => Summary(row), sql.Values);
        return new ResourcePage { Items = [.. rows.Take(query.Count)], More = rows.Count > query.Count, Change = LastChange(db) };
    }

    /// <summary>What has changed, in order. What is not meant (any more) is told as removed when it may have been meant before.</summary>
    private static ResourcePage Changes(DbSession db, ResourceQuery query, ImmutableArray<LabelRequirement> wanted, long after)
    {
        var (last, forgotten) = db.Query("SELECT last, forgotten FROM resource_change", static row => (row.GetInt64(0), row.GetInt64(1)))[0];
        if (after < forgotten)
        {
            throw new RefusedException(410, $"what was removed up to change {forgotten} is forgotten, and this watch is at {after}; list anew and go on from there");
        }

        var changed = ChangedLines(db, query, wanted, after);
        var all = changed.Concat(RemovedLines(db, query, after)).OrderBy(static c => c.Change).Take(query.Count + 1).ToList();
        var more = all.Count > query.Count;
        return new ResourcePage
        {
            Items = [.. all.Take(query.Count).Select(static c => c.Line)],
            More = more,
            Change = more ? all[query.Count - 1].Change : Math.Max(last, after),
        };
    }

    private static List<(long Change, ResourceSummary Line)> ChangedLines(DbSession db, ResourceQuery query, ImmutableArray<LabelRequirement> wanted, long after)
    {
        // "Meant" is a column and no condition: a row that has left the list is news too.
        var sql = new Statement();
        var kind = $"r.kind={sql.Bind(query.Kind)}";
        var meant = new Statement(sql);
        meant.Add("1");
        if (query.Node.Length > 0)
        {
            meant.Add($" AND r.node={meant.Bind(query.Node)}");
        }

        AddLabels(meant, wanted);
        sql.Add($"SELECT {Columns}, meant FROM (SELECT *, ({meant.Text}) AS meant FROM resource r INDEXED BY resource_by_change WHERE {kind} AND r.change>{sql.Bind(after)}");
        AddBounds(sql, query);
        sql.Add($") r WHERE meant OR r.moved>{sql.Bind(after)} ORDER BY r.change LIMIT {sql.Bind((long)query.Count + 1)}");
        return db.Query(sql.Text, static row => (row.GetInt64(15), Summary(row) with { Removed = row.GetInt64(17) == 0 }), sql.Values);
    }

    private static List<(long Change, ResourceSummary Line)> RemovedLines(DbSession db, ResourceQuery query, long after)
    {
        var sql = new Statement();
        sql.Add($"SELECT r.kind, r.id, r.node, r.change FROM resource_removed r INDEXED BY resource_removed_by_change WHERE r.kind={sql.Bind(query.Kind)} AND r.change>{sql.Bind(after)}");
        AddBounds(sql, query);
        sql.Add($" ORDER BY r.change LIMIT {sql.Bind((long)query.Count + 1)}");
        return db.Query(
            sql.Text,
            static row => (row.GetInt64(3), new ResourceSummary { Kind = row.GetString(0), Id = row.GetString(1), Node = row.GetString(2), Removed = true }),
            sql.Values);
    }

    // '0' comes next after '/': between them are the ids that begin with the namespace and a slash.
    private static void AddBounds(Statement sql, ResourceQuery query)
    {
        if (query.Namespace.Length > 0)
        {
            sql.Add($" AND r.id>{sql.Bind(query.Namespace + "/")} AND r.id<{sql.Bind(query.Namespace + "0")}");
        }
    }

    // A scalar is no join: SQLite goes along the ids and asks for each, and can stop at the end of the page.
    private static void AddLabels(Statement sql, IEnumerable<LabelRequirement> wanted)
    {
        foreach (var label in wanted)
        {
            sql.Add($" AND (SELECT 1 FROM resource_label l INDEXED BY resource_label_of WHERE l.kind=r.kind AND l.id=r.id AND l.name={sql.Bind(label.Name)}{ValueIn(sql, label)} LIMIT 1)");
            sql.Add(label.IsWanted ? " IS NOT NULL" : " IS NULL");
        }
    }

    // The values are one parameter: a text of SQL for every number of them would stay prepared for ever.
    private static string ValueIn(Statement sql, LabelRequirement label) => label.Values switch
    {
        null => "",
        [var one] => $" AND value={sql.Bind(one)}",
        { } values => $" AND value IN (SELECT value FROM json_each({sql.Bind(ListOf(values))}))",
    };

    /// <summary>The wanted label that the fewest resources have; null when all are had by many.</summary>
    private static LabelRequirement? Narrowest(DbSession db, string kind, ImmutableArray<LabelRequirement> wanted)
    {
        var (best, least) = ((LabelRequirement?)null, (long)Many);
        foreach (var label in wanted.Where(static w => w.IsWanted))
        {
            var sql = new Statement();
            sql.Add($"SELECT COUNT(*) FROM (SELECT 1 FROM resource_label WHERE kind={sql.Bind(kind)} AND name={sql.Bind(label.Name)}{ValueIn(sql, label)} LIMIT {sql.Bind((long)Many)})");
            var count = db.Query(sql.Text, static row => row.GetInt64(0), sql.Values)[0];
            (best, least) = count < least ? (label, count) : (best, least);
        }

        return best;
    }

    private static long LastChange(DbSession db) => db.Query("SELECT last FROM resource_change", static row => row.GetInt64(0))[0];

    private static ResourceSummary Summary(DbRow row) => new()
    {
        Kind = row.GetString(0),
        Id = row.GetString(1),
        Labels = LabelsOf(row.GetString(2)),
        Created = DateTimeOffset.FromUnixTimeMilliseconds(row.GetInt64(3)),
        ResourceVersion = row.GetInt64(4).ToString(CultureInfo.InvariantCulture),
        Node = row.GetString(5),
        Model = row.GetString(6),
        State = row.GetString(7),
        LastOnline = row.GetString(8),
        Properties = [.. row.GetString(9).Split('\n', StringSplitOptions.RemoveEmptyEntries)],
        Description = row.GetString(10),
        Ready = row.GetInt64(11) != 0,
        LastSeen = TimeOf(row, 12),
        Address = row.GetString(13),
        Agent = row.GetString(14),
    };

    private static DateTimeOffset? TimeOf(DbRow row, int column) =>
        row.GetInt64(column) is var at and not 0 ? DateTimeOffset.FromUnixTimeMilliseconds(at) : null;

    private static string Labels(ImmutableSortedDictionary<string, string> labels) => labels.IsEmpty ? "" : JsonSerializer.Serialize(labels, RegistryJson.Default.ImmutableSortedDictionaryStringString);

    private static ImmutableSortedDictionary<string, string> LabelsOf(string text)
    {
        if (text.Length == 0)
        {
            return OrdinalMap.Empty;
        }

        var reader = new Utf8JsonReader(Encoding.UTF8.GetBytes(text));
        reader.Read();
        return new OrdinalMap().Read(ref reader, typeof(ImmutableSortedDictionary<string, string>), JsonSerializerOptions.Default);
    }

    private static string ListOf(ImmutableArray<string> values) => JsonSerializer.Serialize(values.ToArray(), RegistryJson.Default.StringArray);

    /// <summary>A statement that grows, with its values. Its text depends on the form of a question only, never on what is in it.</summary>
    private sealed class Statement(Statement? outer = null)
    {
        private readonly StringBuilder _text = new();
        private readonly List<object?> _values = outer?._values ?? [];

        public string Text => _text.ToString();

        public object?[] Values => [.. _values];

        public string Bind(object value)
        {
            _values.Add(value);
            return $"?{_values.Count}";
        }

        public void Add(string part) => _text.Append(part);
    }
}
