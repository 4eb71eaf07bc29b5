using EdgeOrleans.DbManager;
using EdgeOrleans.Devices;
using EdgeOrleans.Resources;

namespace EdgeOrleans.Cloud.DeviceController;

/// <summary>A device model of the cloud. Key: <c>namespace/name</c>. It calls no device: each asks for the rules when it needs them.</summary>
[GrainType("cloud.device-model")]
internal sealed class DeviceModelGrain([PersistentState("model", DbManagerModule.State)] IPersistentState<ModelRecord> stored, DeviceRoom room)
    : Grain, IModelKeeper, IModelOfNode
{
    private ModelRules? _rules;

    private string Id => this.GetPrimaryKeyString();

    private ResourceHead? Head => stored.State.Head;

    public async Task<ApplyOutcome> ApplyAsync(ResourceDocument document)
    {
        var before = Head;
        var head = ResourceHead.Apply(before, document, room.Time.GetUtcNow());
        if (!ReferenceEquals(head, before))
        {
            await CommitAsync(new ModelRecord { Head = head });
            foreach (var node in await room.Index.NodesOfModelAsync(Id))
            {
                await room.NudgeAsync(node);
            }
        }

        return new ApplyOutcome
        {
            Resource = $"{ResourceKinds.DeviceModel}/{Id}",
            Outcome = before is null ? "created" : ReferenceEquals(head, before) ? "unchanged" : "configured",
        };
    }

    public Task<string?> GetDocumentAsync()
    {
        LeaveIfNobody();
        return Task.FromResult(Head?.ComposeText(DeviceDocuments.ApiVersion, ModelRecord.Kind, Id, static _ => { }));
    }

    public async Task RemoveAsync(string? resourceVersion)
    {
        LeaveIfNobody();
        if (Head is null)
        {
            throw new RefusedException(404, $"there is no device model {Id} in this cloud");
        }

        ResourceHead.ThrowIfOther(Head, ResourceKinds.DeviceModel, Id, resourceVersion);
        if (await room.Index.UserOfAsync(Id) is { } user)
        {
            throw ModelCommit.Used(Id, user);
        }

        await CommitAsync(new ModelRecord());
        await stored.ClearStateAsync();
        LeaveIfNobody();
    }

    public Task<ModelRules?> GetRulesAsync()
    {
        LeaveIfNobody();
        return Task.FromResult(_rules ??= stored.State.Rules(Id));
    }

    public async Task<ObjectPush?> ObjectAsync(string node)
    {
        LeaveIfNobody();
        return Head is { } head && await room.Index.IsUsedAsync(Id, node)
            ? new ObjectPush { Json = head.Compose(DeviceDocuments.ApiVersion, ModelRecord.Kind, Id, null), Version = head.Version, IsNew = true }
            : null;
    }

    private async Task CommitAsync(ModelRecord record)
    {
        try
        {
            await stored.ReplaceAsync(record with { Commit = new ModelCommit(Id, room) }, DeactivateOnIdle);
        }
        catch (Exception e) when (e.GetBaseException() is RefusedException refused)
        {
            throw refused;
        }

        stored.State = record;
        _rules = null;
    }

    private void LeaveIfNobody()
    {
        if (Head is null)
        {
            DeactivateOnIdle();
        }
    }
}
