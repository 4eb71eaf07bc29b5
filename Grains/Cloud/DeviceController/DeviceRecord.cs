using System.Collections.Immutable;
using System.Text.Json.Serialization;
using EdgeOrleans.Cloud.Registry;
using EdgeOrleans.DbManager;
using EdgeOrleans.Devices;
using EdgeOrleans.Resources;

namespace EdgeOrleans.Cloud.DeviceController;

/// <summary>What is stored of a device of the cloud. Every change makes a new one, so a change that is not on disk is never seen.</summary>
internal sealed record DeviceRecord : IWritesAlongside
{
    private const int MostNamesInALine = 100;

    public int Schema { get; init; } = 1;

    /// <summary>What people say of it; null when there is no such device.</summary>
    public ResourceHead? Head { get; init; }

    /// <summary>The node it is on; empty for none.</summary>
    public string Node { get; init; } = "";

    public string Model { get; init; } = "";

    public string Description { get; init; } = "";

    public string State { get; init; } = "";

    public string LastOnline { get; init; } = "";

    /// <summary>Rises with what the node reports, and with nothing else.</summary>
    public long StatusVersion { get; init; }

    [JsonConverter(typeof(CloudTwinJson))]
    public ImmutableSortedDictionary<string, CloudProperty> Twin { get; init; } = CloudTwinJson.Empty;

    /// <summary>The newest values that lost by the version rule, oldest first.</summary>
    public ImmutableArray<TwinConflict> Conflicts { get; init; } = [];

    /// <summary>The node that has had the object; empty for none.</summary>
    public string TakenBy { get; init; } = "";

    /// <summary>The version of the object that it has.</summary>
    public long TakenVersion { get; init; }

    /// <summary>What this change brings besides the record; gone after the commit.</summary>
    [JsonIgnore]
    public DeviceCommit? Commit { get; init; }

    [JsonIgnore]
    public IEnumerable<CloudProperty> Pending => Twin.Values.Where(static p => p.IsPending);

    public bool IsOn(string node) => Head is not null && Node.Length > 0 && Node == node;

    public ResourceLine Line(string id) => new()
    {
        Kind = ResourceKinds.Device,
        Id = id,
        Head = Head!,
        Node = Node,
        Model = Model,
        State = State,
        LastOnline = LastOnline,
        Description = Description,
        Properties = string.Join('\n', Pending.Take(MostNamesInALine).Select(static p => p.Name)),
    };

    public DeviceView View(string id) => new()
    {
        Id = id,
        Name = id[(id.IndexOf('/', StringComparison.Ordinal) + 1)..],
        Description = Description,
        State = State,
        LastOnline = LastOnline,
        Model = Model,
        Twin = Twin.Values.Where(static p => p.IsVisible).ToImmutableSortedDictionary(static p => p.Name, static p => p.View(), StringComparer.Ordinal),
        Conflicts = Conflicts,
        Node = Node,
        Pending = [.. Pending.Select(static p => p.Name)],
    };

    public void WriteAlongside(DbSession db) => Commit?.Write(db, this);
}
