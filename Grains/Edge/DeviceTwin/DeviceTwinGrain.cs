using System.Collections.Immutable;
using System.Text.Json;
using EdgeOrleans.Beehive;
using EdgeOrleans.DbManager;
using EdgeOrleans.Devices;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Orleans.Core;
using Orleans.Storage;
using Orleans.Utilities;

namespace EdgeOrleans.Edge.DeviceTwin;

/// <summary>The twin of one device. Key: <c>namespace/name</c>. Changes are answered after they are on disk.</summary>
[GrainType("edge.device-twin"), ImplicitStreamSubscription(Entities.Device)]
internal sealed partial class DeviceTwinGrain : EntityGrain, IDeviceTwinGrain, IDeviceMember
{
    private const long BetweenLoads = 1_000;
    private static readonly TimeSpan WatchTime = TimeSpan.FromMinutes(1);
    private readonly TwinRoom _room;
    private readonly ILogger _logger;
    private readonly StateStorageBridge<TwinRecord> _stored;
    private string _id = "";
    private ModelRules? _model;
    private string? _fault;
    private string? _modelFault;
    private long _loaded;
    private bool _isInUse;
    private ObserverManager<IDeviceObserver>? _watchers;

    // No [PersistentState]: what cannot be read would fail the activation, and with it the pump of all entities.
    public DeviceTwinGrain([FromKeyedServices(DbManagerModule.State)] IGrainStorage storage, TwinRoom room, ILogger<DeviceTwinGrain> logger)
        : base(logger)
    {
        (_room, _logger) = (room, logger);
        _stored = new StateStorageBridge<TwinRecord>("twin", GrainContext, storage);
    }

    public override async Task OnActivateAsync(CancellationToken cancellationToken)
    {
        _id = this.GetPrimaryKeyString();
        await LoadAsync();
    }

    public async Task<DeviceView?> GetAsync()
    {
        await ThrowIfUnreadableAsync();
        LeaveIfNobody();
        return _stored.State.Exists ? _stored.State.View(_id) : null;
    }

    public async Task<DeviceView> SetExpectedAsync(ImmutableDictionary<string, string> values)
    {
        await ThrowIfUnreadableAsync();
        ThrowIfUnknown();
        ThrowIfModelUnreadable();
        ThrowIfMistyped(values.Keys);
        var entries = Entries(values);
        await ChangeAsync(terms => TwinRules.Validate(entries, terms) is { } reason
            ? TwinChange.Silent(_stored.State, 400, "twin.value") with { Reason = reason }
            : TwinRules.Order(_stored.State, entries, terms));
        return _stored.State.View(_id);
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

    public async Task JoinAsync(byte[] member)
    {
        await ThrowIfUnreadableAsync();
        var named = Read(member);
        if (named.Twin is not null)
        {
            ThrowIfModelUnreadable();
        }

        await ChangeAsync(terms => MembershipRules.Join(_stored.State, named, terms));
    }

    public async Task<bool> LeaveAsync(byte[]? member)
    {
        await ThrowIfUnreadableAsync();
        if (!_stored.State.Exists)
        {
            return false;
        }

        var named = member is null ? new Member(_id, _stored.State.Name, "", "", "") : Read(member);

        // The record that says "gone" takes the device's line with it in one commit; clearing it afterwards only tidies up.
        await ChangeAsync(terms => new TwinChange(new TwinRecord()) { Publications = [MembershipWriter.Notification(named, isAdded: false, terms)] });
        await _stored.ClearStateAsync();
        (_model, _modelFault) = (null, null);
        return true;
    }

    public async Task<string> RegisterAsync(DeviceRegistration registration)
    {
        await ThrowIfUnreadableAsync();
        var before = _stored.State;
        var (rules, fault) = await RulesOfAsync(registration.Model);
        if (fault is not null)
        {
            throw new RefusedException(500, fault);
        }

        await ChangeAsync(terms => RegistrationRules.Apply(before, registration, terms), rules);
        (_model, _modelFault) = (rules, null);
        return !before.Exists ? "created" : ReferenceEquals(before, _stored.State) ? "unchanged" : "configured";
    }

    public async Task DescribeAsync(string model, string description)
    {
        await ThrowIfUnreadableAsync();
        ThrowIfUnknown();
        var (rules, fault) = await RulesOfAsync(model);
        if (fault is not null)
        {
            throw new RefusedException(500, fault);
        }

        var before = _stored.State;
        if (before.Model != model || before.Description != description)
        {
            await ChangeAsync(_ => new TwinChange(before with { Model = model, Description = description }), rules);
        }

        (_model, _modelFault) = (rules, null);
    }

    public async Task TellAsync()
    {
        await ThrowIfUnreadableAsync();
        if (_stored.State.Exists)
        {
            await ChangeAsync(terms => new TwinChange(_stored.State) { Reports = [.. TwinRules.Whole(_stored.State, terms), .. StateRules.Whole(_stored.State, terms)] });
        }

        // A node may have many devices, and most have nothing else to do just now.
        if (!_isInUse && _watchers is not { Count: > 0 })
        {
            DeactivateOnIdle();
        }
    }

    public Task ModelChangedAsync(ModelRules? rules)
    {
        (_model, _modelFault) = (rules, null);
        return Task.CompletedTask;
    }

    // What was waiting arrives together: applied in order, committed once, answered in order.
    protected override async Task HandleAsync(IReadOnlyList<Message> messages)
    {
        _isInUse = true;
        await LoadWhatIsMissingAsync();
        var turn = new TwinTurn(_room, _id, _stored.State, _model, _modelFault, _logger);
        if (_fault is not null)
        {
            turn.Refuse(messages, _fault);
            await turn.AnswerAsync();
            return;
        }

        foreach (var message in messages)
        {
            turn.Apply(message);
        }

        try
        {
            await CommitAsync(turn.Record, turn.Reports, turn.Now, turn.Alongside);
            turn.Committed();
        }
        catch (Exception e)
        {
            LogNotStored(e, _id, messages.Count);
            DeactivateOnIdle();
            turn.Failed(e);
        }

        await turn.AnswerAsync();
        await TellWatchersAsync(turn.HasChanged);
        LeaveIfNobody();
    }

    protected override async Task OnFailedAsync(IReadOnlyList<Message> messages, Exception error)
    {
        foreach (var message in messages)
        {
            await _room.AnswerAsync(message.Refuse("twin", 500, "the twin failed on this request", _room.Now));
        }
    }

    /// <summary>One change that a caller asked for: refused with its reason, or on disk and told.</summary>
    private Task ChangeAsync(Func<TwinTerms, TwinChange> rule) => ChangeAsync(rule, _model);

    private async Task ChangeAsync(Func<TwinTerms, TwinChange> rule, ModelRules? model)
    {
        var before = _stored.State;
        var writer = _room.TakeWriter();
        TwinChange change;
        var now = _room.Now;
        try
        {
            change = rule(new TwinTerms
            {
                Device = _id,
                Now = now,
                Options = _room.Options,
                NewId = Guid.NewGuid,
                Writer = writer,
                Node = _room.Node,
                Source = "cloud",
                Model = model,
                GoesUp = _room.GoesUp,
            });
        }
        finally
        {
            _room.GiveBack(writer);
        }

        if (change.Code != 0 && ReferenceEquals(change.Record, before))
        {
            _room.Count(change.Refusal!);
            throw new RefusedException(change.Code, change.Reason);
        }

        try
        {
            await CommitAsync(change.Record, change.Reports, now);
        }
        catch (Exception e)
        {
            LogNotStored(e, _id, 1);
            DeactivateOnIdle();
            throw;
        }

        _room.Devices.Recount((_stored.State.Exists ? 1 : 0) - (before.Exists ? 1 : 0));
        await _room.PublishAsync($"device/{_id}", change.Publications);
        await TellWatchersAsync(!ReferenceEquals(before, _stored.State));
    }

    /// <summary>Writes a record and what goes with it. It is the state only once it is on disk.</summary>
    private async Task CommitAsync(TwinRecord record, IReadOnlyList<Report> reports, long now, IReadOnlyList<IWritesAlongside>? alongside = null)
    {
        var before = _stored.State;
        var goesUp = _room.GoesUp && reports.Count > 0;
        if (!ReferenceEquals(record, before) || goesUp)
        {
            try
            {
                _stored.State = record with
                {
                    Commit = new TwinCommit(_id, DeviceStore.RowDiffers(before, record), goesUp ? reports : [], _room.Outbox, now) { Alongside = alongside },
                };
                await _stored.WriteStateAsync();
            }
            catch
            {
                _stored.State = before;
                throw;
            }

            _stored.State = record;
        }

        Tally(reports, goesUp);
    }

    private void Tally(IReadOnlyList<Report> reports, bool goesUp)
    {
        if (goesUp)
        {
            _room.NudgeHub();
            return;
        }

        foreach (var report in reports)
        {
            _room.Outbox.CountNoCloud(report.Property is null ? Link.OutboxClasses.State : Link.OutboxClasses.Twin);
        }
    }

    private async Task TellWatchersAsync(bool changed)
    {
        if (!changed || _watchers is not { Count: > 0 })
        {
            return;
        }

        var view = _stored.State.Exists ? _stored.State.View(_id) : null;
        await _watchers.Notify(observer => observer.ChangedAsync(view));
    }

    /// <summary>Questions about devices that there are not leave nothing in memory.</summary>
    private void LeaveIfNobody()
    {
        if (_fault is null && !_stored.State.Exists && _watchers is not { Count: > 0 })
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
            return;
        }

        (_model, _modelFault) = await RulesOfAsync(_stored.State.Model);
    }

    private async ValueTask LoadWhatIsMissingAsync()
    {
        if ((_fault ?? _modelFault) is not null && Environment.TickCount64 - _loaded >= BetweenLoads)
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

    private void ThrowIfModelUnreadable()
    {
        if (_modelFault is not null)
        {
            throw new RefusedException(500, _modelFault);
        }
    }

    private async Task<(ModelRules? Rules, string? Fault)> RulesOfAsync(string model)
    {
        if (model.Length == 0)
        {
            return default;
        }

        try
        {
            return (await GrainFactory.GetGrain<IDeviceModelGrain>(model).GetRulesAsync(), null);
        }
        catch (Exception e)
        {
            var fault = $"device model {model} cannot be read: {e.GetBaseException().Message}";
            LogUnreadable(e, fault);
            return (null, fault);
        }
    }

    // A device may report what its model does not name; a person who asks for it has more likely mistyped.
    private void ThrowIfMistyped(IEnumerable<string> names)
    {
        if (_model is { } model && names.FirstOrDefault(name => !model.Properties.ContainsKey(name) && !_stored.State.Twin.ContainsKey(name)) is { } stranger)
        {
            var known = string.Join(", ", model.Properties.Keys.Order(StringComparer.Ordinal));
            throw new RefusedException(400, $"{stranger} is no property of {_id}; its model {_stored.State.Model} has {known}");
        }
    }

    private void ThrowIfUnknown()
    {
        if (!_stored.State.Exists)
        {
            throw new RefusedException(404, $"there is no device {_id} on this node");
        }
    }

    private Member Read(byte[] member)
    {
        try
        {
            return TwinReader.ReadMember(member) with { Id = _id };
        }
        catch (JsonException e)
        {
            throw new RefusedException(400, $"device {_id} of the membership cannot be read: {e.Message}");
        }
    }

    private static TwinEntry[] Entries(ImmutableDictionary<string, string> values) =>
        [.. values.OrderBy(v => v.Key, StringComparer.Ordinal).Select(v => new TwinEntry(v.Key) { Expected = new GivenValue(true, v.Value) })];

    [LoggerMessage(LogLevel.Error, "{Fault}; its requests are refused until it can")]
    private partial void LogUnreadable(Exception exception, string fault);

    [LoggerMessage(LogLevel.Error, "Device {Device}: {Count} requests could not be stored; it starts again from its stored state")]
    private partial void LogNotStored(Exception exception, string device, int count);
}
