using System.Collections.Immutable;
using System.Text.Json;
using System.Text.Json.Serialization;
using EdgeOrleans.Devices;

namespace EdgeOrleans.Edge.DeviceTwin;

/// <summary>A device's record on disk: written for every update, so by hand, and still readable by a person.</summary>
internal sealed class TwinRecordJson : JsonConverter<TwinRecord>
{
    private const int Schema = 1;

    public override TwinRecord Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options)
    {
        Expect(ref reader, JsonTokenType.StartObject);
        var record = new TwinRecord { Exists = true };
        while (NextName(ref reader) is { } name)
        {
            record = name switch
            {
                "schema" => reader.GetInt32() <= Schema ? record : throw new JsonException($"a device of schema {reader.GetInt32()} is newer than this version"),
                "exists" => record with { Exists = reader.GetBoolean() },
                "name" => record with { Name = reader.GetString()! },
                "description" => record with { Description = reader.GetString()! },
                "state" => record with { State = reader.GetString()! },
                "lastOnline" => record with { LastOnline = reader.GetString()! },
                "model" => record with { Model = reader.GetString()! },
                "twin" => record with { Twin = ReadTwin(ref reader) },
                "attributes" => record with { Attributes = ReadAttributes(ref reader) },
                "conflicts" => record with { Conflicts = ReadConflicts(ref reader) },
                _ => Skip(ref reader, record),
            };
        }

        return record;
    }

    public override void Write(Utf8JsonWriter writer, TwinRecord value, JsonSerializerOptions options)
    {
        writer.WriteStartObject();
        writer.WriteNumber("schema"u8, Schema);
        if (!value.Exists)
        {
            writer.WriteBoolean("exists"u8, false);
        }

        WriteText(writer, "name"u8, value.Name);
        WriteText(writer, "description"u8, value.Description);
        WriteText(writer, "state"u8, value.State);
        WriteText(writer, "lastOnline"u8, value.LastOnline);
        WriteText(writer, "model"u8, value.Model);
        writer.WriteStartObject("twin"u8);
        foreach (var (name, property) in value.Twin)
        {
            writer.WriteStartObject(name);
            Write(writer, "expected"u8, property.Expected);
            Write(writer, "actual"u8, property.Actual);
            writer.WriteBoolean("optional"u8, property.Optional);
            writer.WriteString("type"u8, property.Type);
            writer.WriteEndObject();
        }

        writer.WriteEndObject();
        WriteAttributes(writer, value.Attributes);
        WriteConflicts(writer, value.Conflicts);
        writer.WriteEndObject();
    }

    private static void WriteText(Utf8JsonWriter writer, ReadOnlySpan<byte> name, string value)
    {
        if (value.Length > 0)
        {
            writer.WriteString(name, value);
        }
    }

    private static void Write(Utf8JsonWriter writer, ReadOnlySpan<byte> name, TwinValue? value)
    {
        if (value is null)
        {
            return;
        }

        writer.WriteStartObject(name);
        if (value.Value is not null)
        {
            writer.WriteString("value"u8, value.Value);
        }

        writer.WriteNumber("at"u8, value.Timestamp);
        writer.WriteNumber("cloud"u8, value.Version.Cloud);
        writer.WriteNumber("edge"u8, value.Version.Edge);
        writer.WriteEndObject();
    }

    private static void WriteAttributes(Utf8JsonWriter writer, ImmutableSortedDictionary<string, DeviceAttribute> attributes)
    {
        if (attributes.Count == 0)
        {
            return;
        }

        writer.WriteStartObject("attributes"u8);
        foreach (var (name, attribute) in attributes)
        {
            writer.WriteStartObject(name);
            writer.WriteString("value"u8, attribute.Value);
            writer.WriteBoolean("optional"u8, attribute.Optional);
            writer.WriteString("type"u8, attribute.Type);
            writer.WriteEndObject();
        }

        writer.WriteEndObject();
    }

    private static void WriteConflicts(Utf8JsonWriter writer, ImmutableArray<TwinConflict> conflicts)
    {
        if (conflicts.IsEmpty)
        {
            return;
        }

        writer.WriteStartArray("conflicts"u8);
        foreach (var conflict in conflicts)
        {
            writer.WriteStartObject();
            writer.WriteString("property"u8, conflict.Property);
            writer.WriteString("side"u8, conflict.Side);
            Write(writer, "kept"u8, conflict.Kept);
            Write(writer, "refused"u8, conflict.Refused);
            writer.WriteString("source"u8, conflict.Source);
            writer.WriteEndObject();
        }

        writer.WriteEndArray();
    }

    private static ImmutableSortedDictionary<string, TwinProperty> ReadTwin(ref Utf8JsonReader reader)
    {
        var twin = TwinRecord.NoTwin.ToBuilder();
        while (NextName(ref reader) is { } name)
        {
            var property = new TwinProperty();
            while (NextName(ref reader) is { } field)
            {
                property = field switch
                {
                    "expected" => property with { Expected = ReadValue(ref reader) },
                    "actual" => property with { Actual = ReadValue(ref reader) },
                    "optional" => property with { Optional = reader.GetBoolean() },
                    "type" => property with { Type = TwinTypes.Intern(reader.GetString()!) },
                    _ => Skip(ref reader, property),
                };
            }

            twin[name] = property;
        }

        return twin.ToImmutable();
    }

    private static TwinValue ReadValue(ref Utf8JsonReader reader)
    {
        string? value = null;
        long at = 0, cloud = 0, edge = 0;
        while (NextName(ref reader) is { } field)
        {
            switch (field)
            {
                case "value": value = reader.GetString(); break;
                case "at": at = reader.GetInt64(); break;
                case "cloud": cloud = reader.GetInt64(); break;
                case "edge": edge = reader.GetInt64(); break;
                default: reader.Skip(); break;
            }
        }

        return new TwinValue { Value = value, Timestamp = at, Version = new TwinVersion(cloud, edge) };
    }

    private static ImmutableSortedDictionary<string, DeviceAttribute> ReadAttributes(ref Utf8JsonReader reader)
    {
        var attributes = TwinRecord.NoAttributes.ToBuilder();
        while (NextName(ref reader) is { } name)
        {
            var attribute = new DeviceAttribute();
            while (NextName(ref reader) is { } field)
            {
                attribute = field switch
                {
                    "value" => attribute with { Value = reader.GetString()! },
                    "optional" => attribute with { Optional = reader.GetBoolean() },
                    "type" => attribute with { Type = reader.GetString()! },
                    _ => Skip(ref reader, attribute),
                };
            }

            attributes[name] = attribute;
        }

        return attributes.ToImmutable();
    }

    private static ImmutableArray<TwinConflict> ReadConflicts(ref Utf8JsonReader reader)
    {
        var conflicts = ImmutableArray.CreateBuilder<TwinConflict>();
        while (reader.Read() && reader.TokenType == JsonTokenType.StartObject)
        {
            var conflict = new TwinConflict { Property = "", Side = "", Kept = new TwinValue(), Refused = new TwinValue(), Source = "" };
            while (NextName(ref reader) is { } field)
            {
                conflict = field switch
                {
                    "property" => conflict with { Property = reader.GetString()! },
                    "side" => conflict with { Side = reader.GetString()! },
                    "kept" => conflict with { Kept = ReadValue(ref reader) },
                    "refused" => conflict with { Refused = ReadValue(ref reader) },
                    "source" => conflict with { Source = reader.GetString()! },
                    _ => Skip(ref reader, conflict),
                };
            }

            conflicts.Add(conflict);
        }

        return conflicts.ToImmutable();
    }

    /// <summary>The next field's name, with the reader on its value; null at the object's end.</summary>
    private static string? NextName(ref Utf8JsonReader reader)
    {
        reader.Read();
        if (reader.TokenType == JsonTokenType.EndObject)
        {
            return null;
        }

        Expect(ref reader, JsonTokenType.PropertyName);
        var name = reader.GetString();
        reader.Read();
        return name;
    }

    private static T Skip<T>(ref Utf8JsonReader reader, T same)
    {
        reader.Skip();
        return same;
    }

    private static void Expect(ref Utf8JsonReader reader, JsonTokenType token)
    {
        if (reader.TokenType != token)
        {
            throw new JsonException($"a device's record has {reader.TokenType} where {token} belongs");
        }
    }
}
