using EdgeOrleans.Beehive;

namespace EdgeOrleans.Cloud.CloudHub;

/// <summary>A device or an object of which the node does not know everything yet.</summary>
/// <param name="IsDocument">Whether it is an object; otherwise a device's place in the membership and its expected values.</param>
/// <param name="Key">The key of its markers in the outbox.</param>
internal sealed record DeliveryKey(bool IsDocument, string Key);

/// <summary>What is known of it while it is in mind. Only the delivery's own loop touches it.</summary>
internal sealed class DeliveryItem(DeliveryKey key)
{
    public DeliveryKey Key { get; } = key;

    /// <summary>The markers that end with the answer to the next message.</summary>
    public List<long> Numbers { get; set; } = [];

    /// <summary>The markers that end with the answer to the message that is under way.</summary>
    public List<long> Going { get; set; } = [];

    /// <summary>Expected values wait to be confirmed; the device's grain ends their marker when they are.</summary>
    public bool IsDesired { get; set; }

    /// <summary>Something is to be said as soon as it may.</summary>
    public bool IsDirty { get; set; }

    /// <summary>A report came in: what is to be said may be another thing now, or nothing any more.</summary>
    public bool IsToBeChecked { get; set; }

    /// <summary>The next thing that is said by the clock is a question, not the values.</summary>
    public bool AsksNext { get; set; }

    /// <summary>The message that is without an answer.</summary>
    public DeliveryMessage? UnderWay { get; set; }

    /// <summary>Nothing is said before.</summary>
    public DateTimeOffset NotBefore { get; set; }

    /// <summary>When to say it again; null for never.</summary>
    public DateTimeOffset? Due { get; set; }

    /// <summary>How often it was said again, or refused.</summary>
    public int Tries { get; set; }

    /// <summary>What was said last.</summary>
    public byte[]? Said { get; set; }

    /// <summary>Whether something is to be said now.</summary>
    public bool IsReady(DateTimeOffset now) => UnderWay is null && NotBefore <= now && (IsDirty || Due <= now);

    /// <summary>When something may be to be said, if nothing else happens; null for never.</summary>
    public DateTimeOffset? Next => UnderWay is not null ? null : IsDirty ? NotBefore : Due is { } due ? (due > NotBefore ? due : NotBefore) : null;
}

/// <summary>A message that left and has no answer yet.</summary>
internal sealed class DeliveryMessage(Message message, IReadOnlyList<DeliveryItem> items, DateTimeOffset deadline)
{
    public Message Message { get; } = message;

    /// <summary>What it is about.</summary>
    public IReadOnlyList<DeliveryItem> Items { get; } = items;

    /// <summary>Devices that are told their whole twin after a list that had no room for it.</summary>
    public IReadOnlyList<string> Wholes { get; init; } = [];

    /// <summary>The question that it answers with the list of all devices; null when it is no list.</summary>
    public Message? Question { get; init; }

    /// <summary>The object's version, when there is one that the node takes with it.</summary>
    public long? Version { get; init; }

    /// <summary>When the answer is late.</summary>
    public DateTimeOffset Deadline { get; set; } = deadline;

    /// <summary>How often the same message was sent again.</summary>
    public int Resent { get; set; }

    /// <summary>The ids whose answer is an answer to this: its own, or those of pings that followed it.</summary>
    public List<string> Ids { get; } = [];
}
