namespace EdgeOrleans.Cloud;

/// <summary>A device of the cloud, as the link of its node sees it. Key: <c>namespace/name</c>.</summary>
[Alias("cloud.IDeviceOfNode")]
internal interface IDeviceOfNode : IGrainWithStringKey
{
    /// <summary>The node reports the twin. Answered after it is on disk.</summary>
    /// <param name="node">The node, by its certificate.</param>
    /// <param name="report">The content of <c>edge_updated</c>: <c>{"event_id","timestamp","twin":{property:{…}}}</c>.</param>
    [Alias("Report")]
    Task<ReportOutcome> ReportAsync(string node, byte[] report);

    /// <summary>The node reports the device's state. Answered after it is on disk.</summary>
    /// <param name="node">The node, by its certificate.</param>
    /// <param name="report">The document of <c>state/update</c>: <c>{"event_id","timestamp","device":{"name","state","lastOnlineTime"}}</c>.</param>
    [Alias("State")]
    Task<ReportOutcome> StateAsync(string node, byte[] report);

    /// <summary>The device as an entry of <c>added_devices</c> or <c>devices</c> of a membership, for its node.</summary>
    /// <param name="node">The node that is told.</param>
    /// <param name="form">What is to be in it.</param>
    /// <returns>Null when the device is not on this node (any more): the node is told to remove it.</returns>
    [Alias("Member")]
    Task<MemberPush?> MemberAsync(string node, MemberForm form);

    /// <summary>The <c>Device</c> object for its node.</summary>
    /// <returns>Null when the device is not on this node (any more): the node is told to delete it.</returns>
    [Alias("Object")]
    Task<ObjectPush?> ObjectAsync(string node);

    /// <summary>The node has the object, in this version.</summary>
    [Alias("ObjectTaken")]
    Task ObjectTakenAsync(string node, long version);
}

/// <summary>A device model of the cloud, as links see it. Key: <c>namespace/name</c>.</summary>
[Alias("cloud.IModelOfNode")]
internal interface IModelOfNode : IGrainWithStringKey
{
    /// <summary>The <c>DeviceModel</c> object for a node.</summary>
    /// <returns>Null when no device of the node has this model (any more), or there is no such model: the node is told to delete it.</returns>
    [Alias("Object")]
    Task<ObjectPush?> ObjectAsync(string node);
}

/// <summary>What is to be in a device's entry of a membership.</summary>
[GenerateSerializer, Alias("cloud.member-form")]
internal enum MemberForm
{
    /// <summary>Id, name, description, and the expected values that the node does not have yet.</summary>
    Pending,

    /// <summary>The same with all expected values and their versions: for an edge whose database may be new.</summary>
    Whole,

    /// <summary>As <see cref="Whole"/>, and for each property that the edge has reported an <c>actual</c> of version 0/0, which it refuses and answers with its own (reference 5.7).</summary>
    WholeAndProbe,

    /// <summary>
    /// The expected values that are not confirmed, each with version 0/0: an edge that has a newer one refuses it and says which; one that has
    /// none takes the right value.
    /// </summary>
    ProbeExpected,
}

/// <summary>An entry of a membership.</summary>
/// <param name="Entry">A JSON object with id, name, description and twin; the twin is always there, empty if need be.</param>
/// <param name="Pending">Whether expected values are in it that the node has not confirmed.</param>
[GenerateSerializer, Immutable, Alias("cloud.member-push")]
internal sealed record MemberPush([property: Id(0)] byte[] Entry, [property: Id(1)] bool Pending);

/// <summary>An object for a node.</summary>
[GenerateSerializer, Immutable, Alias("cloud.object-push")]
internal sealed record ObjectPush
{
    /// <summary>The object as Kubernetes JSON, with kind and apiVersion, without status.</summary>
    [Id(0)]
    public required byte[] Json { get; init; }

    /// <summary>The header's <c>resourceversion</c>; rises with every change.</summary>
    [Id(1)]
    public required long Version { get; init; }

    /// <summary>Whether the node never had it: it is inserted, not updated.</summary>
    [Id(2)]
    public bool IsNew { get; init; }
}

/// <summary>What became of a report.</summary>
/// <param name="Code">0: it is on disk, or what is there is newer. 4xx: it is refused and will always be. 5xx: it may succeed later; nothing is confirmed.</param>
/// <param name="Reason">A word for counters, such as <c>not-of-this-node</c>; empty when it was taken.</param>
/// <param name="Sentence">Why, for the node and the log.</param>
[GenerateSerializer, Immutable, Alias("cloud.report-outcome")]
internal sealed record ReportOutcome([property: Id(0)] int Code, [property: Id(1)] string Reason = "", [property: Id(2)] string Sentence = "")
{
    /// <summary>It is taken.</summary>
    public static ReportOutcome Taken { get; } = new(0);
}
