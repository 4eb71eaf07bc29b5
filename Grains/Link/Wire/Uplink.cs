using System.Buffers;
using EdgeOrleans.Beehive;
using EdgeOrleans.Devices;

namespace EdgeOrleans.Link.Wire;

/// <summary>What a message of a node is (kubeedge-cloudlink 3.1 and 3.3): a pure function of its route and parent; the content is read by who handles it.</summary>
/// <remarks>
/// The resource is taken as it stands on the wire, without <c>node/…</c>: whose it is, the link's certificate says. The order is
/// cloudcore's, first match wins, with these differences: an answer of a service that comes without an operation is one (W32); an id
/// of a device may have one or two levels, and one that is none is refused; a device's topic that looks like a volume is a topic; the
/// empty envelope has a name; and what cloudcore drops without a word is refused with one.
/// </remarks>
internal static class Uplink
{
    private static readonly SearchValues<char> WordCharacters = SearchValues.Create("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-.+");

    /// <summary>What this message is.</summary>
    public static UplinkMessage Classify(Message message)
    {
        var (source, group, operation, resource) = (message.Route.Source, message.Route.Group, message.Route.Operation, message.Route.Resource);
        var parent = message.Header.ParentId;
        return operation switch
        {
            _ when Envelope.IsEmpty(message) => new UplinkMessage.Goodbye(),
            "keepalive" => new UplinkMessage.KeepAlive(),
            _ when group != "user" && Volume(resource) is { } volume => new UplinkMessage.VolumeAnswer(volume),
            Operations.Response => parent is null ? Refuse("a response to nothing: no parent_msg_id") : new UplinkMessage.Acknowledged(parent),
            Operations.Error => parent is null ? Refuse("an error about nothing: no parent_msg_id") : new UplinkMessage.NotAcknowledged(parent),
            "ping" or "pong" or "config" => Refuse($"operation '{operation}' ends at the socket"),
            _ when source == "servicebus" && group == "user" => ServiceBus(operation, resource, parent),
            Operations.Upload when group == "user" => resource.Length == 0 ? Refuse("an upload without a topic") : new UplinkMessage.TopicUpload(resource),
            "prepull" or "upgrade" or "UpdateNodeActionStatus" => new UplinkMessage.TaskReport(operation),
            _ when resource == "k8s/ca.crt" => new UplinkMessage.ClusterCaQuery(),
            _ => BySource(source, operation, resource),
        };
    }

    /// <summary>A text of a peer, short enough to be told, and without what would be a line of its own in a log.</summary>
    internal static string Shorten(string text) => OneLine(text.Length <= 80 ? text : text[..80] + "…");

    /// <summary>A text with something of a peer in it, as one line.</summary>
    internal static string OneLine(string text) =>
        !text.Any(char.IsControl) ? text : string.Concat(text.Select(static c => char.IsControl(c) ? ' ' : c));

    private static UplinkMessage BySource(string source, string operation, string resource) => source switch
    {
        "cloudhub" or "cloudStream" or "devicecontroller" or "edgecontroller" or "synccontroller" =>
            Refuse($"'{source}' is a name of the cloud; a node answers in it but says nothing else"),
        "twin" => Twin(operation, resource),
        "metaserver" => new UplinkMessage.MetaServerCall(),
        _ => Resource(operation, resource),
    };

    private static UplinkMessage ServiceBus(string operation, string resource, string? parent) => operation switch
    {
        _ when parent is not null => new UplinkMessage.ServiceAnswer(parent),
        Operations.Upload when resource.Length > 0 => new UplinkMessage.ServiceCall(resource),
        _ => Refuse("servicebus says neither which call it answers nor which URL it calls"),
    };

    private static UplinkMessage Twin(string operation, string resource) => (operation, resource) switch
    {
        (Operations.Get, "membership/detail") => new UplinkMessage.MembershipQuery(),
        (Operations.Update, _) when Between(resource, "device/", "/twin/edge_updated") is { } id => OfDevice(id, d => new UplinkMessage.TwinReport(d)),
        (Operations.Update, _) when Between(resource, "device/", "/state/update") is { } id => OfDevice(id, d => new UplinkMessage.StateReport(d)),
        _ => Refuse($"twin knows no '{Shorten(operation)}' of '{Shorten(resource)}'"),
    };

    private static UplinkMessage OfDevice(string text, Func<string, UplinkMessage> report) =>
        DeviceId.TryParse(text, out var id, out var reason) ? report(id) : Refuse(reason);

    private static UplinkMessage Resource(string operation, string resource)
    {
        var parts = resource.Split('/', 4);
        return operation is Operations.Insert or Operations.Update or Operations.Delete or Operations.Query or "patch"
            && parts.Length is 2 or 3 && Array.TrueForAll(parts, p => p.Length > 0)
            ? new UplinkMessage.ResourceRequest(operation, parts[0], parts[1], parts.Length == 3 ? parts[2] : "")
            : Refuse($"no '{Shorten(operation)}' of '{Shorten(resource)}' is known; a resource is 'namespace/type/name'");
    }

    // A driver's answer is addressed namespace/volume/id, whatever its operation (row 2 of the reference's table).
    private static string? Volume(string resource)
    {
        var parts = resource.Split('/', 4);
        return parts.Length >= 3 && parts[1] == "volume" && IsWord(parts[0]) && IsWord(parts[2]) ? parts[2] : null;

        static bool IsWord(string part) => part.Length > 0 && (char.IsAsciiLetterOrDigit(part[0]) || part[0] == '_')
            && part.AsSpan().IndexOfAnyExcept(WordCharacters) < 0;
    }

    private static string? Between(string text, string before, string after) =>
        text.Length > before.Length + after.Length && text.StartsWith(before, StringComparison.Ordinal) && text.EndsWith(after, StringComparison.Ordinal)
            ? text[before.Length..^after.Length]
            : null;

    private static UplinkMessage.Refused Refuse(string reason) => new(reason);
}
