using System.Text.Json;
using EdgeOrleans.Devices;

namespace EdgeOrleans.Cloud.DeviceController;

/// <summary>What a node says of one property. A side that is not in it is null.</summary>
internal readonly record struct ReportedProperty(string Name, TwinValue? Expected, TwinValue? Actual, bool? Optional, string? Type);

/// <summary>What a node says of a device's state.</summary>
internal readonly record struct ReportedState(string State, string LastOnline);

/// <summary>Reports of nodes out of JSON. Nothing but <see cref="JsonException"/> leaves this class.</summary>
internal static class ReportReader
{
    private const long GreatestVersion = 1L << 62;
    private static readonly JsonDocumentOptions Options = new() { MaxDepth = 64 };

    public static List<ReportedProperty> ReadTwin(ReadOnlyMemory<byte> report) => Read(report, static root =>
    {
        var properties = new Dictionary<string, ReportedProperty>(StringComparer.Ordinal);
        foreach (var entry in Object(root, "twin").EnumerateObject())
        {
            if (!TwinTypes.IsName(entry.Name))
            {
                throw new JsonException(TwinTypes.BadName);
            }

            if (entry.Value.ValueKind != JsonValueKind.Null)
            {
                properties[entry.Name] = ReadProperty(entry.Name, entry.Value);
            }
        }

        return properties.Values.ToList();
    });

    public static ReportedState ReadState(ReadOnlyMemory<byte> report) => Read(report, static root =>
    {
        var device = Object(root, "device");
        var state = Text(device, "state") ?? "";
        var known = state.ToLowerInvariant() is "online" or "offline" or "ok" or "unknown" or "unhealthy";
        return known ? new ReportedState(state, Text(device, "lastOnlineTime") ?? "") : throw new JsonException("the state is none of online, offline, ok, unknown and unhealthy");
    });

    private static T Read<T>(ReadOnlyMemory<byte> report, Func<JsonElement, T> read)
    {
        try
        {
            using var json = JsonDocument.Parse(report, Options);
            return read(json.RootElement);
        }
        catch (InvalidOperationException e)
        {
            throw new JsonException("half a character, or no UTF-8", e);
        }
    }

    private static ReportedProperty ReadProperty(string name, JsonElement entry)
    {
        if (entry.ValueKind != JsonValueKind.Object)
        {
            throw new JsonException($"{name} is no object");
        }

        var type = Given(entry, "metadata") is { } metadata ? Text(metadata, "type") ?? "" : null;
        bool? optional = entry.TryGetProperty("optional", out var flag) && flag.ValueKind is JsonValueKind.True or JsonValueKind.False ? flag.GetBoolean() : null;
        return new ReportedProperty(name, Side(entry, "expected", "expected_version"), Side(entry, "actual", "actual_version"), optional, type is null ? null : TypeOf(name, type));
    }

    // The version counts with and without a value: a side without one was deleted, or never had one.
    private static TwinValue? Side(JsonElement entry, string side, string version)
    {
        var (value, given) = (Given(entry, side), Given(entry, version));
        if (value is null && given is null)
        {
            return null;
        }

        return new TwinValue
        {
            Value = value is { } some ? Text(some, "value") : null,
            Timestamp = value is { } dated && Given(dated, "metadata") is { } metadata ? Number(metadata, "timestamp") : 0,
            Version = given is { } numbers ? new TwinVersion(Version(numbers, "cloud"), Version(numbers, "edge")) : default,
        };
    }

    private static string TypeOf(string name, string type) =>
        type.Length <= TwinTypes.MaxName ? TwinTypes.Intern(type) : throw new JsonException($"the type of {name} is longer than {TwinTypes.MaxName} characters");

    private static long Version(JsonElement parent, string name) =>
        Number(parent, name) is var number and >= 0 and <= GreatestVersion ? number : throw new JsonException($"a version is 0 to {GreatestVersion}");

    private static JsonElement Object(JsonElement parent, string name) =>
        parent.ValueKind == JsonValueKind.Object && Given(parent, name) is { } found ? found : throw new JsonException($"there is no object '{name}'");

    private static JsonElement? Given(JsonElement parent, string name) =>
        !parent.TryGetProperty(name, out var value) || value.ValueKind == JsonValueKind.Null ? null
        : value.ValueKind == JsonValueKind.Object ? value
        : throw new JsonException($"'{name}' is no object");

    private static string? Text(JsonElement parent, string name) =>
        !parent.TryGetProperty(name, out var value) || value.ValueKind == JsonValueKind.Null ? null
        : value.ValueKind == JsonValueKind.String ? value.GetString()
        : throw new JsonException($"'{name}' is no text");

    private static long Number(JsonElement parent, string name) =>
        !parent.TryGetProperty(name, out var value) || value.ValueKind == JsonValueKind.Null ? 0
        : value.ValueKind == JsonValueKind.Number && value.TryGetInt64(out var number) ? number
        : throw new JsonException($"'{name}' is no whole number");
}
