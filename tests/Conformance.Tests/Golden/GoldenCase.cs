using System.Text.Json;
using System.Text.Json.Serialization;

namespace EdgeOrleans.Conformance.Golden;

/// <summary>A file of <c>Cases/</c>: cases about one subject.</summary>
internal sealed record GoldenFile
{
    public required string About { get; init; }

    public required IReadOnlyList<GoldenCase> Cases { get; init; }
}

/// <summary>What KubeEdge does with one input. <c>Cases/README.md</c> has the notation.</summary>
internal sealed record GoldenCase
{
    public required string Id { get; init; }

    /// <summary>F: contract; Q: quirk; B: misbehaviour; C: old clients.</summary>
    public required char Class { get; init; }

    public required string Fixture { get; init; }

    /// <summary><c>up</c> or <c>down</c>.</summary>
    public required string Cloud { get; init; }

    public string? Note { get; init; }

    public required IReadOnlyList<GoldenInput> In { get; init; }

    public required IReadOnlyList<GoldenOut> Out { get; init; }

    public required IReadOnlyList<GoldenHubLine> Hub { get; init; }

    /// <summary>The topics that the cloud manages, when the case is about them.</summary>
    public IReadOnlyList<string>? Subscriptions { get; init; }

    /// <summary>All devices afterwards, by id.</summary>
    public required IReadOnlyDictionary<string, GoldenDevice> State { get; init; }

    [JsonIgnore]
    public bool CloudUp => Cloud == "up";

    [JsonIgnore]
    public string DeviceOfItsOwn => $"{GoldenCases.DeviceName}-{Id.ToLowerInvariant()}";

    /// <summary>It says something about the way up: it is played on a node with a cloud.</summary>
    [JsonIgnore]
    public bool NeedsCloud => CloudUp || Hub.Count > 0 || In.Any(i => i.IsOfTheBus);

    /// <summary>Neither a client nor the cloud hears anything.</summary>
    [JsonIgnore]
    public bool IsSilent => Out.Count == 0 && Hub.Count == 0;

    /// <summary>The line that a test run shows.</summary>
    [JsonIgnore]
    public string Title => $"{Id} [{Class}] {In[^1].Where}: {Note ?? In[^1].Payload ?? In[^1].Content?.GetRawText()}";
}

/// <summary>Something a client publishes (<see cref="Mqtt"/>) or a message to a module (<see cref="Bus"/>).</summary>
internal sealed record GoldenInput
{
    public string? Mqtt { get; init; }

    public string? Payload { get; init; }

    public string? Bus { get; init; }

    public string Source { get; init; } = "";

    public string Operation { get; init; } = "";

    public string Resource { get; init; } = "";

    public JsonElement? Content { get; init; }

    /// <summary>It is for the bus itself, and no twin has to do with it.</summary>
    [JsonIgnore]
    public bool IsOfTheBus => Bus == "eventbus" || (Mqtt is not null && !Mqtt.StartsWith("D/", StringComparison.Ordinal) && !Mqtt.StartsWith("N/", StringComparison.Ordinal)
        && !Mqtt.StartsWith("$hw/events/device/", StringComparison.Ordinal) && !Mqtt.StartsWith("$hw/events/node/", StringComparison.Ordinal));

    [JsonIgnore]
    public string Where => Mqtt ?? $"{Bus} {Operation} {Resource}";
}

/// <summary>Something that clients hear: JSON compared by meaning, or a bare text.</summary>
internal sealed record GoldenOut
{
    public required string Topic { get; init; }

    public JsonElement? Payload { get; init; }

    public string? Text { get; init; }
}

/// <summary>Something that goes up: content as an object, as a JSON string that holds JSON, or as a JSON string.</summary>
internal sealed record GoldenHubLine
{
    public required string Source { get; init; }

    public required string Group { get; init; }

    public required string Operation { get; init; }

    public required string Resource { get; init; }

    public JsonElement? Object { get; init; }

    public JsonElement? Json { get; init; }

    public string? Text { get; init; }
}

internal sealed record GoldenDevice
{
    public required string State { get; init; }

    public string? LastOnline { get; init; }

    public required IReadOnlyDictionary<string, GoldenAttribute> Attributes { get; init; }

    public required IReadOnlyDictionary<string, GoldenTwin> Twin { get; init; }
}

internal sealed record GoldenAttribute(string Value, string Type, bool Optional);

/// <summary>A property; a side without a version is null, a cleared one has a null value.</summary>
internal sealed record GoldenTwin(GoldenValue? Expected, GoldenValue? Actual, bool Optional, string Type);

internal sealed record GoldenValue(string? Value, GoldenVersion Version);

internal sealed record GoldenVersion(long Cloud, long Edge);
