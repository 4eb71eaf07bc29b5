using System.Collections.Immutable;
using System.Text.Json.Serialization;
using EdgeOrleans.DbManager;
using EdgeOrleans.Devices;
using EdgeOrleans.Link;

namespace EdgeOrleans.Edge.DeviceTwin;

/// <summary>What is stored of a device. Every change makes a new one, so a change that is not on disk is never seen.</summary>
[JsonConverter(typeof(TwinRecordJson))]
internal sealed record TwinRecord : IWritesAlongside
{
    public static ImmutableSortedDictionary<string, TwinProperty> NoTwin { get; } =
        ImmutableSortedDictionary.Create<string, TwinProperty>(StringComparer.Ordinal);

    public static ImmutableSortedDictionary<string, DeviceAttribute> NoAttributes { get; } =
        ImmutableSortedDictionary.Create<string, DeviceAttribute>(StringComparer.Ordinal);

    /// <summary>Whether the node knows the device. The record of an unknown device is empty and never written.</summary>
    public bool Exists { get; init; }

    public string Name { get; init; } = "";

    public string Description { get; init; } = "";

    public string State { get; init; } = "";

    public string LastOnline { get; init; } = "";

    public string Model { get; init; } = "";

    /// <summary>Properties by name, tombstones included.</summary>
    public ImmutableSortedDictionary<string, TwinProperty> Twin { get; init; } = NoTwin;

    public ImmutableSortedDictionary<string, DeviceAttribute> Attributes { get; init; } = NoAttributes;

    /// <summary>The newest values that lost by the version rule, oldest first.</summary>
    public ImmutableArray<TwinConflict> Conflicts { get; init; } = [];

    /// <summary>What this change brings besides the record; not stored, and gone after the commit.</summary>
    public TwinCommit? Commit { get; init; }

    /// <summary>A device as it is when the node first hears of it.</summary>
    public static TwinRecord Of(string id) => new() { Exists = true, Name = id[(id.IndexOf('/', StringComparison.Ordinal) + 1)..] };

    public DeviceView View(string id) => new()
    {
        Id = id,
        Name = Name,
        Description = Description,
        State = State,
        LastOnline = LastOnline,
        Model = Model,
        Twin = Twin,
        Attributes = Attributes,
        Conflicts = Conflicts,
    };

    public void WriteAlongside(DbSession db) => Commit?.Write(db, this);
}

/// <summary>The rows that travel with a device's record: its line in the table of devices, what goes up, and what who asked wants with it.</summary>
internal sealed record TwinCommit(string Device, bool HasNewRow, IReadOnlyList<Report> Reports, Outbox Outbox, long Now)
{
    public IReadOnlyList<IWritesAlongside>? Alongside { get; init; }

    public void Write(DbSession db, TwinRecord record)
    {
        if (HasNewRow)
        {
            DeviceStore.Write(db, Device, record);
        }

        foreach (var report in Reports)
        {
            Outbox.Append(db, report.Property is { } property ? OutboxEntry.TwinReport(Device, property, report.Content, Now) : StateReport(report));
        }

        foreach (var alongside in Alongside ?? [])
        {
            alongside.WriteAlongside(db);
        }
    }

    private OutboxEntry StateReport(Report report) => new()
    {
        Class = OutboxClasses.State,
        Key = Device,
        Source = "twin",
        Group = "resource",
        Operation = "update",
        Resource = $"device/{Device}/state/update",
        Content = report.Content,
        IsText = true,
        Created = Now,
    };
}

/// <summary>How the states of this room become JSON.</summary>
[JsonSerializable(typeof(TwinRecord))]
[JsonSerializable(typeof(ModelRecord))]
internal sealed partial class DeviceTwinJson : JsonSerializerContext;
