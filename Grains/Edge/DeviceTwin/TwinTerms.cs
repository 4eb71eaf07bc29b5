using System.Collections.Immutable;
using EdgeOrleans.Devices;

namespace EdgeOrleans.Edge.DeviceTwin;

/// <summary>What the rules need to know besides a record and a request.</summary>
internal sealed class TwinTerms
{
    /// <summary>The device's id, <c>namespace/name</c>.</summary>
    public required string Device { get; init; }

    /// <summary>Edge time, milliseconds since 1970 (UTC).</summary>
    public required long Now { get; init; }

    public required DeviceTwinOptions Options { get; init; }

    /// <summary>Makes the ids that answers do not echo.</summary>
    public required Func<Guid> NewId { get; init; }

    public required TwinWriter Writer { get; init; }

    /// <summary>The node's name: its topics carry it.</summary>
    public string Node { get; init; } = "";

    /// <summary>Who asks; the conflict log names it.</summary>
    public string Source { get; init; } = "bus";

    /// <summary>What the device's model says; null without a model.</summary>
    public ModelRules? Model { get; init; }

    /// <summary>Nobody listens to documents and deltas.</summary>
    public bool ResultOnly { get; init; }

    /// <summary>Whether a report makes an unknown device.</summary>
    public bool Registers { get; init; }

    /// <summary>Whether there is a cloud to report to.</summary>
    public bool GoesUp { get; init; } = true;

    public bool IsStrict => Options.Compatibility == TwinCompatibility.Strict;

    public ModelProperty? ModelOf(string property) => Model?.Properties.GetValueOrDefault(property);
}

/// <summary>Something for the device's topics: a resource without the topics' common beginning, and its JSON.</summary>
internal readonly record struct Publication(string Resource, ReadOnlyMemory<byte> Content);

/// <summary>Something for the cloud.</summary>
/// <param name="Property">The property it is about; null for the device's state.</param>
/// <param name="Content">What changed of the property, with its versions; the state's answer as it was given. Empty while there is no cloud.</param>
internal readonly record struct Report(string? Property, ReadOnlyMemory<byte> Content);

/// <summary>What a request comes to.</summary>
internal sealed record TwinChange(TwinRecord Record)
{
    /// <summary>0 fine, 4xx refused.</summary>
    public int Code { get; init; }

    /// <summary>Why it was refused, for who called and did not publish.</summary>
    public string Reason { get; init; } = "";

    /// <summary>The word under which the refusal is counted.</summary>
    public string? Refusal { get; init; }

    /// <summary>In the order in which they are published.</summary>
    public ImmutableArray<Publication> Publications { get; init; } = [];

    public ImmutableArray<Report> Reports { get; init; } = [];

    /// <summary>Nothing changes and nobody is told.</summary>
    public static TwinChange Silent(TwinRecord record, int code, string refusal) => new(record) { Code = code, Refusal = refusal };

    /// <summary>Nothing changes; the sender is told why on a result topic.</summary>
    public static TwinChange Refused(TwinRecord record, TwinTerms terms, string result, string eventId, int code, string reason, string refusal)
    {
        terms.Writer.Begin(eventId, terms.Now);
        terms.Writer.Json.WriteNumber("code"u8, code);
        terms.Writer.Json.WriteString("reason"u8, reason);
        return new TwinChange(record)
        {
            Code = code,
            Reason = reason,
            Refusal = refusal,
            Publications = [new Publication($"device/{terms.Device}/{result}", terms.Writer.End())],
        };
    }
}

/// <summary>The ends of a device's resources.</summary>
internal static class TwinTopics
{
    public const string GetResult = "twin/get/result";
    public const string UpdateResult = "twin/update/result";
    public const string Document = "twin/update/document";
    public const string Delta = "twin/update/delta";
    public const string StateResult = "state/update/result";
    public const string Attributes = "updated";
}
