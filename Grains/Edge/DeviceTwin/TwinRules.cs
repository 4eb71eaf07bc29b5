using System.Collections.Immutable;
using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Text;
using System.Text.Json;
using EdgeOrleans.Devices;

namespace EdgeOrleans.Edge.DeviceTwin;

/// <summary>What questions and updates do to a twin (reference 3.5 and 3.6), without the defects of reference 12.</summary>
internal static partial class TwinRules
{
    private const string NoDevice = "update rejected due to the device is not existed";
    private const string NoTwin = "Update twin error, key:twin does not exist";

    /// <summary>Tells the twin; changes nothing.</summary>
    public static TwinChange Get(TwinRecord record, ReadOnlySpan<byte> payload, TwinTerms terms)
    {
        string eventId;
        try
        {
            CheckSize(payload, terms);
            eventId = TwinReader.ReadQuestion(payload);
        }
        catch (JsonException e)
        {
            var reason = $"Unmarshal twin info {Quote(payload)} failed , err: {e.Message}";
            return TwinChange.Refused(record, terms, TwinTopics.GetResult, TwinReader.SalvageEventId(payload), 400, reason, "twin.malformed");
        }

        if (!record.Exists)
        {
            var reason = $"Device {terms.Device} not found while getting twin";
            return TwinChange.Refused(record, terms, TwinTopics.GetResult, eventId, 404, reason, "twin.unknown-device");
        }

        var writer = terms.Writer;
        writer.Begin(eventId, terms.Now);
        writer.BeginTwin();
        foreach (var (name, property) in record.Twin)
        {
            if (!property.IsDeleted)
            {
                writer.WriteProperty(name, property, property.Visible());
            }
        }

        writer.EndObject();
        return new TwinChange(record) { Publications = [new Publication($"device/{terms.Device}/{TwinTopics.GetResult}", writer.End())] };
    }

    /// <summary>Applies an update of the device's side. Every property of it counts, or none does.</summary>
    public static TwinChange Update(TwinRecord record, ReadOnlySpan<byte> payload, TwinTerms terms) =>
        TryRead(record, payload, terms, "Unmarshal update request body failed, please check the request", out var request, out var refused)
            ? Update(record, request, terms)
            : refused;

    /// <summary>A local update that nobody on the bus asked for: documents and deltas, and no result.</summary>
    public static TwinChange Order(TwinRecord record, IReadOnlyList<TwinEntry> entries, TwinTerms terms) =>
        Update(record, new TwinRequest("", entries), terms, withResult: false);

    /// <inheritdoc cref="Update(TwinRecord, ReadOnlySpan{byte}, TwinTerms)"/>
    public static TwinChange Update(TwinRecord record, TwinRequest request, TwinTerms terms, bool withResult = true)
    {
        if (!record.Exists)
        {
            if (!terms.Registers)
            {
                return TwinChange.Refused(record, terms, TwinTopics.UpdateResult, request.EventId, 404, NoDevice, "twin.unknown-device");
            }

            var made = Update(TwinRecord.Of(terms.Device), request, terms);
            return made.Code == 0 ? made : made with { Record = record };
        }

        var outcomes = new PropertyOutcome[request.Entries!.Count];
        var count = 0;
        var twin = record.Twin;
        var builder = outcomes.Length > 1 ? record.Twin.ToBuilder() : null;
        foreach (var entry in request.Entries)
        {
            var reason = Report(record.Twin.GetValueOrDefault(entry.Name), entry, terms, out var outcome);
            if (reason is not null)
            {
                return TwinChange.Refused(record, terms, TwinTopics.UpdateResult, request.EventId, 400, reason, "twin.value");
            }

            if (!outcome.IsNothing)
            {
                outcomes[count++] = outcome;
                if (builder is not null)
                {
                    builder[entry.Name] = outcome.After;
                }
                else
                {
                    twin = twin.SetItem(entry.Name, outcome.After);
                }
            }
        }

        twin = builder?.ToImmutable() ?? twin;
        if (twin.Count > terms.Options.MaxProperties && twin.Count > record.Twin.Count)
        {
            return TwinChange.Refused(record, terms, TwinTopics.UpdateResult, request.EventId, 400, TooMany(terms), "twin.too-many-properties");
        }

        var changed = ReferenceEquals(twin, record.Twin) ? record : record with { Twin = twin };
        return Tell(changed, outcomes.AsSpan(0, count), request.EventId, terms, withResult);
    }

    /// <summary>The document, the result, the delta and the reports of what happened.</summary>
    private static TwinChange Tell(TwinRecord record, ReadOnlySpan<PropertyOutcome> outcomes, string eventId, TwinTerms terms, bool withResult)
    {
        var publications = ImmutableArray.CreateBuilder<Publication>(3);
        if (withResult)
        {
            publications.Add(new Publication($"device/{terms.Device}/{TwinTopics.UpdateResult}", Result(outcomes, eventId, terms)));
        }

        if (!terms.ResultOnly)
        {
            if (Document(outcomes, eventId, terms) is { IsEmpty: false } document)
            {
                publications.Add(new Publication($"device/{terms.Device}/{TwinTopics.Document}", document));
            }

            if (Delta(record, terms) is { IsEmpty: false } delta)
            {
                publications.Add(new Publication($"device/{terms.Device}/{TwinTopics.Delta}", delta));
            }
        }

        return new TwinChange(record) { Publications = publications.DrainToImmutable(), Reports = Reports(outcomes, terms) };
    }

    private static ReadOnlyMemory<byte> Result(ReadOnlySpan<PropertyOutcome> outcomes, string eventId, TwinTerms terms)
    {
        var writer = terms.Writer;
        writer.Begin(eventId, terms.Now);
        writer.BeginTwin();
        foreach (ref readonly var outcome in outcomes)
        {
            if (outcome.IsDelete)
            {
                writer.WriteNull(outcome.Name);
            }
            else if (!outcome.After.IsDeleted)
            {
                writer.WriteProperty(outcome.Name, outcome.After, outcome.Answer);
            }
        }

        writer.EndObject();
        return writer.End();
    }

    private static ReadOnlyMemory<byte> Document(ReadOnlySpan<PropertyOutcome> outcomes, string eventId, TwinTerms terms)
    {
        var writer = terms.Writer;
        var some = false;
        foreach (ref readonly var outcome in outcomes)
        {
            var last = outcome.Before is { IsDeleted: false } ? outcome.Before : null;
            var current = outcome.After.IsDeleted ? null : outcome.After;
            if (!outcome.IsTold || (last is null && current is null))
            {
                continue;
            }

            if (!some)
            {
                some = true;
                writer.Begin(eventId, terms.Now);
                writer.BeginTwin();
            }

            writer.WriteChange(outcome.Name, last, current);
        }

        if (!some)
        {
            return default;
        }

        writer.EndObject();
        return writer.End();
    }

    /// <summary>What the device should still do; empty when it has done everything.</summary>
    public static ReadOnlyMemory<byte> Delta(TwinRecord record, TwinTerms terms)
    {
        var outstanding = false;
        foreach (var (_, property) in record.Twin)
        {
            if (Differs(property))
            {
                outstanding = true;
                break;
            }
        }

        if (!outstanding)
        {
            return default;
        }

        var writer = terms.Writer;
        writer.Begin(terms.NewId(), terms.Now);
        writer.BeginTwin();
        foreach (var (name, property) in record.Twin)
        {
            if (IsWanted(property))
            {
                writer.WriteProperty(name, property, property.Visible());
            }
        }

        writer.EndObject();
        writer.BeginDelta();
        foreach (var (name, property) in record.Twin)
        {
            if (Differs(property))
            {
                writer.WriteText(name, property.Expected!.Value!);
            }
        }

        writer.EndObject();
        return writer.End();
    }

    private static bool IsWanted(TwinProperty property) => !property.IsDeleted && property.Expected?.Value is { Length: > 0 };

    private static bool Differs(TwinProperty property) => IsWanted(property) && property.Expected!.Value != (property.Actual?.Value ?? "");

    private static ImmutableArray<Report> Reports(ReadOnlySpan<PropertyOutcome> outcomes, TwinTerms terms)
    {
        var reports = ImmutableArray.CreateBuilder<Report>(outcomes.Length);
        foreach (ref readonly var outcome in outcomes)
        {
            if (outcome.Up != TwinParts.None)
            {
                reports.Add(ReportOf(outcome.Name, outcome.After, outcome.Up, terms));
            }
        }

        return reports.DrainToImmutable();
    }

    /// <summary>Without a cloud a report is counted and not made.</summary>
    private static Report ReportOf(string name, TwinProperty property, TwinParts parts, TwinTerms terms) =>
        new(name, terms.GoesUp ? terms.Writer.Bare(property, parts) : default);

    private static bool TryRead(
        TwinRecord record, ReadOnlySpan<byte> payload, TwinTerms terms, string malformed, out TwinRequest request, [NotNullWhen(false)] out TwinChange? refused)
    {
        string? reason;
        request = default;
        try
        {
            CheckSize(payload, terms);
            request = TwinReader.ReadTwin(payload);
            reason = Validate(request.Entries, terms);
        }
        catch (PayloadTooLargeException e)
        {
            reason = e.Message;
        }
        catch (JsonException)
        {
            reason = malformed;
        }

        var eventId = reason is null ? "" : request.EventId is { Length: > 0 } id ? id : TwinReader.SalvageEventId(payload);
        refused = reason is null ? null : TwinChange.Refused(record, terms, TwinTopics.UpdateResult, eventId, 400, reason, "twin.malformed");
        return refused is null;
    }

    /// <summary>What is wrong with the names and values of a request whatever the twin holds; null when nothing is.</summary>
    public static string? Validate(IReadOnlyList<TwinEntry>? entries, TwinTerms terms)
    {
        if (entries is null)
        {
            return NoTwin;
        }

        if (entries.Count > terms.Options.MaxProperties)
        {
            return TooMany(terms);
        }

        foreach (var entry in entries)
        {
            if (Validate(entry, terms) is { } reason)
            {
                return reason;
            }
        }

        return null;
    }

    private static string? Validate(TwinEntry entry, TwinTerms terms)
    {
        if (!TwinTypes.IsName(entry.Name))
        {
            return TwinTypes.BadName;
        }

        if (entry.Expected.IsHollow || entry.Actual.IsHollow)
        {
            return $"Update twin error, {entry.Name} names {(entry.Expected.IsHollow ? "expected" : "actual")} without its value";
        }

        var free = !terms.IsStrict && terms.ModelOf(entry.Name) is not null;
        return !free && ((entry.Expected.Value is { } expected && !TwinTypes.HasAllowedCharacters(expected))
            || (entry.Actual.Value is { } actual && !TwinTypes.HasAllowedCharacters(actual)))
            ? TwinTypes.BadValue
            : null;
    }

    private static string TooMany(TwinTerms terms) =>
        string.Create(CultureInfo.InvariantCulture, $"a twin has at most {terms.Options.MaxProperties} properties, deleted ones included");

    private static void CheckSize(ReadOnlySpan<byte> payload, TwinTerms terms)
    {
        if (payload.Length > terms.Options.MaxPayload)
        {
            throw new PayloadTooLargeException(payload.Length, terms.Options.MaxPayload);
        }
    }

    private static string Quote(ReadOnlySpan<byte> payload) => Encoding.UTF8.GetString(payload[..Math.Min(payload.Length, 200)]);

    private sealed class PayloadTooLargeException(int length, long limit)
        : JsonException(string.Create(CultureInfo.InvariantCulture, $"the request has {length} bytes; at most {limit} are read"));
}
