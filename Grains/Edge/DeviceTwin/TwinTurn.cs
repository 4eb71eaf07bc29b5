using System.Runtime.InteropServices;
using EdgeOrleans.Beehive;
using EdgeOrleans.DbManager;
using EdgeOrleans.Devices;
using Microsoft.Extensions.Logging;

namespace EdgeOrleans.Edge.DeviceTwin;

/// <summary>What a device makes of a batch of messages: applied one after the other in memory, answered once it is known what the disk holds.</summary>
internal sealed partial class TwinTurn(TwinRoom room, string device, TwinRecord stored, ModelRules? model, string? modelFault, ILogger logger)
{
    private readonly TwinRecord _before = stored;
    private readonly List<(Message Message, TwinChange Change, bool IsChange)> _done = [];
    private readonly List<Report> _reports = [];
    private List<IWritesAlongside>? _alongside;
    private bool _tookPlace;

    /// <summary>The device after all messages.</summary>
    public TwinRecord Record { get; private set; } = stored;

    public IReadOnlyList<Report> Reports => _reports;

    /// <summary>What the messages that change something want in the same commit.</summary>
    public IReadOnlyList<IWritesAlongside>? Alongside => _alongside;

    public long Now { get; } = room.Now;

    /// <summary>Whether the device is another one than before.</summary>
    public bool HasChanged => !ReferenceEquals(Record, _before);

    public void Apply(Message message)
    {
        var change = Decide(Record, message);
        var isChange = !ReferenceEquals(change.Record, Record) || !change.Reports.IsEmpty;
        _done.Add((message, change, isChange));
        _reports.AddRange(change.Reports);
        if (isChange && message.Alongside is IWritesAlongside alongside)
        {
            (_alongside ??= []).Add(alongside);
        }

        Record = change.Record;
    }

    /// <summary>What the disk holds cannot be read: every message is told so.</summary>
    public void Refuse(IReadOnlyList<Message> messages, string fault)
    {
        foreach (var message in messages)
        {
            var change = Failure(message, fault, "twin.unreadable");
            _done.Add((message, change, false));
            Count(change);
        }
    }

    /// <summary>Everything is on disk.</summary>
    public void Committed()
    {
        foreach (var (_, change, _) in _done)
        {
            Count(change);
        }
    }

    /// <summary>Nothing is on disk: what changed something failed, what only asked is asked again.</summary>
    public void Failed(Exception error)
    {
        var reason = error is DatabaseFailedException ? error.Message : "the change could not be stored";
        foreach (ref var done in CollectionsMarshal.AsSpan(_done))
        {
            var again = done.IsChange ? Failure(done.Message, reason) : Decide(_before, done.Message);
            done.Change = ReferenceEquals(again.Record, _before) ? again : Failure(done.Message, reason);
            Count(done.Change);
        }

        if (_tookPlace)
        {
            room.Devices.Recount(-1);
        }

        Record = _before;
    }

    public async Task AnswerAsync()
    {
        foreach (var (message, change, _) in _done)
        {
            // The bus publishes what it asked for; what others caused is handed to it, and it has it before the next answer.
            var isOfBus = message.Route.Source == Groups.Bus;
            if (!isOfBus)
            {
                await room.PublishAsync($"device/{device}", change.Publications);
            }

            await room.AnswerAsync(Answer(message, change, isOfBus));
        }
    }

    private Message Answer(Message message, TwinChange change, bool isOfBus)
    {
        var answer = change.Code == 0 ? message.Respond("twin", default, Now) : message.Refuse("twin", change.Code, change.Reason, Now);
        return isOfBus ? answer with { Parts = ImmutableCollectionsMarshal.AsImmutableArray(TwinRoom.Parts(change.Publications, Now)) } : answer;
    }

    /// <summary>A fault of ours on one message is that message's alone.</summary>
    private TwinChange Decide(TwinRecord record, Message message)
    {
        var writer = room.TakeWriter();
        try
        {
            return Decide(record, message, writer);
        }
        catch (Exception e)
        {
            LogFault(e, device, message.Route.Operation, message.Route.Resource);
            return new TwinChange(record) { Code = 500, Reason = "the twin failed on this request", Refusal = "twin.fault" };
        }
        finally
        {
            room.GiveBack(writer);
        }
    }

    private TwinChange Decide(TwinRecord record, Message message, TwinWriter writer)
    {
        var isOfBus = message.Route.Source == Groups.Bus;
        var request = TwinAddress.Of(message.Route, device);
        var terms = Terms(record, message, writer, request is TwinRequestKind.Update or TwinRequestKind.State);
        var payload = Payload(message, isOfBus);
        var change = request switch
        {
            TwinRequestKind.Update or TwinRequestKind.Cloud when modelFault is not null =>
                TwinChange.Refused(record, terms, TwinTopics.UpdateResult, TwinReader.SalvageEventId(payload), 500, modelFault, "twin.model-unreadable"),
            TwinRequestKind.Get => TwinRules.Get(record, payload, terms),
            TwinRequestKind.Update => TwinRules.Update(record, payload, terms),
            TwinRequestKind.State => StateRules.Update(record, payload, terms),
            TwinRequestKind.Cloud when isOfBus && !terms.IsStrict => TwinRules.Repeat(record, payload, terms),
            TwinRequestKind.Cloud => TwinRules.CloudUpdate(record, payload, terms),
            TwinRequestKind.Attributes when !isOfBus => AttributeRules.Update(record, payload, terms),
            _ => TwinChange.Silent(record, 400, "twin.unknown-request") with
            {
                Reason = $"a device knows no {message.Route.Operation} of {message.Route.Resource}",
            },
        };
        return TakePlace(record, change, payload, terms);
    }

    /// <summary>A report that makes the device needs a place under the limit.</summary>
    private TwinChange TakePlace(TwinRecord record, TwinChange change, ReadOnlySpan<byte> payload, TwinTerms terms)
    {
        if (record.Exists || !change.Record.Exists || _tookPlace)
        {
            return change;
        }

        _tookPlace = room.Devices.TryTakePlace(terms.Options.MaxDevices);
        if (_tookPlace)
        {
            return change;
        }

        var why = $"this node has as many devices as reports may make ({terms.Options.MaxDevices}); register it, or raise modules.deviceTwin.maxDevices";
        return change.Publications[0].Resource.EndsWith(TwinTopics.UpdateResult, StringComparison.Ordinal)
            ? TwinChange.Refused(record, terms, TwinTopics.UpdateResult, TwinReader.SalvageEventId(payload), 404, why, "twin.too-many-devices")
            : TwinChange.Silent(record, 404, "twin.too-many-devices") with { Reason = why };
    }

    private TwinTerms Terms(TwinRecord record, Message message, TwinWriter writer, bool mayRegister) => new()
    {
        Device = device,
        Now = Now,
        Options = room.Options,
        NewId = Guid.NewGuid,
        Writer = writer,
        Node = room.Node,
        Source = message.Route.Source,
        Model = model,
        ResultOnly = message.ResultOnly,
        Registers = mayRegister && !record.Exists && room.Registers,
        GoesUp = room.GoesUp,
    };

    /// <summary>A client's payload is what it is; what comes from elsewhere may be a document inside a JSON string.</summary>
    private static ReadOnlySpan<byte> Payload(Message message, bool isOfBus) =>
        isOfBus || message.Content.Length == 0 || message.Content.Span[0] != '"'
            ? message.Content.Span
            : System.Text.Encoding.UTF8.GetBytes(message.ContentAsText());

    private TwinChange Failure(Message message, string reason, string refusal = "twin.not-stored")
    {
        var request = TwinAddress.Of(message.Route, device);
        if (request == TwinRequestKind.State)
        {
            return TwinChange.Silent(_before, 500, refusal) with { Reason = reason };
        }

        var writer = room.TakeWriter();
        try
        {
            var result = request == TwinRequestKind.Get ? TwinTopics.GetResult : TwinTopics.UpdateResult;
            var eventId = TwinReader.SalvageEventId(message.Content.Span);
            return TwinChange.Refused(_before, Terms(_before, message, writer, false), result, eventId, 500, reason, refusal);
        }
        finally
        {
            room.GiveBack(writer);
        }
    }

    private void Count(TwinChange change)
    {
        if (change.Refusal is { } refusal)
        {
            room.Count(refusal);
        }
    }

    [LoggerMessage(LogLevel.Error, "Device {Device} failed on {Operation} of {Resource}")]
    private partial void LogFault(Exception exception, string device, string operation, string resource);
}

/// <summary>What a message wants of a device.</summary>
internal enum TwinRequestKind
{
    Unknown,
    Get,
    Update,
    Cloud,
    State,
    Attributes,
}

/// <summary>What resources of a device mean.</summary>
internal static class TwinAddress
{
    private const string Head = "device/";

    public static TwinRequestKind Of(MessageRoute route, string device)
    {
        var resource = route.Resource.AsSpan();
        if (!resource.StartsWith(Head) || !resource[Head.Length..].StartsWith(device))
        {
            return TwinRequestKind.Unknown;
        }

        return resource[(Head.Length + device.Length)..] switch
        {
            "/twin" when route.Operation == Operations.Get => TwinRequestKind.Get,
            "/twin" when route.Operation == Operations.Update => TwinRequestKind.Update,
            "/twin/cloud_updated" => TwinRequestKind.Cloud,
            "/state" when route.Operation == Operations.Update => TwinRequestKind.State,
            "" when route.Operation.Contains("updated", StringComparison.Ordinal) => TwinRequestKind.Attributes,
            _ => TwinRequestKind.Unknown,
        };
    }
}
