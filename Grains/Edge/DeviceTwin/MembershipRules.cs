using System.Text;
using System.Text.Json;
using EdgeOrleans.Devices;

namespace EdgeOrleans.Edge.DeviceTwin;

/// <summary>What the cloud's list of devices does to one of them, and what devices hear of it (reference 3.9).</summary>
internal static class MembershipRules
{
    /// <summary>A device that the cloud names: a new one joins, a known one takes over attributes and twin by the version rule.</summary>
    public static TwinChange Join(TwinRecord record, Member member, TwinTerms terms)
    {
        var fresh = !record.Exists;
        var joined = fresh
            ? new TwinRecord { Exists = true, Name = member.Name, Description = member.Description, State = member.State, LastOnline = member.LastOnline }
            : terms.IsStrict || member.Description.Length == 0 || member.Description == record.Description ? record
            : record with { Description = member.Description };
        var twin = TwinOf(joined, member, terms);
        var attributes = AttributeRules.Apply(twin.Record, member.Attributes ?? [], "", isWhole: true, terms);
        var publications = twin.Publications.AddRange(attributes.Publications);
        return twin with
        {
            Record = attributes.Record,
            Publications = fresh ? publications.Add(MembershipWriter.Notification(member, isAdded: true, terms)) : publications,
        };
    }

    /// <summary>The answer to who asks for the devices.</summary>
    public static Publication List(ReadOnlySpan<byte> payload, IEnumerable<MemberRow> devices, TwinTerms terms)
    {
        var resource = $"node/{terms.Node}/membership/get/result";
        var writer = terms.Writer;
        try
        {
            var eventId = TwinReader.ReadQuestion(payload);
            writer.Begin(eventId, terms.Now);
        }
        catch (JsonException e)
        {
            var reason = $"Unmarshal get membership info {Encoding.UTF8.GetString(payload[..Math.Min(payload.Length, 200)])} failed , err: {e.Message}";
            writer.Begin(TwinReader.SalvageEventId(payload), terms.Now);
            writer.Json.WriteNumber("code"u8, 400);
            writer.Json.WriteString("reason"u8, reason);
            return new Publication(resource, writer.End());
        }

        writer.Json.WriteStartArray("devices"u8);
        foreach (var device in devices)
        {
            MembershipWriter.Write(writer, device);
        }

        writer.Json.WriteEndArray();
        return new Publication(resource, writer.End());
    }

    private static TwinChange TwinOf(TwinRecord record, Member member, TwinTerms terms)
    {
        if (member.Twin is null)
        {
            return new TwinChange(record);
        }

        return TwinRules.Validate(member.Twin, terms) is { } reason
            ? TwinChange.Refused(record, terms, TwinTopics.UpdateResult, "", 400, reason, "membership.twin")
            : TwinRules.Sync(record, member.Twin, "", terms);
    }
}

/// <summary>Membership documents into JSON.</summary>
internal static class MembershipWriter
{
    /// <summary>What a device's neighbours hear when it joined or left: the device as it was named, without versions.</summary>
    public static Publication Notification(Member member, bool isAdded, TwinTerms terms)
    {
        var writer = terms.Writer;
        writer.Begin(terms.NewId(), terms.Now);
        Write(writer, "added_devices", isAdded ? member : null);
        Write(writer, "removed_devices", isAdded ? null : member);
        return new Publication($"node/{terms.Node}/membership/updated", writer.End());
    }

    public static void Write(TwinWriter writer, string name, string value, bool? optional, string? type)
    {
        var json = writer.Json;
        json.WriteStartObject(name);
        json.WriteString("value"u8, value);
        WriteTraits(json, optional, type);
        json.WriteEndObject();
    }

    public static void Write(TwinWriter writer, MemberRow device)
    {
        var json = writer.Json;
        json.WriteStartObject();
        WriteHead(json, device.Id, device.Name, device.Description, device.State, device.LastOnline);
        if (device.Attributes.Length > 0)
        {
            json.WritePropertyName("attributes"u8);
            json.WriteRawValue(device.Attributes, skipInputValidation: true);
        }

        json.WriteEndObject();
    }

    private static void Write(TwinWriter writer, string list, Member? member)
    {
        var json = writer.Json;
        if (member is null)
        {
            json.WriteNull(list);
            return;
        }

        json.WriteStartArray(list);
        json.WriteStartObject();
        WriteHead(json, member.Id, member.Name, member.Description, member.State, member.LastOnline);
        WriteAttributes(writer, member.Attributes);
        WriteTwin(json, member.Twin);
        json.WriteEndObject();
        json.WriteEndArray();
    }

    private static void WriteHead(Utf8JsonWriter json, string id, string name, string description, string state, string lastOnline)
    {
        WriteText(json, "id"u8, id);
        WriteText(json, "name"u8, name);
        WriteText(json, "description"u8, description);
        WriteText(json, "state"u8, state);
        WriteText(json, "last_online"u8, lastOnline);
    }

    private static void WriteText(Utf8JsonWriter json, ReadOnlySpan<byte> name, string value)
    {
        if (value.Length > 0)
        {
            json.WriteString(name, value);
        }
    }

    private static void WriteAttributes(TwinWriter writer, IReadOnlyList<AttributeEntry>? attributes)
    {
        if (attributes is not { Count: > 0 })
        {
            return;
        }

        writer.Json.WriteStartObject("attributes"u8);
        foreach (var attribute in attributes)
        {
            if (attribute.IsNull)
            {
                writer.WriteNull(attribute.Name);
            }
            else
            {
                Write(writer, attribute.Name, attribute.Value, attribute.Optional, attribute.Type);
            }
        }

        writer.EndObject();
    }

    private static void WriteTwin(Utf8JsonWriter json, IReadOnlyList<TwinEntry>? twin)
    {
        if (twin is not { Count: > 0 })
        {
            return;
        }

        json.WriteStartObject("twin"u8);
        foreach (var entry in twin)
        {
            if (entry.IsNull || entry.Type == TwinProperty.DeletedType)
            {
                json.WriteNull(entry.Name);
                continue;
            }

            json.WriteStartObject(entry.Name);
            WriteValue(json, "expected"u8, entry.Expected);
            WriteValue(json, "actual"u8, entry.Actual);
            WriteTraits(json, entry.Optional, entry.Type);
            json.WriteEndObject();
        }

        json.WriteEndObject();
    }

    private static void WriteValue(Utf8JsonWriter json, ReadOnlySpan<byte> name, GivenValue value)
    {
        if (!value.IsGiven)
        {
            return;
        }

        json.WriteStartObject(name);
        json.WriteString("value"u8, value.Value);
        if (value.Timestamp is { } timestamp)
        {
            json.WriteStartObject("metadata"u8);
            json.WriteNumber("timestamp"u8, timestamp);
            json.WriteEndObject();
        }

        json.WriteEndObject();
    }

    private static void WriteTraits(Utf8JsonWriter json, bool? optional, string? type)
    {
        if (optional is { } may)
        {
            json.WriteBoolean("optional"u8, may);
        }

        if (type is null)
        {
            return;
        }

        json.WriteStartObject("metadata"u8);
        if (type.Length > 0)
        {
            json.WriteString("type"u8, type);
        }

        json.WriteEndObject();
    }
}
