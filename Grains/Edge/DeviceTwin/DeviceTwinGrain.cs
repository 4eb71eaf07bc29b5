using System.Collections.Immutable;
using System.Text.Json;
using EdgeOrleans.Beehive;
using EdgeOrleans.DbManager;
using EdgeOrleans.Devices;
using Microsoft.Extensions.Logging;
using Orleans.Utilities;

namespace EdgeOrleans.Edge.DeviceTwin;

/// <summary>The twin of one device. Key: <c>namespace/name</c>. Changes are answered after they are on disk.</summary>
[GrainType("edge.device-twin"), ImplicitStreamSubscription(Entities.Device)]
internal sealed partial class DeviceTwinGrain(
    [PersistentState("twin", DbManagerModule.State)] IPersistentState<TwinRecord> stored,
    TwinRoom room,
    ILogger<DeviceTwinGrain> logger) : EntityGrain(logger), IDeviceTwinGrain, IDeviceMember
{
    private static readonly TimeSpan WatchTime = TimeSpan.FromMinutes(1);
    private readonly ILogger _logger = logger;
    private string _id = "";
    private ModelRules? _model;
    private ObserverManager<IDeviceObserver>? _watchers;

    public override async Task OnActivateAsync(CancellationToken cancellationToken)
    {
        _id = this.GetPrimaryKeyString();
        if (stored.State.Model.Length > 0)
        {
            _model = await RulesOfAsync(stored.State.Model);
        }
    }

    public Task<DeviceView?> GetAsync()
    {
        LeaveIfNobody();
        return Task.FromResult(stored.State.Exists ? stored.State.View(_id) : null);
    }

    public async Task<DeviceView> SetExpectedAsync(ImmutableDictionary<string, string> values)
    {
        ThrowIfUnknown();
        var entries = Entries(values);
        await ChangeAsync(terms => TwinRules.Validate(entries, terms) is { } reason
            ? TwinChange.Silent(stored.State, 400, "twin.value") with { Reason = reason }
            : TwinRules.Order(stored.State, entries, terms));
        return stored.State.View(_id);
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
        var named = Read(member);
        await ChangeAsync(terms => MembershipRules.Join(stored.State, named, terms));
    }

    public async Task<bool> LeaveAsync(byte[]? member)
    {
        if (!stored.State.Exists)
        {
            return false;
        }

        var named = member is null ? new Member(_id, stored.State.Name, "", "", "") : Read(member);

        // The record that says "gone" takes the device's line with it in one commit; clearing it afterwards only tidies up.
        await ChangeAsync(terms => new TwinChange(new TwinRecord()) { Publications = [MembershipWriter.Notification(named, isAdded: false, terms)] });
        await stored.ClearStateAsync();
        _model = null;
        return true;
    }

    public async Task<string> RegisterAsync(DeviceRegistration registration)
    {
        var before = stored.State;
        var rules = registration.Model.Length == 0 ? null : await RulesOfAsync(registration.Model);
        await ChangeAsync(terms => RegistrationRules.Apply(before, registration, terms), rules);
        _model = rules;
        return !before.Exists ? "created" : ReferenceEquals(before, stored.State) ? "unchanged" : "configured";
    }

    public Task ModelChangedAsync(ModelRules? rules)
    {
        _model = rules;
        return Task.CompletedTask;
    }

    // What was waiting arrives together: applied in order, committed once, answered in order.
    protected override async Task HandleAsync(IReadOnlyList<Message> messages)
    {
        var turn = new TwinTurn(room, _id, stored.State, _model, _logger);
        foreach (var message in messages)
        {
            turn.Apply(message);
        }

        try
        {
            await CommitAsync(turn.Record, turn.Reports, turn.Now);
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
            await room.AnswerAsync(message.Refuse("twin", 500, "the twin failed on this request", room.Now));
        }
    }

    /// <summary>One change that a caller asked for: refused with its reason, or on disk and told.</summary>
    private Task ChangeAsync(Func<TwinTerms, TwinChange> rule) => ChangeAsync(rule, _model);

    private async Task ChangeAsync(Func<TwinTerms, TwinChange> rule, ModelRules? model)
    {
        var before = stored.State;
        var writer = room.TakeWriter();
        TwinChange change;
        var now = room.Now;
        try
        {
            change = rule(new TwinTerms
            {
                Device = _id,
                Now = now,
                Options = room.Options,
                NewId = Guid.NewGuid,
                Writer = writer,
                Node = room.Node,
                Source = "cloud",
                Model = model,
                GoesUp = room.GoesUp,
            });
        }
        finally
        {
            room.GiveBack(writer);
        }

        if (change.Code != 0 && ReferenceEquals(change.Record, before))
        {
            room.Count(change.Refusal!);
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

        room.Devices.Recount((stored.State.Exists ? 1 : 0) - (before.Exists ? 1 : 0));
        await room.PublishAsync($"device/{_id}", change.Publications);
        await TellWatchersAsync(!ReferenceEquals(before, stored.State));
    }

    /// <summary>Writes a record and what goes with it. It is the state only once it is on disk.</summary>
    private async Task CommitAsync(TwinRecord record, IReadOnlyList<Report> reports, long now)
    {
        var before = stored.State;
        var goesUp = room.GoesUp && reports.Count > 0;
        if (!ReferenceEquals(record, before) || goesUp)
        {
            try
            {
                stored.State = record with
                {
                    Commit = new TwinCommit(_id, DeviceStore.RowDiffers(before, record), goesUp ? reports : [], room.Outbox, now),
                };
                await stored.WriteStateAsync();
            }
            catch
            {
                stored.State = before;
                throw;
            }

            stored.State = record;
        }

        Tally(reports, goesUp);
    }

    private void Tally(IReadOnlyList<Report> reports, bool goesUp)
    {
        if (goesUp)
        {
            room.NudgeHub();
            return;
        }

        foreach (var report in reports)
        {
            room.Outbox.CountNoCloud(report.Property is null ? Link.OutboxClasses.State : Link.OutboxClasses.Twin);
        }
    }

    private async Task TellWatchersAsync(bool changed)
    {
        if (!changed || _watchers is not { Count: > 0 })
        {
            return;
        }

        var view = stored.State.Exists ? stored.State.View(_id) : null;
        await _watchers.Notify(observer => observer.ChangedAsync(view));
    }

    /// <summary>Questions about devices that there are not leave nothing in memory.</summary>
    private void LeaveIfNobody()
    {
        if (!stored.State.Exists && _watchers is not { Count: > 0 })
        {
            DeactivateOnIdle();
        }
    }

    private Task<ModelRules?> RulesOfAsync(string model) => GrainFactory.GetGrain<IDeviceModelGrain>(model).GetRulesAsync();

    private void ThrowIfUnknown()
    {
        if (!stored.State.Exists)
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

    [LoggerMessage(LogLevel.Error, "Device {Device}: {Count} requests could not be stored; it starts again from its stored state")]
    private partial void LogNotStored(Exception exception, string device, int count);
}
