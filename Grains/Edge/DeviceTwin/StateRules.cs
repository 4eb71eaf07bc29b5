using System.Collections.Immutable;
using System.Globalization;
using System.Text.Json;

namespace EdgeOrleans.Edge.DeviceTwin;

/// <summary>What a device says of itself: online, offline … (reference 3.8). What is wrong is met with silence.</summary>
internal static class StateRules
{
    /// <summary>Applies a state; its answer has a new id and goes up as it is.</summary>
    public static TwinChange Update(TwinRecord record, ReadOnlySpan<byte> payload, TwinTerms terms)
    {
        DeviceRequest request;
        try
        {
            if (payload.Length > terms.Options.MaxPayload)
            {
                return TwinChange.Silent(record, 400, "state.malformed");
            }

            request = TwinReader.ReadDevice(payload);
        }
        catch (JsonException)
        {
            return TwinChange.Silent(record, 400, "state.malformed");
        }

        return Update(record, request.State, terms);
    }

    private static TwinChange Update(TwinRecord record, string state, TwinTerms terms)
    {
        if (!IsState(state))
        {
            return TwinChange.Silent(record, 400, "state.unknown");
        }

        if (!record.Exists)
        {
            return terms.Registers
                ? Update(TwinRecord.Of(terms.Device), state, terms)
                : TwinChange.Silent(record, 404, "state.unknown-device");
        }

        var after = record with { State = state, LastOnline = IsAlive(state) ? Now(terms) : "" };
        var answer = Answer(after, terms);
        return new TwinChange(after)
        {
            Publications = [new Publication($"device/{terms.Device}/{TwinTopics.StateResult}", answer)],
            Reports = [new Report(null, terms.GoesUp ? answer : default)],
        };
    }

    /// <summary>The state for the cloud; nothing when the device has never said one.</summary>
    public static ImmutableArray<Report> Whole(TwinRecord record, TwinTerms terms) =>
        record.State.Length == 0 ? [] : [new Report(null, terms.GoesUp ? Answer(record, terms) : default)];

    public static bool IsState(string state) => IsAlive(state)
        || Is(state, "offline") || Is(state, "unknown") || Is(state, "unhealthy");

    private static bool IsAlive(string state) => Is(state, "online") || Is(state, "ok");

    private static bool Is(string state, string word) => string.Equals(state, word, StringComparison.OrdinalIgnoreCase);

    private static string Now(TwinTerms terms) =>
        DateTimeOffset.FromUnixTimeMilliseconds(terms.Now).ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture);

    private static ReadOnlyMemory<byte> Answer(TwinRecord record, TwinTerms terms)
    {
        var writer = terms.Writer;
        writer.Begin(terms.NewId(), terms.Now);
        writer.Json.WriteStartObject("device"u8);
        writer.Json.WriteString("name"u8, record.Name);
        writer.Json.WriteString("state"u8, record.State);
        if (record.LastOnline.Length > 0)
        {
            writer.Json.WriteString("lastOnlineTime"u8, record.LastOnline);
        }

        writer.EndObject();
        return writer.End();
    }
}
