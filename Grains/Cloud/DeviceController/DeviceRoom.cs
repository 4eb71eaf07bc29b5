using EdgeOrleans.Cloud.Registry;
using EdgeOrleans.DbManager;
using EdgeOrleans.Link;
using Microsoft.Extensions.Logging;

namespace EdgeOrleans.Cloud.DeviceController;

/// <summary>What all devices and models of a cloud share: the registry, the way down, the clock.</summary>
internal sealed partial class DeviceRoom(IResourceIndex index, Outbox outbox, IGrainFactory grains, TimeProvider time, ILogger<DeviceRoom> logger)
{
    public IResourceIndex Index => index;

    public Outbox Outbox => outbox;

    public TimeProvider Time => time;

    /// <summary>Notes inside a commit that something is to go down. What it is is asked when it goes.</summary>
    /// <exception cref="RefusedException">503: no more fits, and a change that its node never hears of is none.</exception>
    public void Mark(DbSession db, string node, string type, string key)
    {
        var entry = new OutboxEntry
        {
            Class = type,
            Key = key,
            Peer = node,
            Source = "devicecontroller",
            Group = type == OutboxClasses.Document ? "resource" : "twin",
            Operation = "update",
            Resource = type == OutboxClasses.Document ? key : "membership",
            Content = ReadOnlyMemory<byte>.Empty,
            Created = time.GetUtcNow().ToUnixTimeMilliseconds(),
        };
        if (!outbox.Append(db, entry) && outbox.Enabled)
        {
            throw new RefusedException(503, "so much waits for nodes that no more can be taken (outbox.maxBytes); it goes on when they have fetched it");
        }
    }

    /// <summary>Tells the link of a node that something waits. A link that does not hear it finds it when it comes up.</summary>
    public async Task NudgeAsync(string node)
    {
        if (node.Length == 0)
        {
            return;
        }

        try
        {
            await grains.GetGrain<INodeSession>(node).NudgeAsync();
        }
        catch (Exception e)
        {
            LogNotNudged(e, node);
        }
    }

    [LoggerMessage(LogLevel.Warning, "The link of node {Node} could not be told that something waits; the next change tells it again")]
    private partial void LogNotNudged(Exception exception, string node);
}
