using System.Buffers;
using System.Text.Json;

namespace EdgeOrleans.Link;

/// <summary>Lays the members of a newer JSON object over those of an older one. Only the top level: a member is replaced whole.</summary>
internal static class OutboxMerge
{
    public static ReadOnlyMemory<byte> Overlay(ReadOnlySpan<byte> older, ReadOnlyMemory<byte> newer)
    {
        var kept = new Utf8JsonReader(older);
        if (!kept.Read() || kept.TokenType != JsonTokenType.StartObject || !LacksOne(ref kept, newer.Span))
        {
            return newer;
        }

        var output = new ArrayBufferWriter<byte>(older.Length + newer.Length);
        using (var writer = new Utf8JsonWriter(output))
        {
            writer.WriteStartObject();
            CopyMembers(writer, older, newer.Span);
            CopyMembers(writer, newer.Span, []);
            writer.WriteEndObject();
        }

        return output.WrittenMemory;
    }

    // Most reports have every member that waits, and then the newer one is the answer as it stands.
    private static bool LacksOne(ref Utf8JsonReader older, ReadOnlySpan<byte> newer)
    {
        while (older.Read() && older.TokenType == JsonTokenType.PropertyName)
        {
            if (!Has(newer, ref older))
            {
                return true;
            }

            older.Skip();
        }

        return false;
    }

    private static void CopyMembers(Utf8JsonWriter writer, ReadOnlySpan<byte> from, ReadOnlySpan<byte> except)
    {
        var reader = new Utf8JsonReader(from);
        reader.Read();
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            if (except.Length > 0 && Has(except, ref reader))
            {
                reader.Skip();
                continue;
            }

            writer.WritePropertyName(reader.GetString()!);
            reader.Read();
            var start = (int)reader.TokenStartIndex;
            reader.Skip();
            writer.WriteRawValue(from[start..(int)reader.BytesConsumed], skipInputValidation: true);
        }
    }

    private static bool Has(ReadOnlySpan<byte> json, ref Utf8JsonReader name)
    {
        var wanted = name.HasValueSequence || name.ValueIsEscaped ? System.Text.Encoding.UTF8.GetBytes(name.GetString()!) : name.ValueSpan;
        var reader = new Utf8JsonReader(json);
        reader.Read();
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            if (reader.ValueTextEquals(wanted))
            {
                return true;
            }

            reader.Skip();
        }

        return false;
    }
}
