using System.Collections.Immutable;
using System.Text.Json.Nodes;
using EdgeOrleans.Devices;
using EdgeOrleans.Joining;
using EdgeOrleans.Modules;
using EdgeOrleans.Nodes;

namespace EdgeOrleans.Client.Rendering;

/// <summary>What a node says, as JSON with KubeEdge's field names. Other tools rely on these names.</summary>
internal static class Documents
{
    public static JsonArray Devices(IEnumerable<DeviceSummary> devices) => [.. devices.Select(Device)];

    public static JsonObject Twin(DeviceView device, bool all) => WithPending(new JsonObject { ["id"] = device.Id, ["twin"] = Properties(device, all) }, device);

    public static JsonArray Conflicts(DeviceView device) => [.. device.Conflicts.Select(Conflict)];

    public static JsonArray Models(IEnumerable<ModelSummary> models) => [.. models.Select(model => new JsonObject
    {
        ["id"] = model.Id,
        ["properties"] = new JsonArray([.. model.Properties.Select(name => JsonValue.Create(name))]),
    })];

    public static JsonArray Modules(IEnumerable<ModuleStatus> modules) => [.. modules.Select(module => new JsonObject
    {
        ["name"] = module.Name,
        ["group"] = module.Group,
        ["enabled"] = module.Enabled,
        ["state"] = State(module.State),
        ["detail"] = module.Detail,
    })];

    public static JsonArray Refusals(IEnumerable<KeyValuePair<string, long>> refusals) => [.. refusals.Select(refusal => new JsonObject
    {
        ["reason"] = refusal.Key,
        ["count"] = refusal.Value,
    })];

    public static JsonObject Node(NodeInfo node, IEnumerable<ModuleStatus> modules, IEnumerable<KeyValuePair<string, long>> refusals) => new()
    {
        ["name"] = node.Name,
        ["version"] = node.Version,
        ["started"] = Time(node.Started),
        ["doors"] = new JsonObject(node.Doors.Select(door => KeyValuePair.Create<string, JsonNode?>(door.Key, door.Value))),
        ["modules"] = Modules(modules),
        ["refusals"] = Refusals(refusals),
    };

    public static JsonObject Full(DeviceView device, bool all) => WithPending(Everything(device, all), device);

    private static JsonObject Everything(DeviceView device, bool all) => new()
    {
        ["id"] = device.Id,
        ["name"] = device.Name,
        ["description"] = device.Description,
        ["state"] = device.State,
        ["last_online"] = device.LastOnline,
        ["model"] = device.Model,
        ["attributes"] = Attributes(device.Attributes),
        ["twin"] = Properties(device, all),
        ["conflicts"] = Conflicts(device),
    };

    public static JsonArray JoinTokens(IEnumerable<JoinTokenView> tokens) => [.. tokens.Select(token => new JsonObject
    {
        ["id"] = token.Id,
        ["node"] = token.Node,
        ["group"] = token.Group,
        ["state"] = token.State,
        ["created"] = Time(token.Created),
        ["expires"] = Time(token.Expires),
        ["used"] = token.Used,
        ["uses"] = token.Uses,
    })];

    public static JsonArray Certificates(IEnumerable<NodeCertificateView> certificates) => [.. certificates.Select(certificate => new JsonObject
    {
        ["serial"] = certificate.Serial,
        ["issued"] = Time(certificate.Issued),
        ["expires"] = Time(certificate.Expires),
        ["token"] = certificate.Token,
        ["revoked"] = certificate.Revoked,
    })];

    /// <summary>A moment as it is written everywhere.</summary>
    public static string Time(DateTimeOffset time) => time.UtcDateTime.ToString("yyyy-MM-ddTHH:mm:ssZ");

    /// <summary>A module's state as it is written everywhere: <c>running</c>, <c>notBuilt</c> …</summary>
    public static string State(ModuleState state)
    {
        var name = state.ToString();
        return char.ToLowerInvariant(name[0]) + name[1..];
    }

    // Only a cloud knows what a node does not have yet.
    private static JsonObject WithPending(JsonObject document, DeviceView device)
    {
        if (device.Node.Length > 0)
        {
            document["node"] = device.Node;
            document["pending"] = new JsonArray([.. device.Pending.Select(static name => JsonValue.Create(name))]);
        }

        return document;
    }

    private static JsonObject Device(DeviceSummary device) => new()
    {
        ["id"] = device.Id,
        ["description"] = device.Description,
        ["state"] = device.State,
        ["last_online"] = device.LastOnline,
        ["model"] = device.Model,
    };

    private static JsonObject Properties(DeviceView device, bool all) => new(device.Twin
        .Where(property => all || !property.Value.IsDeleted)
        .Select(property => KeyValuePair.Create<string, JsonNode?>(property.Key, Property(property.Value))));

    private static JsonObject Property(TwinProperty property)
    {
        var document = new JsonObject();
        Add(document, "expected", property.Expected);
        Add(document, "actual", property.Actual);
        document["optional"] = property.Optional;
        document["metadata"] = property.Type.Length == 0 ? new JsonObject() : new JsonObject { ["type"] = property.Type };
        AddVersion(document, "expected_version", property.Expected);
        AddVersion(document, "actual_version", property.Actual);
        return document;
    }

    private static void Add(JsonObject document, string side, TwinValue? value)
    {
        if (value?.Value is not null)
        {
            document[side] = Value(value);
        }
    }

    private static void AddVersion(JsonObject document, string name, TwinValue? value)
    {
        if (value is not null)
        {
            document[name] = Version(value);
        }
    }

    private static JsonObject Value(TwinValue value) => new()
    {
        ["value"] = value.Value,
        ["metadata"] = new JsonObject { ["timestamp"] = value.Timestamp },
    };

    private static JsonObject Version(TwinValue value) => new() { ["cloud"] = value.Version.Cloud, ["edge"] = value.Version.Edge };

    private static JsonObject Attributes(ImmutableSortedDictionary<string, DeviceAttribute> attributes) => new(attributes.Select(
        attribute => KeyValuePair.Create<string, JsonNode?>(attribute.Key, new JsonObject
        {
            ["value"] = attribute.Value.Value,
            ["optional"] = attribute.Value.Optional,
            ["metadata"] = attribute.Value.Type.Length == 0 ? new JsonObject() : new JsonObject { ["type"] = attribute.Value.Type },
        })));

    private static JsonObject Conflict(TwinConflict conflict) => new()
    {
        ["property"] = conflict.Property,
        ["side"] = conflict.Side,
        ["kept"] = Value(conflict.Kept),
        ["kept_version"] = Version(conflict.Kept),
        ["refused"] = Value(conflict.Refused),
        ["refused_version"] = Version(conflict.Refused),
        ["source"] = conflict.Source,
    };
}
