using System.Collections.Immutable;
using System.Globalization;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization;

namespace EdgeOrleans.Cloud;

/// <summary>What people say of a resource, as it is stored, with its versions: the half that reports never change.</summary>
internal sealed record ResourceHead
{
    private static readonly JsonWriterOptions Options = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping, SkipValidation = true };

    public required string Uid { get; init; }

    public DateTimeOffset Created { get; init; }

    /// <summary>Rises with the spec.</summary>
    public long Generation { get; init; }

    /// <summary>Rises with the spec and what stands beside it.</summary>
    public long Version { get; init; }

    [JsonConverter(typeof(OrdinalMap))]
    public required ImmutableSortedDictionary<string, string> Labels { get; init; }

    [JsonConverter(typeof(OrdinalMap))]
    public required ImmutableSortedDictionary<string, string> Annotations { get; init; }

    /// <summary>One JSON object.</summary>
    public required string Spec { get; init; }

    public string VersionText => Version.ToString(CultureInfo.InvariantCulture);

    /// <summary>The resource after a document: the same one when the document says nothing new.</summary>
    /// <exception cref="RefusedException">409 the document is about another version.</exception>
    public static ResourceHead Apply(ResourceHead? head, ResourceDocument document, DateTimeOffset now)
    {
        ThrowIfOther(head, document.Kind, document.Id, document.ResourceVersion);
        if (head is null)
        {
            return new ResourceHead
            {
                Uid = Guid.NewGuid().ToString(),
                Created = now,
                Generation = 1,
                Version = now.ToUnixTimeMilliseconds(),
                Labels = document.Labels,
                Annotations = document.Annotations,
                Spec = document.Spec,
            };
        }

        var sameSpec = IsSame(head.Spec, document.Spec);
        return sameSpec && OrdinalMap.AreSame(head.Labels, document.Labels) && OrdinalMap.AreSame(head.Annotations, document.Annotations)
            ? head
            : (sameSpec ? head.Changed(now) : head.WithSpec(document.Spec, now)) with { Labels = document.Labels, Annotations = document.Annotations };
    }

    /// <summary>A version that is wanted and is not there.</summary>
    /// <exception cref="RefusedException">409.</exception>
    public static void ThrowIfOther(ResourceHead? head, string kind, string id, string? wanted)
    {
        if (string.IsNullOrEmpty(wanted) || wanted == head?.VersionText)
        {
            return;
        }

        throw new RefusedException(409, head is null
            ? $"{kind} {id} is not there (any more); a document with metadata.resourceVersion changes what is there, and one without makes it"
            : $"{kind} {id} was changed since: its resourceVersion is {head.VersionText} and not {wanted}; read it again and repeat the change on that");
    }

    /// <summary>The next version. It rises above whatever it was before a removal or in a backup, because time has passed since.</summary>
    public ResourceHead Changed(DateTimeOffset now) => this with { Version = Math.Max(Version + 1, now.ToUnixTimeMilliseconds()) };

    public ResourceHead WithSpec(string spec, DateTimeOffset now) => Changed(now) with { Spec = spec, Generation = Generation + 1 };

    /// <summary>The resource as JSON.</summary>
    /// <param name="apiVersion">Its API.</param>
    /// <param name="kind">As documents write it.</param>
    /// <param name="id">A node's name, else <c>namespace/name</c>.</param>
    /// <param name="status">Writes the members of the status; null for a document without one.</param>
    public byte[] Compose(string apiVersion, string kind, string id, Action<Utf8JsonWriter>? status)
    {
        using var buffer = new MemoryStream();
        using (var json = new Utf8JsonWriter(buffer, Options))
        {
            json.WriteStartObject();
            json.WriteString("apiVersion"u8, apiVersion);
            json.WriteString("kind"u8, kind);
            WriteMetadata(json, id);
            json.WritePropertyName("spec"u8);
            json.WriteRawValue(Spec, skipInputValidation: true);
            if (status is not null)
            {
                json.WriteStartObject("status"u8);
                status(json);
                json.WriteEndObject();
            }

            json.WriteEndObject();
        }

        return buffer.ToArray();
    }

    public string ComposeText(string apiVersion, string kind, string id, Action<Utf8JsonWriter> status) =>
        Encoding.UTF8.GetString(Compose(apiVersion, kind, id, status));

    private void WriteMetadata(Utf8JsonWriter json, string id)
    {
        json.WriteStartObject("metadata"u8);
        var slash = id.IndexOf('/', StringComparison.Ordinal);
        json.WriteString("name"u8, id[(slash + 1)..]);
        if (slash > 0)
        {
            json.WriteString("namespace"u8, id[..slash]);
        }

        json.WriteString("uid"u8, Uid);
        json.WriteString("creationTimestamp"u8, Created.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture));
        json.WriteNumber("generation"u8, Generation);
        json.WriteString("resourceVersion"u8, VersionText);
        WriteMap(json, "labels"u8, Labels);
        WriteMap(json, "annotations"u8, Annotations);
        json.WriteEndObject();
    }

    private static void WriteMap(Utf8JsonWriter json, ReadOnlySpan<byte> name, ImmutableSortedDictionary<string, string> map)
    {
        if (map.IsEmpty)
        {
            return;
        }

        json.WriteStartObject(name);
        foreach (var (key, value) in map)
        {
            json.WriteString(key, value);
        }

        json.WriteEndObject();
    }

    private static bool IsSame(string a, string b) => a == b || JsonNode.DeepEquals(JsonNode.Parse(a), JsonNode.Parse(b));
}
