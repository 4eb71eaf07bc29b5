using System.Text.Json;
using System.Text.Json.Nodes;
using EdgeOrleans.Devices;

namespace EdgeOrleans.Edge.DeviceTwin;

/// <summary>The cloud's <c>Device</c> and <c>DeviceModel</c> objects: what the twins need of them. What a cloud adds to an object is passed over; its values are read as strictly as a person's.</summary>
internal static class CloudObjects
{
    public const string Device = "device";
    public const string Model = "devicemodel";

    private static readonly string[] ModelFields = ["name", "type", "accessMode", "minimum", "maximum"];

    /// <summary>The kind and the id of <c>namespace/kind/name</c>.</summary>
    public static (string Kind, string Id) Address(string resource) =>
        resource.Split('/') is [var ns, var kind, var name] && kind is (Device or Model) && DeviceId.TryParse($"{ns}/{name}", out var id, out _)
            ? (kind, id)
            : throw new RefusedException(400, $"'{resource}' is neither 'namespace/device/name' nor 'namespace/devicemodel/name'");

    /// <summary>The id of the device's model, empty for none, and its description.</summary>
    public static (string Model, string Description) ReadDevice(string id, string json)
    {
        var spec = new JsonObject();
        var given = Parse(json);
        if (Field(given, "spec", "deviceModelRef", "name") is { } name)
        {
            spec["deviceModelRef"] = new JsonObject { ["name"] = name.DeepClone() };
        }

        var device = Read("Device", id, given, spec).Device!;
        return (device.Model, device.Description);
    }

    /// <summary>What a model says about its properties.</summary>
    public static ModelRules ReadModel(string id, string json)
    {
        var given = Parse(json);
        var properties = new JsonArray();
        foreach (var property in Field(given, "spec", "properties") as JsonArray ?? [])
        {
            properties.Add(property is JsonObject fields
                ? new JsonObject(fields.Where(f => ModelFields.Contains(f.Key)).Select(f => KeyValuePair.Create(f.Key, f.Value?.DeepClone())))
                : property?.DeepClone());
        }

        return Read("DeviceModel", id, given, new JsonObject { ["properties"] = properties }).Model!;
    }

    private static AppliedDocument Read(string kind, string id, JsonNode given, JsonObject spec)
    {
        var metadata = new JsonObject { ["namespace"] = id[..id.IndexOf('/', StringComparison.Ordinal)], ["name"] = id[(id.IndexOf('/', StringComparison.Ordinal) + 1)..] };
        if (Field(given, "metadata", "labels", "description") is { } description)
        {
            metadata["labels"] = new JsonObject { ["description"] = description.DeepClone() };
        }

        return DeviceDocuments.Read(new JsonObject
        {
            ["apiVersion"] = DeviceDocuments.ApiVersion,
            ["kind"] = kind,
            ["metadata"] = metadata,
            ["spec"] = spec,
        }.ToJsonString());
    }

    private static JsonNode Parse(string json)
    {
        try
        {
            return JsonNode.Parse(json) as JsonObject ?? throw new RefusedException(400, "the object is no JSON object");
        }
        catch (JsonException e)
        {
            throw new RefusedException(400, $"the object is no JSON: {e.Message}");
        }
    }

    private static JsonNode? Field(JsonNode? node, params ReadOnlySpan<string> path)
    {
        foreach (var name in path)
        {
            node = (node as JsonObject)?[name];
        }

        return node;
    }
}
