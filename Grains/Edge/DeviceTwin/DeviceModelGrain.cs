using System.Collections.Immutable;
using EdgeOrleans.DbManager;
using EdgeOrleans.Devices;

namespace EdgeOrleans.Edge.DeviceTwin;

/// <summary>Owns one device model. It calls nobody, so whoever changes it tells the devices.</summary>
[GrainType("edge.device-model")]
internal sealed class DeviceModelGrain([PersistentState("model", DbManagerModule.State)] IPersistentState<ModelRecord> stored) : Grain, IDeviceModelGrain
{
    public Task<ModelRules?> GetRulesAsync() => Task.FromResult(stored.State.Exists ? stored.State.Rules() : null);

    public async Task<string> PutAsync(ModelRules rules)
    {
        var before = stored.State;
        var after = ModelRecord.Of(this.GetPrimaryKeyString(), rules);
        if (before.Exists && before.Properties.SequenceEqual(after.Properties))
        {
            return "unchanged";
        }

        await WriteAsync(after);
        return before.Exists ? "configured" : "created";
    }

    public async Task<bool> RemoveAsync()
    {
        if (!stored.State.Exists)
        {
            return false;
        }

        await WriteAsync(new ModelRecord { Id = this.GetPrimaryKeyString() });
        await stored.ClearStateAsync();
        return true;
    }

    private Task WriteAsync(ModelRecord record) => stored.ReplaceAsync(record, DeactivateOnIdle);
}

/// <summary>A device model as it is stored, with its line in the table of models.</summary>
internal sealed record ModelRecord : IWritesAlongside
{
    public int Schema { get; init; } = 1;

    public string Id { get; init; } = "";

    public bool Exists { get; init; }

    /// <summary>In the order of their names.</summary>
    public ImmutableArray<NamedProperty> Properties { get; init; } = [];

    public static ModelRecord Of(string id, ModelRules rules) => new()
    {
        Id = id,
        Exists = true,
        Properties = [.. rules.Properties.OrderBy(p => p.Key, StringComparer.Ordinal).Select(p => new NamedProperty(p.Key, p.Value))],
    };

    public ModelRules Rules() => new() { Properties = Properties.ToImmutableDictionary(p => p.Name, p => p.Property, StringComparer.Ordinal) };

    public void WriteAlongside(DbSession db) => DeviceStore.Write(db, Id, Exists ? Properties.Select(static p => p.Name) : null);
}

/// <summary>A property of a model and its name.</summary>
internal sealed record NamedProperty(string Name, ModelProperty Property);
