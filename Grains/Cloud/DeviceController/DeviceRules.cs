using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using EdgeOrleans.Devices;

namespace EdgeOrleans.Cloud.DeviceController;

/// <summary>What people say of a device: documents, and single values that stand in the document from then on.</summary>
internal static class DeviceRules
{
    private static readonly JsonSerializerOptions Writing = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>Takes over a document.</summary>
    /// <exception cref="RefusedException">409 it is about another version; 400 a value that its type or the device's model refuses.</exception>
    public static CloudChange Apply(DeviceRecord record, ResourceDocument document, ModelRules? rules, DateTimeOffset now)
    {
        var (device, head) = (document.Device!, ResourceHead.Apply(record.Head, document, now));
        var known = ReferenceEquals(head, record.Head) ? record : record with { Head = head, Model = device.Model, Description = device.Description };
        var placed = record.Head is null ? known with { Node = document.Node } : record.Node == document.Node ? known : CloudTwinRules.Move(known, document.Node);
        var left = CloudTwinRules.Withdraw(placed, [.. device.Desired.Keys]);
        try
        {
            return CloudTwinRules.Want(left, device.Desired, TypesIn(document.Spec), rules, now.ToUnixTimeMilliseconds());
        }
        catch (RefusedException e)
        {
            throw new RefusedException(e.Code, $"spec.properties: {e.Message}");
        }
    }

    /// <summary>Wants values, and writes them into the document.</summary>
    /// <exception cref="RefusedException">400 a value that its type or the device's model refuses.</exception>
    public static CloudChange Set(DeviceRecord record, IReadOnlyDictionary<string, string> values, ModelRules? rules, DateTimeOffset now)
    {
        var change = CloudTwinRules.Want(record, values, new Dictionary<string, string>(), rules, now.ToUnixTimeMilliseconds());
        return change.Reissues
            ? change with { Record = change.Record with { Head = record.Head!.WithSpec(SpecWith(record.Head.Spec, values), now) } }
            : change;
    }

    private static string SpecWith(string spec, IReadOnlyDictionary<string, string> values)
    {
        var root = JsonNode.Parse(spec)!.AsObject();
        if (root["properties"] is not JsonArray properties)
        {
            root["properties"] = properties = [];
        }

        foreach (var (name, value) in values.OrderBy(static v => v.Key, StringComparer.Ordinal))
        {
            if (properties.FirstOrDefault(p => p!["name"]?.GetValue<string>() == name) is not { } property)
            {
                properties.Add(property = new JsonObject { ["name"] = name });
            }

            if (property["desired"] is not JsonObject desired)
            {
                property["desired"] = desired = [];
            }

            desired["value"] = value;
        }

        return root.ToJsonString(Writing);
    }

    // KubeEdge writes the type of a value beside it; a model knows better.
    private static Dictionary<string, string> TypesIn(string spec)
    {
        var types = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var property in (JsonNode.Parse(spec) as JsonObject)?["properties"] as JsonArray ?? [])
        {
            if (property?["desired"] is JsonObject desired && desired["metadata"] is JsonObject metadata
                && metadata["type"] is JsonValue type && type.TryGetValue<string>(out var text) && text is "string" or "int" or "integer" or "float" or "boolean")
            {
                types[property["name"]!.GetValue<string>()] = text;
            }
        }

        return types;
    }
}
