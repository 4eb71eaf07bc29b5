namespace EdgeOrleans.Beehive;

/// <summary>The groups of the beehive, with KubeEdge's names (reference 1.3). A group is also the namespace of its modules' streams.</summary>
public static class Groups
{
    /// <summary>Doors to devices and apps on the node: EventBus and ServiceBus.</summary>
    public const string Bus = "bus";

    /// <summary>The link to the cloud: EdgeHub.</summary>
    public const string Hub = "hub";

    /// <summary>Device twins and membership.</summary>
    public const string Twin = "twin";

    /// <summary>Metadata of resources: MetaManager.</summary>
    public const string Meta = "meta";

    /// <summary>Workloads: Edged.</summary>
    public const string Edged = "edged";

    /// <summary>Modules of the user's own, and the test module.</summary>
    public const string User = "user";

    /// <summary>EdgeMesh.</summary>
    public const string Mesh = "mesh";

    /// <summary>All groups, in the order of the documentation.</summary>
    public static IReadOnlyList<string> All { get; } = [Bus, Hub, Twin, Meta, Edged, User, Mesh];
}
