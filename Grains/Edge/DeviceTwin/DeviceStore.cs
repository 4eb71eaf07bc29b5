using System.Collections.Immutable;
using System.Text;
using EdgeOrleans.DbManager;
using EdgeOrleans.Devices;

namespace EdgeOrleans.Edge.DeviceTwin;

/// <summary>The tables <c>device</c> and <c>device_model</c>: what there is, for lists and counts. The devices themselves are their grains' states.</summary>
internal sealed class DeviceStore(Database database)
{
    private const string Upsert = """
        INSERT INTO device(id, name, description, state, last_online, model, attributes) VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7)
        ON CONFLICT(id) DO UPDATE SET name=?2, description=?3, state=?4, last_online=?5, model=?6, attributes=?7
        """;

    private readonly Lock _counting = new();
    private int? _count;

    /// <summary>Whether a device's row says something else after a change.</summary>
    public static bool RowDiffers(TwinRecord before, TwinRecord after) =>
        before.Exists != after.Exists || before.Name != after.Name || before.Description != after.Description || before.State != after.State
        || before.LastOnline != after.LastOnline || before.Model != after.Model || !ReferenceEquals(before.Attributes, after.Attributes);

    public static void Write(DbSession db, string id, TwinRecord record)
    {
        if (record.Exists)
        {
            db.Execute(Upsert, id, record.Name, record.Description, record.State, record.LastOnline, record.Model, Attributes(record));
        }
        else
        {
            db.Execute("DELETE FROM device WHERE id=?1", id);
        }
    }

    public static void Write(DbSession db, string id, IEnumerable<string>? properties)
    {
        if (properties is null)
        {
            db.Execute("DELETE FROM device_model WHERE id=?1", id);
        }
        else
        {
            // A name has no line feed: its characters are checked.
            db.Execute("INSERT INTO device_model(id, properties) VALUES(?1, ?2) ON CONFLICT(id) DO UPDATE SET properties=?2", id, string.Join('\n', properties));
        }
    }

    /// <summary>Takes a place for a device that a report makes.</summary>
    /// <returns>False when there are as many devices as there may be.</returns>
    public bool TryTakePlace(int limit)
    {
        lock (_counting)
        {
            if (Count() >= limit)
            {
                return false;
            }

            _count++;
            return true;
        }
    }

    /// <summary>One device more or less, whatever the limit.</summary>
    public void Recount(int difference)
    {
        lock (_counting)
        {
            // Uncounted, the database will tell.
            _count += difference;
        }
    }

    public Task<DevicePage> PageAsync(string? after, int count) => database.ReadAsync(db =>
    {
        var rows = db.Query(
            "SELECT id, description, state, last_online, model FROM device WHERE id>?1 ORDER BY id LIMIT ?2", Summary, after ?? "", (long)count + 1);
        return new DevicePage { Devices = [.. rows.Take(count)], More = rows.Count > count };
    });

    /// <summary>A page of devices as the answer to a membership question needs them.</summary>
    public Task<List<MemberRow>> MembersAsync(string after, int count) => database.ReadAsync(db => db.Query(
        "SELECT id, name, description, state, last_online, attributes FROM device WHERE id>?1 ORDER BY id LIMIT ?2",
        static row => new MemberRow(row.GetString(0), row.GetString(1), row.GetString(2), row.GetString(3), row.GetString(4), row.GetString(5)),
        after, (long)count));

    public Task<List<string>> IdsAsync(string after, int count) => database.ReadAsync(db =>
        db.Query("SELECT id FROM device WHERE id>?1 ORDER BY id LIMIT ?2", static row => row.GetString(0), after, (long)count));

    public Task<List<string>> IdsOfModelAsync(string model, string after, int count) => database.ReadAsync(db => db.Query(
        "SELECT id FROM device WHERE model<>'' AND model=?1 AND id>?2 ORDER BY id LIMIT ?3", static row => row.GetString(0), model, after, (long)count));

    public Task<ImmutableArray<ModelSummary>> ModelsAsync() => database.ReadAsync(db => db.Query(
        "SELECT id, properties FROM device_model ORDER BY id",
        static row => new ModelSummary { Id = row.GetString(0), Properties = [.. row.GetString(1).Split('\n', StringSplitOptions.RemoveEmptyEntries)] }).ToImmutableArray());

    private int Count() =>
        _count ??= (int)database.Read(static db => db.Query("SELECT COUNT(*) FROM device", static row => row.GetInt64(0)))[0];

    private static DeviceSummary Summary(DbRow row) => new()
    {
        Id = row.GetString(0),
        Description = row.GetString(1),
        State = row.GetString(2),
        LastOnline = row.GetString(3),
        Model = row.GetString(4),
    };

    private static string Attributes(TwinRecord record)
    {
        if (record.Attributes.Count == 0)
        {
            return "";
        }

        using var writer = new TwinWriter();
        writer.Json.WriteStartObject();
        foreach (var (name, attribute) in record.Attributes)
        {
            MembershipWriter.Write(writer, name, attribute.Value, attribute.Optional, attribute.Type);
        }

        return Encoding.UTF8.GetString(writer.End().Span);
    }
}

/// <summary>A device in the answer to a membership question; its attributes are a JSON object or empty.</summary>
internal sealed record MemberRow(string Id, string Name, string Description, string State, string LastOnline, string Attributes);
