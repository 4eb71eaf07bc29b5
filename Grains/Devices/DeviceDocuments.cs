using System.Collections.Frozen;
using System.Collections.Immutable;
using System.Globalization;
using System.Text.Json;

namespace EdgeOrleans.Devices;

/// <summary>KubeEdge's <c>Device</c> and <c>DeviceModel</c> v1beta1 as a person writes them. What is wrong is named by its path.</summary>
internal static class DeviceDocuments
{
    public const string ApiVersion = "devices.kubeedge.io/v1beta1";
    public const int MaxBytes = 1_024 * 1_024;
    private const int Nothing = 0;
    private const int Useful = 1;

    private static readonly FrozenDictionary<string, int> TopFields = Fields("apiVersion kind metadata spec", "status");
    private static readonly FrozenDictionary<string, int> DeviceFields = Fields("deviceModelRef nodeName properties", "methods protocol");
    private static readonly FrozenDictionary<string, int> DevicePropertyFields =
        Fields("name desired", "visitors reportCycle collectCycle reportToCloud pushMethod");
    private static readonly FrozenDictionary<string, int> DesiredFields = Fields("value", "metadata");
    private static readonly FrozenDictionary<string, int> ModelFields = Fields("properties", "protocol protocolConfigData");
    private static readonly FrozenDictionary<string, int> ModelPropertyFields = Fields("name description type accessMode minimum maximum unit", "visitors");
    private static readonly FrozenDictionary<string, int> ReferenceFields = Fields("name namespace", "");

    /// <summary>Reads a document.</summary>
    /// <exception cref="RefusedException">400 the path, what was wrong and what would be right.</exception>
    public static AppliedDocument Read(string text)
    {
        if (text.Length > MaxBytes)
        {
            throw Wrong("$", $"the document has {text.Length} characters; at most {MaxBytes} are read");
        }

        try
        {
            using var json = JsonDocument.Parse(text, new JsonDocumentOptions { MaxDepth = 64 });
            return Read(json.RootElement, []);
        }
        catch (JsonException e)
        {
            throw Wrong("$", $"no JSON: {e.Message}");
        }
    }

    /// <summary>Reads a document for somebody who keeps all of it: what has no effect on a node is not worth a warning there.</summary>
    /// <exception cref="RefusedException">400 the path, what was wrong and what would be right.</exception>
    public static AppliedDocument ReadKept(JsonElement root) => Read(root, null);

    private static AppliedDocument Read(JsonElement root, List<string>? warnings)
    {
        Check(root, "$", TopFields, warnings);
        var version = Text(root, "apiVersion", "apiVersion");
        if (version != ApiVersion)
        {
            throw Wrong("apiVersion", $"'{version}' is not known; it is {ApiVersion}");
        }

        var kind = Text(root, "kind", "kind");
        var (id, description) = Identity(root);
        var spec = root.TryGetProperty("spec", out var given) && given.ValueKind != JsonValueKind.Null ? given : throw Wrong("spec", "missing");
        return kind switch
        {
            "Device" => new AppliedDocument(id, ReadDevice(spec, id, description, warnings, out var node), null, node, warnings ?? []),
            "DeviceModel" => new AppliedDocument(id, null, ReadModel(spec, warnings), "", warnings ?? []),
            _ => throw Wrong("kind", $"'{kind}' is not known; it is Device or DeviceModel"),
        };
    }

    private static (string Id, string Description) Identity(JsonElement root)
    {
        if (!root.TryGetProperty("metadata", out var metadata) || metadata.ValueKind != JsonValueKind.Object)
        {
            throw Wrong("metadata", "missing; it names the resource");
        }

        var name = Text(metadata, "name", "metadata.name");
        var ns = OptionalText(metadata, "namespace", "metadata.namespace");
        ns = ns.Length == 0 ? DeviceId.DefaultNamespace : ns;
        if (!DeviceId.IsPart(name))
        {
            throw Wrong("metadata.name", $"'{name}' is no name: {DeviceId.PartRule}");
        }

        if (!DeviceId.IsPart(ns))
        {
            throw Wrong("metadata.namespace", $"'{ns}' is no namespace: {DeviceId.PartRule}");
        }

        var labels = metadata.TryGetProperty("labels", out var some) && some.ValueKind == JsonValueKind.Object ? some : default;
        var description = labels.ValueKind == JsonValueKind.Object ? OptionalText(labels, "description", "metadata.labels.description") : "";
        return ($"{ns}/{name}", description);
    }

    private static DeviceRegistration ReadDevice(JsonElement spec, string id, string description, List<string>? warnings, out string node)
    {
        Check(spec, "spec", DeviceFields, warnings);
        node = OptionalText(spec, "nodeName", "spec.nodeName");
        var model = "";
        if (spec.TryGetProperty("deviceModelRef", out var reference) && reference.ValueKind != JsonValueKind.Null)
        {
            Check(reference, "spec.deviceModelRef", ReferenceFields, warnings);
            var name = Text(reference, "name", "spec.deviceModelRef.name");
            model = DeviceId.IsPart(name) ? $"{id[..id.IndexOf('/', StringComparison.Ordinal)]}/{name}" : throw Wrong("spec.deviceModelRef.name", $"'{name}' is no name: {DeviceId.PartRule}");
        }

        var desired = ImmutableDictionary.CreateBuilder<string, string>(StringComparer.Ordinal);
        var names = new HashSet<string>(StringComparer.Ordinal);
        foreach (var (property, path) in Items(spec, "properties", "spec.properties"))
        {
            Check(property, path, DevicePropertyFields, warnings);
            var name = PropertyName(property, path, names);
            if (property.TryGetProperty("desired", out var wanted) && wanted.ValueKind != JsonValueKind.Null)
            {
                Check(wanted, $"{path}.desired", DesiredFields, warnings);
                if (OptionalText(wanted, "value", $"{path}.desired.value") is { Length: > 0 } value)
                {
                    desired[name] = value;
                }
            }
        }

        return new DeviceRegistration { Description = description, Model = model, Desired = desired.ToImmutable() };
    }

    private static ModelRules ReadModel(JsonElement spec, List<string>? warnings)
    {
        Check(spec, "spec", ModelFields, warnings);
        var properties = ImmutableDictionary.CreateBuilder<string, ModelProperty>(StringComparer.Ordinal);
        var names = new HashSet<string>(StringComparer.Ordinal);
        foreach (var (property, path) in Items(spec, "properties", "spec.properties"))
        {
            Check(property, path, ModelPropertyFields, warnings);
            properties[PropertyName(property, path, names)] = ReadModelProperty(property, path);
        }

        return new ModelRules { Properties = properties.ToImmutable() };
    }

    private static ModelProperty ReadModelProperty(JsonElement property, string path)
    {
        var type = Text(property, "type", $"{path}.type");
        var access = OptionalText(property, "accessMode", $"{path}.accessMode");
        if (access is not ("" or "ReadWrite" or "ReadOnly"))
        {
            throw Wrong($"{path}.accessMode", $"'{access}' is not known; it is ReadWrite or ReadOnly");
        }

        var read = new ModelProperty
        {
            Type = type switch
            {
                "STRING" => ModelType.String,
                "INT" => ModelType.Int,
                "FLOAT" => ModelType.Float,
                "DOUBLE" => ModelType.Double,
                "BOOLEAN" => ModelType.Boolean,
                "BYTES" => ModelType.Bytes,
                "STREAM" => ModelType.Stream,
                _ => throw Wrong($"{path}.type", $"'{type}' is not known; it is INT, FLOAT, DOUBLE, STRING, BOOLEAN, BYTES or STREAM"),
            },
            ReadOnly = access == "ReadOnly",
            Minimum = Number(property, "minimum", $"{path}.minimum"),
            Maximum = Number(property, "maximum", $"{path}.maximum"),
        };
        return read.Minimum > read.Maximum ? throw Wrong($"{path}.minimum", "it is above maximum") : read;
    }

    private static string PropertyName(JsonElement property, string path, HashSet<string> names)
    {
        var name = Text(property, "name", $"{path}.name");
        if (!TwinTypes.IsName(name))
        {
            throw Wrong($"{path}.name", $"'{name}' is no name of a property: 1 to {TwinTypes.MaxName} letters, digits and - _ . , : / @ #");
        }

        return names.Add(name) ? name : throw Wrong($"{path}.name", $"'{name}' is there twice");
    }

    private static IEnumerable<(JsonElement Item, string Path)> Items(JsonElement parent, string name, string path)
    {
        if (!parent.TryGetProperty(name, out var list) || list.ValueKind == JsonValueKind.Null)
        {
            yield break;
        }

        if (list.ValueKind != JsonValueKind.Array)
        {
            throw Wrong(path, "it is a list");
        }

        var index = 0;
        foreach (var item in list.EnumerateArray())
        {
            yield return (item, string.Create(CultureInfo.InvariantCulture, $"{path}[{index++}]"));
        }
    }

    private static void Check(JsonElement element, string path, FrozenDictionary<string, int> fields, List<string>? warnings)
    {
        if (element.ValueKind != JsonValueKind.Object)
        {
            throw Wrong(path, "it is an object with fields");
        }

        foreach (var field in element.EnumerateObject())
        {
            var where = path == "$" ? field.Name : $"{path}.{field.Name}";
            if (!fields.TryGetValue(field.Name, out var use))
            {
                throw Wrong(where, $"no such field; there are {string.Join(", ", fields.Keys.Order(StringComparer.Ordinal))}");
            }

            if (use == Nothing && field.Value.ValueKind != JsonValueKind.Null)
            {
                warnings?.Add($"{where} has no effect on this node");
            }
        }
    }

    private static string Text(JsonElement parent, string name, string path) =>
        OptionalText(parent, name, path) is { Length: > 0 } text ? text : throw Wrong(path, "missing");

    private static string OptionalText(JsonElement parent, string name, string path) =>
        !parent.TryGetProperty(name, out var value) || value.ValueKind == JsonValueKind.Null ? ""
        : value.ValueKind == JsonValueKind.String ? value.GetString()!
        : throw Wrong(path, "it is a text; write it in quotes");

    private static double? Number(JsonElement parent, string name, string path)
    {
        if (!parent.TryGetProperty(name, out var value) || value.ValueKind == JsonValueKind.Null)
        {
            return null;
        }

        var text = value.ValueKind == JsonValueKind.String ? value.GetString()! : value.GetRawText();
        if (text.Length == 0)
        {
            return null;
        }

        return TwinTypes.ToNumber(text) is var number && double.IsFinite(number) ? number : throw Wrong(path, $"'{text}' is no number");
    }

    private static RefusedException Wrong(string path, string what) => new(400, $"{path}: {what}");

    private static FrozenDictionary<string, int> Fields(string useful, string idle) => useful.Split(' ').Select(name => (name, Useful))
        .Concat(idle.Split(' ', StringSplitOptions.RemoveEmptyEntries).Select(name => (name, Nothing)))
        .ToFrozenDictionary(f => f.name, f => f.Item2, StringComparer.Ordinal);
}

/// <summary>A document that was read: a device or a model.</summary>
internal sealed record AppliedDocument(string Id, DeviceRegistration? Device, ModelRules? Model, string Node, IReadOnlyList<string> Warnings);
