using System.Text;
using System.Text.Json;
using System.Text.Unicode;
using EdgeOrleans.Devices;

namespace EdgeOrleans.Edge.DeviceTwin;

/// <summary>Requests out of JSON, as edgecore reads them (reference 3.4): names in any case, unknown ones ignored, the last of equal ones
/// counts, a wrong type or anything behind the document refuses it, and <c>null</c> is an empty document.</summary>
/// <remarks>A document that cannot be read throws <see cref="JsonException"/>; nothing else leaves this class.</remarks>
internal static class TwinReader
{
    private static readonly JsonReaderOptions Options = new() { MaxDepth = 64, CommentHandling = JsonCommentHandling.Disallow };

    private delegate void FieldReader<T>(ref Utf8JsonReader reader, ref T target);

    /// <summary>The <c>event_id</c> of a request that asks and says no more.</summary>
    public static string ReadQuestion(ReadOnlySpan<byte> payload) =>
        ReadDocument(payload, "", static (ref Utf8JsonReader reader, ref string id) =>
        {
            if (!TryBase(ref reader, ref id))
            {
                Skip(ref reader);
            }
        });

    public static TwinRequest ReadTwin(ReadOnlySpan<byte> payload) =>
        ReadDocument(payload, new TwinRequest("", null), static (ref Utf8JsonReader reader, ref TwinRequest request) =>
        {
            var id = request.EventId;
            if (Is(ref reader, "twin"u8))
            {
                request = request with { Entries = ReadEntries(ref reader) ?? request.Entries };
            }
            else if (TryBase(ref reader, ref id))
            {
                request = request with { EventId = id };
            }
            else
            {
                Skip(ref reader);
            }
        });

    public static DeviceRequest ReadDevice(ReadOnlySpan<byte> payload) =>
        ReadDocument(payload, new DeviceRequest("", "", null), static (ref Utf8JsonReader reader, ref DeviceRequest request) =>
        {
            var id = request.EventId;
            if (Is(ref reader, "state"u8))
            {
                request = request with { State = ReadText(ref reader) ?? request.State };
            }
            else if (Is(ref reader, "attributes"u8))
            {
                request = request with { Attributes = ReadAttributes(ref reader) ?? request.Attributes };
            }
            else if (TryBase(ref reader, ref id))
            {
                request = request with { EventId = id };
            }
            else
            {
                Skip(ref reader);
            }
        });

    /// <summary>One device of a membership message.</summary>
    public static Member ReadMember(ReadOnlySpan<byte> json) =>
        ReadDocument(json, new Member("", "", "", "", ""), static (ref Utf8JsonReader reader, ref Member member) =>
        {
            if (Is(ref reader, "id"u8))
            {
                member = member with { Id = ReadText(ref reader) ?? member.Id };
            }
            else if (Is(ref reader, "name"u8))
            {
                member = member with { Name = ReadText(ref reader) ?? member.Name };
            }
            else if (Is(ref reader, "description"u8))
            {
                member = member with { Description = ReadText(ref reader) ?? member.Description };
            }
            else if (Is(ref reader, "state"u8))
            {
                member = member with { State = ReadText(ref reader) ?? member.State };
            }
            else if (Is(ref reader, "last_online"u8))
            {
                member = member with { LastOnline = ReadText(ref reader) ?? member.LastOnline };
            }
            else if (Is(ref reader, "attributes"u8))
            {
                member = member with { Attributes = ReadAttributes(ref reader) ?? member.Attributes };
            }
            else if (Is(ref reader, "twin"u8))
            {
                member = member with { Twin = ReadEntries(ref reader) ?? member.Twin };
            }
            else
            {
                Skip(ref reader);
            }
        });

    /// <summary>The devices of a membership message, each as its JSON: one that cannot be read is its own affair.</summary>
    public static MembershipRequest ReadMembership(ReadOnlyMemory<byte> payload)
    {
        Guard(payload.Span);
        try
        {
            return ReadMembers(payload);
        }
        catch (InvalidOperationException e)
        {
            throw new JsonException("half a character (a lone surrogate)", e);
        }
    }

    private static MembershipRequest ReadMembers(ReadOnlyMemory<byte> payload)
    {
        List<ReadOnlyMemory<byte>>? added = null, removed = null, all = null;
        var reader = new Utf8JsonReader(payload.Span, Options);
        reader.Read();
        if (BeginsObject(ref reader))
        {
            while (NextIsName(ref reader))
            {
                if (Is(ref reader, "added_devices"u8))
                {
                    added = ReadElements(ref reader, payload) ?? added;
                }
                else if (Is(ref reader, "removed_devices"u8))
                {
                    removed = ReadElements(ref reader, payload) ?? removed;
                }
                else if (Is(ref reader, "devices"u8))
                {
                    all = ReadElements(ref reader, payload) ?? [];
                }
                else
                {
                    Skip(ref reader);
                }
            }
        }

        reader.Read();
        return new MembershipRequest(added ?? [], removed ?? [], all);
    }

    /// <summary>The <c>event_id</c> of a request that is wrong elsewhere; empty when it cannot be read.</summary>
    public static string SalvageEventId(ReadOnlySpan<byte> payload) => Salvage(payload, "event_id"u8);

    /// <summary>A text of a document that is wrong elsewhere; empty when it cannot be read.</summary>
    public static string Salvage(ReadOnlySpan<byte> payload, ReadOnlySpan<byte> name)
    {
        var id = "";
        if (!Utf8.IsValid(payload))
        {
            return id;
        }

        try
        {
            var reader = new Utf8JsonReader(payload, Options);
            if (!reader.Read() || reader.TokenType != JsonTokenType.StartObject)
            {
                return id;
            }

            while (NextIsName(ref reader))
            {
                if (!Is(ref reader, name))
                {
                    reader.Read();
                    reader.Skip();
                    continue;
                }

                reader.Read();
                if (reader.TokenType == JsonTokenType.String)
                {
                    id = reader.GetString()!;
                }

                reader.Skip();
            }
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            // What was read before the fault is what there is.
        }

        return id;
    }

    private static T ReadDocument<T>(ReadOnlySpan<byte> payload, T target, FieldReader<T> field)
    {
        Guard(payload);
        try
        {
            var reader = new Utf8JsonReader(payload, Options);
            reader.Read();
            if (BeginsObject(ref reader))
            {
                while (NextIsName(ref reader))
                {
                    field(ref reader, ref target);
                }
            }

            // What stands behind the document makes this throw.
            reader.Read();
            return target;
        }
        catch (InvalidOperationException e)
        {
            throw new JsonException("half a character (a lone surrogate)", e);
        }
    }

    private static void Guard(ReadOnlySpan<byte> payload)
    {
        if (!Utf8.IsValid(payload))
        {
            throw new JsonException("not UTF-8");
        }
    }

    private static bool BeginsObject(ref Utf8JsonReader reader) => reader.TokenType switch
    {
        JsonTokenType.StartObject => true,
        JsonTokenType.Null => false,
        _ => throw WrongType(ref reader, "an object"),
    };

    private static bool NextIsName(ref Utf8JsonReader reader) => reader.Read() && reader.TokenType == JsonTokenType.PropertyName;

    private static bool Is(ref Utf8JsonReader reader, ReadOnlySpan<byte> name) =>
        reader.ValueIsEscaped
            ? string.Equals(reader.GetString(), Encoding.ASCII.GetString(name), StringComparison.OrdinalIgnoreCase)
            : Ascii.EqualsIgnoreCase(reader.ValueSpan, name);

    private static bool TryBase(ref Utf8JsonReader reader, ref string id)
    {
        if (Is(ref reader, "event_id"u8))
        {
            id = ReadText(ref reader) ?? id;
            return true;
        }

        if (Is(ref reader, "timestamp"u8))
        {
            ReadInteger(ref reader);
            return true;
        }

        return false;
    }

    private static List<TwinEntry>? ReadEntries(ref Utf8JsonReader reader)
    {
        reader.Read();
        if (!BeginsObject(ref reader))
        {
            return null;
        }

        var entries = new List<TwinEntry>(1);
        while (NextIsName(ref reader))
        {
            var name = reader.GetString()!;
            entries.Add(ReadEntry(ref reader, name));
        }

        return SortedOnce(entries, static e => e.Name);
    }

    private static TwinEntry ReadEntry(ref Utf8JsonReader reader, string name)
    {
        var entry = new TwinEntry(name);
        reader.Read();
        if (!BeginsObject(ref reader))
        {
            return entry with { IsNull = true };
        }

        while (NextIsName(ref reader))
        {
            if (Is(ref reader, "actual"u8))
            {
                entry = entry with { Actual = ReadValue(ref reader) };
            }
            else if (Is(ref reader, "expected"u8))
            {
                entry = entry with { Expected = ReadValue(ref reader) };
            }
            else if (Is(ref reader, "metadata"u8))
            {
                entry = entry with { Type = ReadType(ref reader) };
            }
            else if (Is(ref reader, "optional"u8))
            {
                entry = entry with { Optional = ReadFlag(ref reader) };
            }
            else if (Is(ref reader, "expected_version"u8))
            {
                entry = entry with { ExpectedVersion = ReadVersion(ref reader) };
            }
            else if (Is(ref reader, "actual_version"u8))
            {
                entry = entry with { ActualVersion = ReadVersion(ref reader) };
            }
            else
            {
                Skip(ref reader);
            }
        }

        return entry;
    }

    private static GivenValue ReadValue(ref Utf8JsonReader reader)
    {
        reader.Read();
        if (!BeginsObject(ref reader))
        {
            return default;
        }

        string? value = null;
        long? timestamp = null;
        while (NextIsName(ref reader))
        {
            if (Is(ref reader, "value"u8))
            {
                value = ReadText(ref reader);
            }
            else if (Is(ref reader, "metadata"u8))
            {
                timestamp = ReadTimestamp(ref reader);
            }
            else
            {
                Skip(ref reader);
            }
        }

        return new GivenValue(true, value, timestamp);
    }

    private static long? ReadTimestamp(ref Utf8JsonReader reader)
    {
        reader.Read();
        if (!BeginsObject(ref reader))
        {
            return null;
        }

        long? timestamp = null;
        while (NextIsName(ref reader))
        {
            if (Is(ref reader, "timestamp"u8))
            {
                timestamp = ReadInteger(ref reader);
            }
            else
            {
                Skip(ref reader);
            }
        }

        return timestamp;
    }

    /// <summary>The type of a metadata object: empty when it has none, null when there is no object.</summary>
    private static string? ReadType(ref Utf8JsonReader reader)
    {
        reader.Read();
        if (!BeginsObject(ref reader))
        {
            return null;
        }

        var type = "";
        while (NextIsName(ref reader))
        {
            if (Is(ref reader, "type"u8))
            {
                type = TwinTypes.Intern(ReadText(ref reader) ?? type);
            }
            else
            {
                Skip(ref reader);
            }
        }

        return type;
    }

    private const long GreatestVersion = 1L << 62;

    private static TwinVersion? ReadVersion(ref Utf8JsonReader reader)
    {
        reader.Read();
        if (!BeginsObject(ref reader))
        {
            return null;
        }

        var version = default(TwinVersion);
        while (NextIsName(ref reader))
        {
            if (Is(ref reader, "cloud"u8))
            {
                version = version with { Cloud = ReadInteger(ref reader) ?? version.Cloud };
            }
            else if (Is(ref reader, "edge"u8))
            {
                version = version with { Edge = ReadInteger(ref reader) ?? version.Edge };
            }
            else
            {
                Skip(ref reader);
            }
        }

        // Both sides count up from what they are given, and a number that wraps would lose every later value.
        return version is { Cloud: <= GreatestVersion, Edge: <= GreatestVersion }
            ? version
            : throw new JsonException($"a version is at most {GreatestVersion}");
    }

    private static List<AttributeEntry>? ReadAttributes(ref Utf8JsonReader reader)
    {
        reader.Read();
        if (!BeginsObject(ref reader))
        {
            return null;
        }

        var entries = new List<AttributeEntry>();
        while (NextIsName(ref reader))
        {
            var name = reader.GetString()!;
            entries.Add(ReadAttribute(ref reader, name));
        }

        return SortedOnce(entries, static e => e.Name);
    }

    private static AttributeEntry ReadAttribute(ref Utf8JsonReader reader, string name)
    {
        var entry = new AttributeEntry(name);
        reader.Read();
        if (!BeginsObject(ref reader))
        {
            return entry with { IsNull = true };
        }

        while (NextIsName(ref reader))
        {
            if (Is(ref reader, "value"u8))
            {
                entry = entry with { Value = ReadText(ref reader) ?? entry.Value };
            }
            else if (Is(ref reader, "optional"u8))
            {
                entry = entry with { Optional = ReadFlag(ref reader) };
            }
            else if (Is(ref reader, "metadata"u8))
            {
                entry = entry with { Type = ReadType(ref reader) };
            }
            else
            {
                Skip(ref reader);
            }
        }

        return entry;
    }

    private static List<ReadOnlyMemory<byte>>? ReadElements(ref Utf8JsonReader reader, ReadOnlyMemory<byte> payload)
    {
        reader.Read();
        if (reader.TokenType == JsonTokenType.Null)
        {
            return null;
        }

        if (reader.TokenType != JsonTokenType.StartArray)
        {
            throw WrongType(ref reader, "an array");
        }

        var elements = new List<ReadOnlyMemory<byte>>();
        while (reader.Read() && reader.TokenType != JsonTokenType.EndArray)
        {
            var from = (int)reader.TokenStartIndex;
            reader.Skip();
            elements.Add(payload[from..(int)reader.BytesConsumed]);
        }

        return elements;
    }

    private static string? ReadText(ref Utf8JsonReader reader)
    {
        reader.Read();
        return reader.TokenType is JsonTokenType.String or JsonTokenType.Null ? reader.GetString() : throw WrongType(ref reader, "a string");
    }

    private static bool? ReadFlag(ref Utf8JsonReader reader)
    {
        reader.Read();
        return reader.TokenType switch
        {
            JsonTokenType.True => true,
            JsonTokenType.False => false,
            JsonTokenType.Null => null,
            _ => throw WrongType(ref reader, "true or false"),
        };
    }

    private static long? ReadInteger(ref Utf8JsonReader reader)
    {
        reader.Read();
        return reader.TokenType switch
        {
            JsonTokenType.Number when reader.TryGetInt64(out var number) => number,
            JsonTokenType.Null => null,
            _ => throw WrongType(ref reader, "a whole number"),
        };
    }

    /// <summary>Passes over a value that nobody reads, and still refuses half characters in it.</summary>
    private static void Skip(ref Utf8JsonReader reader)
    {
        reader.Read();
        var depth = reader.CurrentDepth;
        while (true)
        {
            if (reader.TokenType is JsonTokenType.String or JsonTokenType.PropertyName && reader.ValueIsEscaped)
            {
                reader.GetString();
            }

            if (reader.CurrentDepth == depth && reader.TokenType is not (JsonTokenType.StartObject or JsonTokenType.StartArray))
            {
                return;
            }

            reader.Read();
        }
    }

    private static List<T> SortedOnce<T>(List<T> entries, Func<T, string> name)
    {
        if (entries.Count < 2)
        {
            return entries;
        }

        var once = new List<T>(entries.Count);
        foreach (var entry in entries.OrderBy(name, StringComparer.Ordinal))
        {
            if (once.Count > 0 && name(once[^1]) == name(entry))
            {
                once[^1] = entry;
            }
            else
            {
                once.Add(entry);
            }
        }

        return once;
    }

    private static JsonException WrongType(ref Utf8JsonReader reader, string wanted) => new($"{reader.TokenType} where {wanted} belongs");
}

/// <summary>A membership message of the cloud: devices as their JSON. All devices of a node only when it says so, an empty list included.</summary>
internal sealed record MembershipRequest(
    IReadOnlyList<ReadOnlyMemory<byte>> Added, IReadOnlyList<ReadOnlyMemory<byte>> Removed, IReadOnlyList<ReadOnlyMemory<byte>>? Devices);
