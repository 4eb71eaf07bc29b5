using System.Buffers;
using System.Text;
using System.Text.Json;
using EdgeOrleans.Beehive;

namespace EdgeOrleans.Link;

/// <summary>A message for the other end, and the numbers of the entries that it carries.</summary>
public sealed record OutboxMessage(Message Message, IReadOnlyList<long> Numbers);

/// <summary>Makes KubeEdge's messages of entries.</summary>
internal static class OutboxMessages
{
    public static OutboxMessage Compose(IReadOnlyList<OutboxRow> rows, int first, int end, long now)
    {
        var entry = rows[first].Entry;
        var content = entry.Class == OutboxClasses.Twin ? TwinContent(rows, first, end, now) : Content(entry);
        var numbers = new long[end - first];
        for (var i = first; i < end; i++)
        {
            numbers[i - first] = rows[i].Seq;
        }

        return new OutboxMessage(Message.Create(entry.Source, entry.Group, entry.Operation, entry.Resource, content, now), numbers);
    }

    private static ReadOnlyMemory<byte> Content(OutboxEntry entry) =>
        entry.IsText ? Message.Text(Encoding.UTF8.GetString(entry.Content.Span)) : entry.Content;

    private static ReadOnlyMemory<byte> TwinContent(IReadOnlyList<OutboxRow> rows, int first, int end, long now)
    {
        var output = new ArrayBufferWriter<byte>(256);
        using (var writer = new Utf8JsonWriter(output))
        {
            writer.WriteStartObject();
            writer.WriteString("event_id", Guid.NewGuid());
            writer.WriteNumber("timestamp", now);
            writer.WriteStartObject("twin");
            for (var i = first; i < end; i++)
            {
                var entry = rows[i].Entry;
                writer.WritePropertyName(entry.Key.AsSpan(entry.Key!.IndexOf('|', StringComparison.Ordinal) + 1));
                writer.WriteRawValue(entry.Content.Span, skipInputValidation: true);
            }

            writer.WriteEndObject();
            writer.WriteEndObject();
        }

        return output.WrittenMemory;
    }
}
