using System.Text.Json.Serialization;
using EdgeOrleans.Cloud.Registry;
using EdgeOrleans.DbManager;
using EdgeOrleans.Resources;

namespace EdgeOrleans.Cloud.EdgeController;

/// <summary>What is stored of a node of the cloud.</summary>
internal sealed record NodeRecord : IWritesAlongside
{
    public int Schema { get; init; } = 1;

    /// <summary>What people say of it; null when there is no such node.</summary>
    public ResourceHead? Head { get; init; }

    /// <summary>Its newest link, up or down; null when it never had one.</summary>
    public NodeContact? Contact { get; init; }

    /// <summary>What this change brings besides the record; gone after the commit.</summary>
    [JsonIgnore]
    public NodeCommit? Commit { get; init; }

    public void WriteAlongside(DbSession db) => Commit?.Write(db, this);
}

/// <summary>A link of a node.</summary>
internal sealed record NodeContact
{
    public Guid Session { get; init; }

    public bool IsUp { get; init; }

    public string Address { get; init; } = "";

    public string Agent { get; init; } = "";

    public string Hub { get; init; } = "";

    public string Serial { get; init; } = "";

    public DateTimeOffset CertificateExpires { get; init; }

    public DateTimeOffset Since { get; init; }

    /// <summary>When the link came up, or when it was last heard before it went down.</summary>
    public DateTimeOffset LastSeen { get; init; }

    public static NodeContact Of(NodeConnection connection) => new()
    {
        Session = connection.Session,
        IsUp = true,
        Address = connection.Address,
        Agent = connection.Agent,
        Hub = connection.Hub,
        Serial = connection.Serial,
        CertificateExpires = connection.CertificateExpires,
        Since = connection.Since,
        LastSeen = connection.Since,
    };

    public NodeLine Line() => new(IsUp, LastSeen, Address, Agent, Hub);
}

/// <summary>The row that travels with a node's record: its line in the registry.</summary>
internal sealed record NodeCommit(string Id, NodeRecord Before, IResourceIndex Index, DateTimeOffset Now)
{
    public void Write(DbSession db, NodeRecord after)
    {
        if (after.Head is not { } head)
        {
            Index.Remove(db, ResourceKinds.Node, Id, Now);
            return;
        }

        if (!ReferenceEquals(head, Before.Head))
        {
            Index.Write(db, new ResourceLine { Kind = ResourceKinds.Node, Id = Id, Head = head, Description = head.Labels.GetValueOrDefault(LabelRules.Description, "") });
        }

        if (after.Contact is { } contact && !ReferenceEquals(contact, Before.Contact))
        {
            Index.WriteLink(db, Id, contact.Line());
        }
    }
}
