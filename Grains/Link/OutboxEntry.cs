namespace EdgeOrleans.Link;

/// <summary>One thing to say to the other end of the link.</summary>
public sealed record OutboxEntry
{
    /// <summary>What kind it is: see <see cref="OutboxClasses"/>.</summary>
    public required string Class { get; init; }

    /// <summary>What it is about. While an entry of the same class and key waits, a new one takes its place. Null: every entry waits for itself.</summary>
    public string? Key { get; init; }

    /// <summary>For whom it is: the node's name in a cloud; empty on a node, which has one cloud. Keys and numbers of one peer are nothing to another.</summary>
    public string Peer { get; init; } = "";

    /// <summary>The message's route.</summary>
    public required string Source { get; init; }

    /// <inheritdoc cref="Source"/>
    public required string Group { get; init; }

    /// <inheritdoc cref="Source"/>
    public required string Operation { get; init; }

    /// <inheritdoc cref="Source"/>
    public required string Resource { get; init; }

    /// <summary>One JSON value as UTF-8; with <see cref="IsText"/> the text itself.</summary>
    public required ReadOnlyMemory<byte> Content { get; init; }

    /// <summary>The content is a text that becomes a JSON string on the wire.</summary>
    public bool IsText { get; init; }

    /// <summary>When it was said, in milliseconds since 1970 (UTC).</summary>
    public required long Created { get; init; }

    /// <summary>What it counts for under the cap: its texts, and about what a row costs.</summary>
    internal long Bytes => Content.Length + Resource.Length + (Key?.Length ?? 0) + Peer.Length + 64;

    /// <summary>The report of one property of a twin.</summary>
    /// <param name="device"><c>namespace/name</c>.</param>
    /// <param name="property">The property's name.</param>
    /// <param name="twin">The property's twin entry as a JSON object, with versions; its members lie over those that wait.</param>
    /// <param name="now">Milliseconds since 1970 (UTC).</param>
    public static OutboxEntry TwinReport(string device, string property, ReadOnlyMemory<byte> twin, long now) => new()
    {
        Class = OutboxClasses.Twin,
        Key = $"{device}|{property}",
        Source = "twin",
        Group = "resource",
        Operation = "update",
        Resource = $"device/{device}/twin/edge_updated",
        Content = twin,
        Created = now,
    };
}

/// <summary>The kinds of entries.</summary>
public static class OutboxClasses
{
    /// <summary>The report of a twin's property: one waits per device and property, members of newer ones lie over those of older ones.</summary>
    public const string Twin = "twin";

    /// <summary>The state of a device: one waits per device, the newest.</summary>
    public const string State = "state";

    /// <summary>What devices and apps say themselves: every entry waits.</summary>
    public const string Telemetry = "telemetry";

    /// <summary>Down: a device came to a node, went, or is described in another way; one waits per device.</summary>
    public const string Membership = "membership";

    /// <summary>Down: what a device of the node should be; one waits per device, until the node has it.</summary>
    public const string Desired = "desired";

    /// <summary>Down: a <c>Device</c> or <c>DeviceModel</c> as it was applied; one waits per object, the newest.</summary>
    public const string Document = "document";
}

/// <summary>An entry that waits, with its number. Numbers rise; none is given twice.</summary>
public sealed record OutboxRow(long Seq, OutboxEntry Entry);
