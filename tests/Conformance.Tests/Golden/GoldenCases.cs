using System.Text.Json;
using System.Text.RegularExpressions;

namespace EdgeOrleans.Conformance.Golden;

/// <summary>The files of <c>Cases/</c>, read from this assembly.</summary>
internal static partial class GoldenCases
{
    /// <summary>The device of every case; a run gives each case a device of its own.</summary>
    public const string DeviceName = "ts1";

    private const string DeviationsFile = "Cases/deviations.json";

    private static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web)
    {
        UnmappedMemberHandling = System.Text.Json.Serialization.JsonUnmappedMemberHandling.Disallow,
    };

    /// <summary>All files in their order, as they are written.</summary>
    public static IReadOnlyList<GoldenFile> Files { get; } =
        [.. FileNames().Select(name => JsonSerializer.Deserialize<GoldenFile>(Read(name), Json)!)];

    public static IReadOnlyList<GoldenCase> All { get; } = [.. Files.SelectMany(f => f.Cases)];

    public static Deviations Deviations { get; } = JsonSerializer.Deserialize<Deviations>(Read(DeviationsFile), Json)!;

    /// <summary>The cases of what is built.</summary>
    public static IEnumerable<GoldenCase> Built => All.Where(c => Deviations.Missing(c.Id) is null);

    /// <summary>A case as KubeEdge has it.</summary>
    public static GoldenCase Of(string id) => All.Single(c => c.Id == id);

    /// <summary>A case as this product has it.</summary>
    public static GoldenCase Promised(string id) => Deviations.Of(id)?.Apply(Of(id)) ?? Of(id);

    /// <summary>The case for a device of its own and a node, with repeated letters written out.</summary>
    public static GoldenCase For(this GoldenCase golden, string deviceName, string node) =>
        JsonSerializer.Deserialize<GoldenCase>(Fill(JsonSerializer.Serialize(golden, Json), deviceName, node), Json)!;

    /// <summary>The same case by a client that names devices without a namespace; it is answered as it asks.</summary>
    public static GoldenCase WithoutNamespace(this GoldenCase golden) => golden with
    {
        In = [.. golden.In.Select(i => i with { Mqtt = i.Mqtt is null ? null : WithoutNamespace(i.Mqtt) })],
        Out = [.. golden.Out.Select(o => o.Topic.EndsWith("/result", StringComparison.Ordinal) ? o with { Topic = WithoutNamespace(o.Topic) } : o)],
    };

    private static string WithoutNamespace(string topic) => topic.Replace("$hw/events/device/default/", "$hw/events/device/", StringComparison.Ordinal);

    private static string Fill(string json, string deviceName, string node)
    {
        json = DeviceWord().Replace(json, deviceName);
        json = RepeatedLetter().Replace(json, m => new string(m.Groups[1].Value[0], int.Parse(m.Groups[2].Value)));
        return json
            .Replace("\"D/", $"\"$hw/events/device/default/{deviceName}/", StringComparison.Ordinal)
            .Replace("\"N/", $"\"$hw/events/node/{node}/", StringComparison.Ordinal)
            .Replace("\"edge-node\"", $"\"{node}\"", StringComparison.Ordinal);
    }

    private static IEnumerable<string> FileNames() => typeof(GoldenCases).Assembly.GetManifestResourceNames()
        .Where(n => n.StartsWith("Cases/", StringComparison.Ordinal) && n != DeviationsFile)
        .Order(StringComparer.Ordinal);

    private static string Read(string name)
    {
        using var stream = typeof(GoldenCases).Assembly.GetManifestResourceStream(name)!;
        using var reader = new StreamReader(stream);
        return reader.ReadToEnd();
    }

    [GeneratedRegex(@"\bts1\b")]
    private static partial Regex DeviceWord();

    // The multiplication sign is escaped by the serializer.
    [GeneratedRegex(@"\{(\w)(?:×|\\u00D7)(\d+)\}")]
    private static partial Regex RepeatedLetter();
}
