namespace EdgeOrleans.Link.Wire;

/// <summary>What a node said to its cloud: made by <see cref="Uplink"/> of an envelope, which carries the content.</summary>
internal abstract record UplinkMessage
{
    private UplinkMessage()
    {
    }

    /// <summary>The node is there. Nothing is answered (reference 1.6).</summary>
    public sealed record KeepAlive : UplinkMessage;

    /// <summary>The empty envelope of a stock edge that stops (reference 1.8).</summary>
    public sealed record Goodbye : UplinkMessage;

    /// <summary>The node has the message with this id; of objects that means stored, not applied. Only the id counts (reference 3.3).</summary>
    public sealed record Acknowledged(string ParentId) : UplinkMessage;

    /// <summary>The node could not take the message with this id; the content says why.</summary>
    public sealed record NotAcknowledged(string ParentId) : UplinkMessage;

    /// <summary>A report of a device's twin, or its answer to a desired value that was too old. To be confirmed.</summary>
    public sealed record TwinReport(string Device) : UplinkMessage;

    /// <summary>The state of a device; the content is a document in a text. To be confirmed.</summary>
    public sealed record StateReport(string Device) : UplinkMessage;

    /// <summary>The node asks for all its devices, at every connect. To be confirmed, and answered with a message of its own (reference 5.6).</summary>
    public sealed record MembershipQuery : UplinkMessage;

    /// <summary>A payload that was published on a topic which the cloud wants.</summary>
    public sealed record TopicUpload(string Topic) : UplinkMessage;

    /// <summary>An app on the node calls a URL of the cloud; the content is base64. To be answered.</summary>
    public sealed record ServiceCall(string TargetUrl) : UplinkMessage;

    /// <summary>What a service on the node answered to the call with this id; it may come without an operation (W32).</summary>
    public sealed record ServiceAnswer(string ParentId) : UplinkMessage;

    /// <summary>A question or report about a resource: <c>namespace/type[/name]</c> (reference 3.3, edged and meta manager).</summary>
    public sealed record ResourceRequest(string Operation, string Namespace, string Type, string Name) : UplinkMessage;

    /// <summary>The node wants the certificate of the cluster's CA.</summary>
    public sealed record ClusterCaQuery : UplinkMessage;

    /// <summary>A call of the node's local Kubernetes API that goes on to the cloud.</summary>
    public sealed record MetaServerCall : UplinkMessage;

    /// <summary>The answer of a storage driver on the node.</summary>
    public sealed record VolumeAnswer(string Volume) : UplinkMessage;

    /// <summary>The progress of an upgrade, a prepull or another order.</summary>
    public sealed record TaskReport(string Operation) : UplinkMessage;

    /// <summary>Nothing that a node may say.</summary>
    public sealed record Refused(string Reason) : UplinkMessage;
}
