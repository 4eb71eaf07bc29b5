using System.Globalization;
using System.Text.Json;
using EdgeOrleans.Cloud.Registry;
using EdgeOrleans.DbManager;
using EdgeOrleans.Devices;
using EdgeOrleans.Joining;
using EdgeOrleans.Resources;
using Microsoft.Extensions.Logging;

namespace EdgeOrleans.Cloud.EdgeController;

/// <summary>A node of the cloud: what people say of it, and its newest link. Key: the node's name.</summary>
/// <remarks>Whether it is ready and when it was last heard is in the registry's line, where hubs write it for many nodes at once.</remarks>
[GrainType("cloud.node")]
internal sealed partial class NodeGrain(
    [PersistentState("node", DbManagerModule.State)] IPersistentState<NodeRecord> stored, IResourceIndex index, TimeProvider time, ILogger<NodeGrain> logger)
    : Grain, INodeKeeper, INodeDocuments
{
    private string Id => this.GetPrimaryKeyString();

    public async Task<ApplyOutcome> ApplyAsync(ResourceDocument document)
    {
        var before = stored.State;
        try
        {
            var head = ResourceHead.Apply(before.Head, document, time.GetUtcNow());
            if (!ReferenceEquals(head, before.Head))
            {
                await CommitAsync(before with { Head = head });
            }

            return new ApplyOutcome
            {
                Resource = $"{ResourceKinds.Node}/{Id}",
                Outcome = before.Head is null ? "created" : ReferenceEquals(head, before.Head) ? "unchanged" : "configured",
            };
        }
        finally
        {
            LeaveIfNobody();
        }
    }

    public async Task<string?> GetDocumentAsync()
    {
        LeaveIfNobody();
        if (stored.State.Head is not { } head)
        {
            return null;
        }

        var line = await index.NodeAsync(Id);
        return head.ComposeText("v1", "Node", Id, json => WriteStatus(json, line));
    }

    public async Task RemoveAsync(string? resourceVersion)
    {
        if (stored.State.Head is null)
        {
            LeaveIfNobody();
            throw new RefusedException(404, $"there is no node {Id} in this cloud");
        }

        ResourceHead.ThrowIfOther(stored.State.Head, ResourceKinds.Node, Id, resourceVersion);

        // First it may not come back, then it goes, then it is forgotten: whatever fails in between, a removed node is out.
        await RevokeAsync();
        await GrainFactory.GetGrain<INodeSession>(Id).CloseAsync($"node {Id} was removed");
        await CommitAsync(new NodeRecord());
        await stored.ClearStateAsync();
        LogRemoved(Id);
        LeaveIfNobody();
    }

    public Task JoinedAsync() => stored.State.Head is null ? CommitAsync(Known(stored.State)) : Task.CompletedTask;

    public Task ConnectedAsync(NodeConnection connection) => CommitAsync(Known(stored.State) with { Contact = NodeContact.Of(connection) });

    public Task DisconnectedAsync(Guid session, DateTimeOffset lastSeen)
    {
        LeaveIfNobody();
        return stored.State is { Head: not null, Contact: { IsUp: true } contact } && contact.Session == session
            ? CommitAsync(stored.State with { Contact = contact with { IsUp = false, LastSeen = lastSeen } })
            : Task.CompletedTask;
    }

    private async Task RevokeAsync()
    {
        try
        {
            await GrainFactory.GetGrain<INodeCertificatesGrain>(Id).RevokeAsync(null);
        }
        catch (RefusedException e) when (e.Code == 404)
        {
            // It was named and never joined.
        }
    }

    private NodeRecord Known(NodeRecord record) => record.Head is not null ? record : record with
    {
        Head = ResourceHead.Apply(null, new ResourceDocument { Kind = ResourceKinds.Node, Id = Id, Spec = "{}" }, time.GetUtcNow()),
    };

    private async Task CommitAsync(NodeRecord record)
    {
        await stored.ReplaceAsync(record with { Commit = new NodeCommit(Id, stored.State, index, time.GetUtcNow()) }, DeactivateOnIdle);
        stored.State = record;
    }

    private void WriteStatus(Utf8JsonWriter json, NodeLine? line)
    {
        json.WriteBoolean("ready"u8, line?.IsReady ?? false);
        WriteTime(json, "lastSeen"u8, line?.LastSeen);
        if (stored.State.Contact is not { } contact)
        {
            return;
        }

        json.WriteStartArray("addresses"u8);
        json.WriteStartObject();
        json.WriteString("type"u8, "InternalIP"u8);
        json.WriteString("address"u8, contact.Address);
        json.WriteEndObject();
        json.WriteEndArray();
        json.WriteString("agent"u8, contact.Agent);
        json.WriteString("hub"u8, contact.Hub);
        WriteTime(json, "connectedSince"u8, line?.IsReady == true ? contact.Since : null);
        json.WriteStartObject("certificate"u8);
        json.WriteString("serial"u8, contact.Serial);
        WriteTime(json, "expires"u8, contact.CertificateExpires);
        json.WriteEndObject();
    }

    private static void WriteTime(Utf8JsonWriter json, ReadOnlySpan<byte> name, DateTimeOffset? at)
    {
        if (at is { } when)
        {
            json.WriteString(name, when.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss.fff'Z'", CultureInfo.InvariantCulture));
        }
    }

    private void LeaveIfNobody()
    {
        if (stored.State.Head is null)
        {
            DeactivateOnIdle();
        }
    }

    [LoggerMessage(LogLevel.Warning, "Node {Node} was removed; its certificates count no more")]
    private partial void LogRemoved(string node);
}
