using System.Globalization;
using System.Text.Json.Nodes;
using EdgeOrleans.Resources;

namespace EdgeOrleans.Client.Rendering;

/// <summary>What a cloud lists, as columns and as JSON.</summary>
internal static class ResourceViews
{
    public static Table Nodes(IEnumerable<ResourceSummary> nodes, bool wide, TimeProvider time)
    {
        var table = wide ? new Table("NAME", "READY", "LAST SEEN", "AGENT", "ADDRESS", "LABELS") : new Table("NAME", "READY", "LAST SEEN", "AGENT");
        foreach (var node in nodes)
        {
            string[] cells = [node.Id, node.Ready ? "yes" : "no", node.LastSeen is { } at ? $"{Tables.Span(time.GetUtcNow() - at)} ago" : "never", node.Agent];
            table.Add(wide ? [.. cells, node.Address, Labels(node)] : cells);
        }

        return table;
    }

    public static JsonArray NodesDocument(IEnumerable<ResourceSummary> nodes) => [.. nodes.Select(Node)];

    public static Table Devices(IEnumerable<ResourceSummary> devices, bool wide)
    {
        var table = wide
            ? new Table("NAME", "NODE", "STATE", "LAST ONLINE", "MODEL", "PENDING", "DESCRIPTION", "LABELS")
            : new Table("NAME", "NODE", "STATE", "LAST ONLINE", "MODEL", "PENDING");
        foreach (var device in devices)
        {
            string[] cells = [device.Id, device.Node, device.State, device.LastOnline, device.Model, string.Join(",", device.Properties)];
            table.Add(wide ? [.. cells, device.Description, Labels(device)] : cells);
        }

        return table;
    }

    public static JsonArray DevicesDocument(IEnumerable<ResourceSummary> devices) => [.. devices.Select(Device)];

    public static Table Models(IEnumerable<ResourceSummary> models)
    {
        var table = new Table("NAME", "PROPERTIES");
        foreach (var model in models)
        {
            table.Add(model.Id, string.Join(",", model.Properties));
        }

        return table;
    }

    public static JsonArray ModelsDocument(IEnumerable<ResourceSummary> models) => [.. models.Select(Model)];

    /// <summary>A resource as one JSON object, whatever its kind.</summary>
    public static JsonObject Of(ResourceSummary resource) => resource.Kind switch
    {
        ResourceKinds.Node => Node(resource),
        ResourceKinds.Device => Device(resource),
        _ => Model(resource),
    };

    /// <summary>A resource as one line of a watch.</summary>
    public static string Line(ResourceSummary resource) => resource.Kind switch
    {
        _ when resource.Removed => $"{resource.Id} removed",
        ResourceKinds.Node => $"{resource.Id} ready={(resource.Ready ? "yes" : "no")} {resource.Agent}",
        ResourceKinds.Device => $"{resource.Id} node={Or(resource.Node)} state={Or(resource.State)} pending={Or(string.Join(",", resource.Properties))}",
        _ => $"{resource.Id} properties={string.Join(",", resource.Properties)}",
    };

    private static string Or(string text) => text.Length == 0 ? "-" : text;

    private static JsonObject Node(ResourceSummary node) => new()
    {
        ["name"] = node.Id,
        ["ready"] = node.Ready,
        ["lastSeen"] = node.LastSeen is { } at ? at.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss.fff'Z'", CultureInfo.InvariantCulture) : null,
        ["address"] = node.Address,
        ["agent"] = node.Agent,
        ["labels"] = LabelsOf(node),
        ["created"] = Documents.Time(node.Created),
        ["resourceVersion"] = node.ResourceVersion,
    };

    private static JsonObject Device(ResourceSummary device) => new()
    {
        ["id"] = device.Id,
        ["node"] = device.Node,
        ["description"] = device.Description,
        ["state"] = device.State,
        ["last_online"] = device.LastOnline,
        ["model"] = device.Model,
        ["pending"] = Names(device),
        ["labels"] = LabelsOf(device),
        ["resourceVersion"] = device.ResourceVersion,
    };

    private static JsonObject Model(ResourceSummary model) => new()
    {
        ["id"] = model.Id,
        ["properties"] = Names(model),
        ["labels"] = LabelsOf(model),
        ["resourceVersion"] = model.ResourceVersion,
    };

    private static JsonArray Names(ResourceSummary resource) => [.. resource.Properties.Select(static name => JsonValue.Create(name))];

    private static JsonObject LabelsOf(ResourceSummary resource) => new(resource.Labels.Select(static l => KeyValuePair.Create<string, JsonNode?>(l.Key, l.Value)));

    private static string Labels(ResourceSummary resource) => string.Join(",", resource.Labels.Select(static l => $"{l.Key}={l.Value}"));
}
