using System.Collections.Immutable;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace EdgeOrleans.Cloud;

/// <summary>Texts by name, in the order of their bytes: as the serializer makes them, the order would be that of the process's language.</summary>
internal sealed class OrdinalMap : JsonConverter<ImmutableSortedDictionary<string, string>>
{
    public static ImmutableSortedDictionary<string, string> Empty { get; } = ImmutableSortedDictionary.Create<string, string>(StringComparer.Ordinal);

    public override ImmutableSortedDictionary<string, string> Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options)
    {
        var map = Empty.ToBuilder();
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            var name = reader.GetString()!;
            reader.Read();
            map[name] = reader.GetString() ?? "";
        }

        return map.ToImmutable();
    }

    public override void Write(Utf8JsonWriter writer, ImmutableSortedDictionary<string, string> value, JsonSerializerOptions options)
    {
        writer.WriteStartObject();
        foreach (var (name, text) in value)
        {
            writer.WriteString(name, text);
        }

        writer.WriteEndObject();
    }

    public static bool AreSame(ImmutableSortedDictionary<string, string> a, ImmutableSortedDictionary<string, string> b) =>
        ReferenceEquals(a, b) || a.SequenceEqual(b);
}
