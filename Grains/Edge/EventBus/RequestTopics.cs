using System.Diagnostics.CodeAnalysis;
using EdgeOrleans.Beehive;
using EdgeOrleans.Devices;
using EdgeOrleans.Modules;

namespace EdgeOrleans.Edge.EventBus;

/// <summary>What a topic that a client publishes to means.</summary>
internal enum TopicKind
{
    /// <summary>Nothing of ours: passed between clients as in any broker.</summary>
    Free,

    /// <summary>A request to a twin or to the membership.</summary>
    Request,

    /// <summary>Only the node publishes here.</summary>
    Reserved,

    /// <summary>A request whose device id is none.</summary>
    BadDevice,

    /// <summary>Below a device or node, and no request: nobody answers, clients may still hear it.</summary>
    Unknown,
}

/// <summary>A request topic, read once: whom it is for, what it asks, and where its answer goes.</summary>
internal sealed record RequestTopic
{
    public required string Topic { get; init; }

    public required TopicKind Kind { get; init; }

    public Address To { get; init; }

    public string Operation { get; init; } = "";

    public string Resource { get; init; } = "";

    /// <summary>Whether the topic used the form without a namespace, as KubeEdge did up to v1.16.</summary>
    public bool OneLevel { get; init; }

    /// <summary>The resource of the answer; empty when errors are answered with silence.</summary>
    public string ResultResource { get; init; } = "";

    /// <summary>The resources that an update publishes besides its result.</summary>
    public string[] SideResources { get; init; } = [];

    /// <summary>All resources on which an update is answered; none for what changes nothing.</summary>
    public string[] Answers { get; init; } = [];

    /// <summary>Why not, for <see cref="TopicKind.BadDevice"/>.</summary>
    public string Reason { get; init; } = "";
}

/// <summary>Reads the topics of the reference, section 3.3, level by level.</summary>
internal static class RequestTopics
{
    public const string Events = "$hw/events/";
    private const string Device = "$hw/events/device/";
    private const string Node = "$hw/events/node/";

    public static RequestTopic Parse(string topic)
    {
        if (!topic.StartsWith('$'))
        {
            return Of(topic, TopicKind.Free);
        }

        if (topic.StartsWith(Device, StringComparison.Ordinal))
        {
            return OfDevice(topic, topic[Device.Length..].Split('/'));
        }

        if (topic.StartsWith(Node, StringComparison.Ordinal))
        {
            return OfNode(topic, topic[Node.Length..].Split('/'));
        }

        return Of(topic, topic.StartsWith("$SYS", StringComparison.Ordinal) ? TopicKind.Reserved : TopicKind.Free);
    }

    private static RequestTopic OfNode(string topic, string[] levels) => levels switch
    {
        [_, "membership", "get"] => Of(topic, TopicKind.Request) with
        {
            To = Address.Module(ModuleNames.DeviceTwin),
            Operation = Operations.Get,
            Resource = "membership",
        },
        [_, "membership", ..] or [.., "result"] => Of(topic, TopicKind.Reserved),
        _ => Of(topic, TopicKind.Unknown),
    };

    private static RequestTopic OfDevice(string topic, string[] levels)
    {
        if (levels is [.., "result" or "document" or "delta"])
        {
            return Of(topic, TopicKind.Reserved);
        }

        var oneLevel = levels is [_, "twin" or "state", _];
        if (!oneLevel && levels is not [_, _, "twin" or "state", _])
        {
            return Of(topic, levels is [_, "updated"] or [_, _, "updated"] ? TopicKind.Reserved : TopicKind.Unknown);
        }

        if (!TryVerb(levels[^2], levels[^1], out var operation, out var suffix, out var result))
        {
            return Of(topic, TopicKind.Unknown);
        }

        var given = oneLevel ? levels[0] : $"{levels[0]}/{levels[1]}";
        if (!DeviceId.TryParse(given, out var id, out var reason))
        {
            return Of(topic, TopicKind.BadDevice) with { Reason = reason, ResultResource = result.Length == 0 ? "" : topic[Events.Length..] + "/result" };
        }

        var device = $"device/{id}/";
        string[] sides = operation == Operations.Get ? [] : [device + "twin/update/document", device + "twin/update/delta"];
        return Of(topic, TopicKind.Request) with
        {
            To = Address.Entity(Entities.Device, id),
            Operation = operation,
            Resource = device + suffix,
            OneLevel = oneLevel,
            ResultResource = result.Length == 0 ? "" : device + result,
            SideResources = sides,
            Answers = operation == Operations.Get ? [] : [device + (result.Length == 0 ? "state/update/result" : result), .. sides],
        };
    }

    private static bool TryVerb(string part, string verb, [NotNullWhen(true)] out string? operation, out string suffix, out string result)
    {
        (operation, suffix, result) = (part, verb) switch
        {
            ("twin", "get") => (Operations.Get, "twin", "twin/get/result"),
            ("twin", "update") => (Operations.Update, "twin", "twin/update/result"),
            ("twin", "cloud_updated") => (Operations.Update, "twin/cloud_updated", "twin/update/result"),
            ("state", "update") => (Operations.Update, "state", ""),
            _ => ((string?)null, "", ""),
        };
        return operation is not null;
    }

    private static RequestTopic Of(string topic, TopicKind kind) => new() { Topic = topic, Kind = kind };
}
