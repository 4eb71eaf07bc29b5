using System.Text.Json;
using System.Text.Json.Serialization;
using EdgeOrleans.Cloud.Registry;
using EdgeOrleans.DbManager;
using EdgeOrleans.Devices;
using EdgeOrleans.Link;
using EdgeOrleans.Resources;

namespace EdgeOrleans.Cloud.DeviceController;

/// <summary>What is stored of a device model: what people say of it, and nothing that could be made of that.</summary>
internal sealed record ModelRecord : IWritesAlongside
{
    public const string Kind = "DeviceModel";

    public int Schema { get; init; } = 1;

    /// <summary>Null when there is no such model.</summary>
    public ResourceHead? Head { get; init; }

    /// <summary>What this change brings besides the record; gone after the commit.</summary>
    [JsonIgnore]
    public ModelCommit? Commit { get; init; }

    /// <summary>What it says about twins; null when there is no such model.</summary>
    public ModelRules? Rules(string id)
    {
        if (Head is null)
        {
            return null;
        }

        using var document = JsonDocument.Parse(Head.Compose(DeviceDocuments.ApiVersion, Kind, id, null));
        return DeviceDocuments.ReadKept(document.RootElement).Model;
    }

    public void WriteAlongside(DbSession db) => Commit?.Write(db, this);
}

/// <summary>The rows that travel with a model's record: its line in the registry, and what the nodes that have devices of it are to be told.</summary>
internal sealed record ModelCommit(string Id, DeviceRoom Room)
{
    public static RefusedException Used(string id, string user) => new(409, $"device model {id} is used by device {user}; delete its devices before it");

    public void Write(DbSession db, ModelRecord after)
    {
        if (after.Head is not { } head)
        {
            if (Room.Index.DeviceOf(db, Id, null, "") is { } user)
            {
                throw Used(Id, user);
            }

            Room.Index.Remove(db, ResourceKinds.DeviceModel, Id, Room.Time.GetUtcNow());
            return;
        }

        var line = new ResourceLine
        {
            Kind = ResourceKinds.DeviceModel,
            Id = Id,
            Head = head,
            Properties = string.Join('\n', after.Rules(Id)!.Properties.Keys.Order(StringComparer.Ordinal)),
        };
        Room.Index.Write(db, line);
        foreach (var node in Room.Index.NodesOfModel(db, Id))
        {
            Room.Mark(db, node, OutboxClasses.Document, $"{ResourceKinds.DeviceModel}/{Id}");
        }
    }
}
