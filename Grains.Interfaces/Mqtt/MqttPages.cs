using System.Collections.Immutable;

namespace EdgeOrleans.Mqtt;

/// <summary>What of a list is wanted.</summary>
[GenerateSerializer, Immutable, Alias("mqtt.query")]
public sealed record MqttQuery
{
    /// <summary>The most rows of a page.</summary>
    public const int MaxCount = 1_000;

    /// <summary>Only what has this name; empty for all. What a name is says the list.</summary>
    [Id(0)]
    public string Name { get; init; } = "";

    /// <summary>The name behind which the page begins; empty for the first.</summary>
    [Id(1)]
    public string After { get; init; } = "";

    /// <summary>How many at the most, 1 to <see cref="MaxCount"/>.</summary>
    [Id(2)]
    public int Count { get; init; } = MaxCount;
}

/// <summary>A part of a list: never more than <see cref="MqttQuery.MaxCount"/> rows, and about 1 MiB.</summary>
/// <typeparam name="T">What a row is.</typeparam>
[GenerateSerializer, Immutable, Alias("mqtt.page`1")]
public sealed record MqttPage<T>
{
    /// <summary>The rows of this page.</summary>
    [Id(0)]
    public ImmutableArray<T> Items { get; init; } = [];

    /// <summary>Whether there are more behind the last of this page.</summary>
    [Id(1)]
    public bool More { get; init; }
}
