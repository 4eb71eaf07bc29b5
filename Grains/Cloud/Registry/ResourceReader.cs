using System.Collections.Immutable;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using EdgeOrleans.Devices;
using EdgeOrleans.Nodes;
using EdgeOrleans.Resources;

namespace EdgeOrleans.Cloud.Registry;

/// <summary>Documents of resources out of JSON. What is wrong is named by its path.</summary>
internal static class ResourceReader
{
    private static readonly JsonDocumentOptions Options = new() { MaxDepth = 64, AllowDuplicateProperties = false };
    private static readonly JsonWriterOptions Writing = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };
    private static readonly string[] NodeFields = ["apiVersion", "kind", "metadata", "spec", "status"];

    /// <exception cref="RefusedException">400 the path, what was wrong and what would be right.</exception>
    public static ResourceDocument Read(string text)
    {
        if (Encoding.UTF8.GetByteCount(text) is var bytes and > DeviceDocuments.MaxBytes)
        {
            throw Wrong("$", $"the document has {bytes} bytes; at most {DeviceDocuments.MaxBytes} are read");
        }

        try
        {
            using var json = JsonDocument.Parse(text, Options);
            return Read(json.RootElement);
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            throw Wrong("$", $"no JSON: {e.Message}");
        }
    }

    private static ResourceDocument Read(JsonElement root)
    {
        if (root.ValueKind != JsonValueKind.Object)
        {
            throw Wrong("$", "it is an object with fields");
        }

        return root.TryGetProperty("kind", out var kind) && kind.ValueKind == JsonValueKind.String && kind.ValueEquals("Node") ? ReadNode(root) : ReadDevice(root);
    }

    private static ResourceDocument ReadNode(JsonElement root)
    {
        foreach (var field in root.EnumerateObject().Where(static f => !NodeFields.Contains(f.Name)))
        {
            throw Wrong(field.Name, $"no such field; there are {string.Join(", ", NodeFields)}");
        }

        if (!root.TryGetProperty("apiVersion", out var version) || version.ValueKind != JsonValueKind.String || !version.ValueEquals("v1"))
        {
            throw Wrong("apiVersion", "a Node is of v1");
        }

        if (!root.TryGetProperty("metadata", out var metadata) || metadata.ValueKind != JsonValueKind.Object)
        {
            throw Wrong("metadata", "missing; it names the resource");
        }

        var name = Text(metadata, "name", "metadata.name");
        if (!NodeName.IsValid(name))
        {
            throw Wrong("metadata.name", $"'{name}' is no node's name: lower case letters, digits, '-' and '.', a letter or digit at both ends, at most {NodeName.MaxLength}");
        }

        if (root.TryGetProperty("spec", out var spec) && spec.ValueKind is not (JsonValueKind.Object or JsonValueKind.Null))
        {
            throw Wrong("spec", "it is an object with fields");
        }

        return WithMetadata(new ResourceDocument { Kind = ResourceKinds.Node, Id = name, Spec = TextOf(spec) }, metadata);
    }

    private static ResourceDocument ReadDevice(JsonElement root)
    {
        var applied = DeviceDocuments.ReadKept(root);
        if (applied.Node.Length > 0 && !NodeName.IsValid(applied.Node))
        {
            throw Wrong("spec.nodeName", $"'{applied.Node}' is no node's name: lower case letters, digits, '-' and '.', a letter or digit at both ends");
        }

        var document = new ResourceDocument
        {
            Kind = applied.Device is null ? ResourceKinds.DeviceModel : ResourceKinds.Device,
            Id = applied.Id,
            Spec = TextOf(root.GetProperty("spec")),
            Device = applied.Device,
            Node = applied.Node,
            Model = applied.Model,
        };
        return WithMetadata(document, root.GetProperty("metadata"));
    }

    private static ResourceDocument WithMetadata(ResourceDocument document, JsonElement metadata)
    {
        var labels = Map(metadata, "labels");
        if (labels.Count > LabelRules.MaxLabels)
        {
            throw Wrong("metadata.labels", $"there are {labels.Count}; at most {LabelRules.MaxLabels} are taken");
        }

        foreach (var (name, value) in labels)
        {
            if (LabelRules.WhyNot(name, value) is { } reason)
            {
                throw Wrong($"metadata.labels.{name}", reason);
            }
        }

        var annotations = Map(metadata, "annotations");
        if (annotations.Sum(static a => a.Key.Length + a.Value.Length) > LabelRules.MaxAnnotationBytes)
        {
            throw Wrong("metadata.annotations", $"they have more than {LabelRules.MaxAnnotationBytes} characters together");
        }

        return document with { Labels = labels, Annotations = annotations, ResourceVersion = Text(metadata, "resourceVersion", "metadata.resourceVersion") };
    }

    private static ImmutableSortedDictionary<string, string> Map(JsonElement metadata, string name)
    {
        if (!metadata.TryGetProperty(name, out var given) || given.ValueKind == JsonValueKind.Null)
        {
            return OrdinalMap.Empty;
        }

        if (given.ValueKind != JsonValueKind.Object)
        {
            throw Wrong($"metadata.{name}", "it is an object with texts");
        }

        var map = OrdinalMap.Empty.ToBuilder();
        foreach (var entry in given.EnumerateObject())
        {
            map[entry.Name] = Text(given, entry.Name, $"metadata.{name}.{entry.Name}");
        }

        return map.ToImmutable();
    }

    private static string Text(JsonElement parent, string name, string path) =>
        !parent.TryGetProperty(name, out var value) || value.ValueKind == JsonValueKind.Null ? ""
        : value.ValueKind == JsonValueKind.String ? value.GetString()!
        : throw Wrong(path, "it is a text; write it in quotes");

    private static string TextOf(JsonElement spec)
    {
        if (spec.ValueKind != JsonValueKind.Object)
        {
            return "{}";
        }

        using var buffer = new MemoryStream();
        using (var writer = new Utf8JsonWriter(buffer, Writing))
        {
            spec.WriteTo(writer);
        }

        return Encoding.UTF8.GetString(buffer.GetBuffer().AsSpan(0, (int)buffer.Length));
    }

    private static RefusedException Wrong(string path, string what) => new(400, $"{path}: {what}");
}
