using System.Collections.Immutable;
using System.Text.Json;
using EdgeOrleans.DbManager;
using EdgeOrleans.Devices;
using EdgeOrleans.Resources;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Orleans.Core;
using Orleans.Storage;
using Orleans.Utilities;

namespace EdgeOrleans.Cloud.DeviceController;

/// <summary>A device of the cloud: what people want of it, and what its node shows of it. Key: <c>namespace/name</c>. Changes are answered after they are on disk.</summary>
[GrainType("cloud.device")]
internal sealed partial class DeviceGrain : Grain, IDeviceKeeper, IDeviceTwinGrain, IDeviceOfNode
{
    private const long BetweenLoads = 1_000;
    private static readonly TimeSpan WatchTime = TimeSpan.FromMinutes(1);
    private readonly DeviceRoom _room;
    private readonly ILogger _logger;
    private readonly StateStorageBridge<DeviceRecord> _stored;
    private string _id = "";
    private string? _fault;
    private long _loaded;
    private ObserverManager<IDeviceObserver>? _watchers;

    // No [PersistentState]: what cannot be read would fail the activation, and nobody would hear why.
    public DeviceGrain([FromKeyedServices(DbManagerModule.State)] IGrainStorage storage, DeviceRoom room, ILogger<DeviceGrain> logger)
    {
        (_room, _logger) = (room, logger);
        _stored = new StateStorageBridge<DeviceRecord>("device", GrainContext, storage);
    }

    private DeviceRecord Record => _stored.State;

    public override async Task OnActivateAsync(CancellationToken cancellationToken)
    {
        _id = this.GetPrimaryKeyString();
        await LoadAsync();
    }

    public async Task<ApplyOutcome> ApplyAsync(ResourceDocument document)
    {
        await ThrowIfUnreadableAsync();
        var (before, model) = (Record, document.Device!.Model);
        var rules = await RulesOfAsync(model);
        try
        {
            await CommitAsync(DeviceRules.Apply(before, document, rules, _room.Time.GetUtcNow()));
        }
        finally
        {
            LeaveIfNobody();
        }

        return new ApplyOutcome
        {
            Resource = $"{ResourceKinds.Device}/{_id}",
            Outcome = before.Head is null ? "created" : ReferenceEquals(before, Record) ? "unchanged" : "configured",
            Warnings = await WarningsAsync(model, rules, document.Node),
        };
    }

    public async Task<string?> GetDocumentAsync()
    {
        await ThrowIfUnreadableAsync();
        LeaveIfNobody();
        return Record.Head?.ComposeText(DeviceDocuments.ApiVersion, DeviceWriter.Kind, _id, json => DeviceWriter.WriteStatus(json, Record));
    }

    public async Task RemoveAsync(string? resourceVersion)
    {
        await ThrowIfUnreadableAsync();
        ThrowIfUnknown();
        ResourceHead.ThrowIfOther(Record.Head, ResourceKinds.Device, _id, resourceVersion);

        // The record that says "gone" takes the device's line with it in one commit; clearing it afterwards only tidies up.
        await CommitAsync(new CloudChange(new DeviceRecord(), false));
        await _stored.ClearStateAsync();
        LeaveIfNobody();
    }

    public async Task<DeviceView?> GetAsync()
    {
        await ThrowIfUnreadableAsync();
        LeaveIfNobody();
        return Record.Head is null ? null : Record.View(_id);
    }

    public async Task<DeviceView> SetExpectedAsync(ImmutableDictionary<string, string> values)
    {
        await ThrowIfUnreadableAsync();
        ThrowIfUnknown();
        var rules = await RulesOfAsync(Record.Model);
        await CommitAsync(DeviceRules.Set(Record, values, rules, _room.Time.GetUtcNow()));
        return Record.View(_id);
    }

    public Task<DeviceView?> WatchAsync(IDeviceObserver observer)
    {
        _watchers ??= new ObserverManager<IDeviceObserver>(WatchTime, _logger);
        _watchers.Subscribe(observer, observer);
        return GetAsync();
    }

    public Task UnwatchAsync(IDeviceObserver observer)
    {
        _watchers?.Unsubscribe(observer);
        return Task.CompletedTask;
    }

    public Task<ReportOutcome> ReportAsync(string node, byte[] report) =>
        TakeAsync(node, () => CloudTwinRules.Report(Record, ReportReader.ReadTwin(report), _room.Time.GetUtcNow().ToUnixTimeMilliseconds()));

    public Task<ReportOutcome> StateAsync(string node, byte[] report) =>
        TakeAsync(node, () => new CloudChange(CloudTwinRules.State(Record, ReportReader.ReadState(report)), false));

    public async Task<MemberPush?> MemberAsync(string node, MemberForm form)
    {
        await ThrowIfUnreadableAsync();
        LeaveIfNobody();
        return Record.IsOn(node) ? DeviceWriter.Member(_id, Record, form) : null;
    }

    public async Task<ObjectPush?> ObjectAsync(string node)
    {
        await ThrowIfUnreadableAsync();
        LeaveIfNobody();
        return Record.IsOn(node)
            ? new ObjectPush
            {
                Json = Record.Head!.Compose(DeviceDocuments.ApiVersion, DeviceWriter.Kind, _id, null),
                Version = Record.Head.Version,
                IsNew = Record.TakenBy != node,
            }
            : null;
    }

    public async Task ObjectTakenAsync(string node, long version)
    {
        await ThrowIfUnreadableAsync();
        LeaveIfNobody();
        if (Record.IsOn(node) && (Record.TakenBy != node || Record.TakenVersion < version))
        {
            await CommitAsync(new CloudChange(Record with { TakenBy = node, TakenVersion = version }, false));
        }
    }

    private async Task<ReportOutcome> TakeAsync(string node, Func<CloudChange> rule)
    {
        await LoadWhatIsMissingAsync();
        if (_fault is not null)
        {
            return new ReportOutcome(500, "unreadable", _fault);
        }

        // The same word for a device of another node and for none: whose it is is nothing to this node.
        if (!Record.IsOn(node))
        {
            LeaveIfNobody();
            return new ReportOutcome(403, "not-of-this-node", $"device {_id} is not on node {node}");
        }

        CloudChange change;
        try
        {
            change = rule();
        }
        catch (JsonException e)
        {
            return new ReportOutcome(400, "malformed", $"the report of device {_id} cannot be read: {e.Message}");
        }
        catch (RefusedException e)
        {
            return new ReportOutcome(e.Code, "too-much", e.Message);
        }

        try
        {
            await CommitAsync(change);
            return ReportOutcome.Taken;
        }
        catch (Exception e)
        {
            return new ReportOutcome(e is RefusedException { Code: var code } ? code : 500, "not-stored", $"the report of device {_id} could not be stored: {e.GetBaseException().Message}");
        }
    }

    /// <summary>Writes a record and what goes with it. It is the state only once it is on disk.</summary>
    private async Task CommitAsync(CloudChange change)
    {
        var before = Record;
        if (ReferenceEquals(change.Record, before))
        {
            return;
        }

        try
        {
            _stored.State = change.Record with { Commit = new DeviceCommit(_id, before, change.Reissues, _room) };
            await _stored.WriteStateAsync();
            _stored.State = change.Record;
        }
        catch (Exception e)
        {
            _stored.State = before;
            if (e.GetBaseException() is RefusedException refused)
            {
                throw refused;
            }

            LogNotStored(e, _id);
            DeactivateOnIdle();
            throw;
        }

        await TellAsync(before);
    }

    private async Task TellAsync(DeviceRecord before)
    {
        if (_watchers is { Count: > 0 })
        {
            var view = Record.Head is null ? null : Record.View(_id);
            await _watchers.Notify(observer => observer.ChangedAsync(view));
        }

        // A report brings nothing for the node unless something of it is to be said again.
        if (Record.Head != before.Head || Record.Pending.Any())
        {
            await _room.NudgeAsync(Record.Node);
        }

        if (before.Node != Record.Node)
        {
            await _room.NudgeAsync(before.Node);
        }
    }

    private async Task<ModelRules?> RulesOfAsync(string model)
    {
        if (model.Length == 0)
        {
            return null;
        }

        try
        {
            return await GrainFactory.GetGrain<IModelKeeper>(model).GetRulesAsync();
        }
        catch (Exception e)
        {
            throw new RefusedException(500, $"device model {model} cannot be read: {e.GetBaseException().Message}");
        }
    }

    private async Task<ImmutableArray<string>> WarningsAsync(string model, ModelRules? rules, string node)
    {
        var warnings = ImmutableArray.CreateBuilder<string>();
        if (model.Length > 0 && rules is null)
        {
            warnings.Add($"spec.deviceModelRef: there is no device model {model} yet; it is enforced once it is applied");
        }

        if (node.Length == 0)
        {
            warnings.Add("spec.nodeName: the device is on no node; nothing of it goes down until it names one");
        }
        else if (!await _room.Index.ExistsAsync(ResourceKinds.Node, node))
        {
            warnings.Add($"spec.nodeName: there is no node {node} yet; the device waits for it");
        }

        return warnings.ToImmutable();
    }

    /// <summary>Questions about devices that there are not leave nothing in memory.</summary>
    private void LeaveIfNobody()
    {
        if (_fault is null && Record.Head is null && _watchers is not { Count: > 0 })
        {
            DeactivateOnIdle();
        }
    }

    /// <summary>Never throws: what cannot be read is answered with the reason, and read again a moment later.</summary>
    private async Task LoadAsync()
    {
        _loaded = Environment.TickCount64;
        try
        {
            await _stored.ReadStateAsync();
            _fault = null;
        }
        catch (Exception e)
        {
            _fault = $"the stored state of device {_id} cannot be read: {e.GetBaseException().Message}";
            LogUnreadable(e, _fault);
        }
    }

    private async ValueTask LoadWhatIsMissingAsync()
    {
        if (_fault is not null && Environment.TickCount64 - _loaded >= BetweenLoads)
        {
            await LoadAsync();
        }
    }

    private async ValueTask ThrowIfUnreadableAsync()
    {
        await LoadWhatIsMissingAsync();
        if (_fault is not null)
        {
            throw new RefusedException(500, _fault);
        }
    }

    private void ThrowIfUnknown()
    {
        if (Record.Head is null)
        {
            LeaveIfNobody();
            throw new RefusedException(404, $"there is no device {_id} in this cloud");
        }
    }

    [LoggerMessage(LogLevel.Error, "{Fault}; its requests are refused until it can")]
    private partial void LogUnreadable(Exception exception, string fault);

    [LoggerMessage(LogLevel.Error, "Device {Device}: a change could not be stored; it starts again from its stored state")]
    private partial void LogNotStored(Exception exception, string device);
}
