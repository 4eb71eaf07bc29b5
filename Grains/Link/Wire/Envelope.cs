using System.Buffers;
using System.Text.Encodings.Web;
using System.Text.Json;
using EdgeOrleans.Beehive;

namespace EdgeOrleans.Link.Wire;

/// <summary>A message as KubeEdge's JSON: one object a WebSocket text message (kubeedge-cloudlink 1.3, kubeedge-edge 1.1).</summary>
/// <remarks>
/// <para>
/// <c>{"header":{"msg_id","parent_msg_id"?,"timestamp","resourceversion"?},"route":{"source"?,"destination"?,"group"?,"operation"?,
/// "resource"?},"content"}</c>. Fields with a question mark are left out when they are empty; <c>msg_id</c>, <c>timestamp</c>,
/// <c>route</c> and <c>content</c> are always there, content as <c>null</c> when there is none. The order is Go's order of the struct.
/// </para>
/// <para>
/// What belongs to one process does not travel: <c>header.sync</c> (every send on the link clears it) and <c>header.type</c> (how an
/// answer goes back in the process) are neither written nor believed. The message's code shows as operation <c>error</c>, and
/// an <c>error</c> that comes in has code 500, since the dialect has no number for it.
/// </para>
/// <para>
/// Reading is as tolerant as Go's decoder: names in any case, unknown names ignored, <c>null</c> for nothing, the last of two equal
/// names, bytes that are no UTF-8 read as U+FFFD. It is stricter where tolerance helps nobody: a frame is one envelope, bounded in
/// bytes and depth, and a text that escapes half a character is refused.
/// </para>
/// </remarks>
internal static class Envelope
{
    /// <summary>The code of an <c>error</c> that came over the wire.</summary>
    public const int ErrorCode = 500;

    // As Go we escape little; unlike Go not even <, > and &: they mean the same, and no browser reads this.
    private static readonly JsonWriterOptions Writing = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>Whether this is the envelope without anything that a stock edge sends when it stops (reference 1.8): no message at all.</summary>
    public static bool IsEmpty(Message message) => message.Header.Id.Length == 0 && message.Header.ParentId is null
        && message.Route == MessageRoute.Empty && EnvelopeContent.IsNull(message.Content);

    /// <summary>Writes a message as a frame.</summary>
    /// <exception cref="EnvelopeException">The content is not one JSON value, or the frame would be too large, too deep or have a field too long.</exception>
    public static ReadOnlyMemory<byte> Write(Message message, EnvelopeLimits limits)
    {
        if (message.Parts.Length > 0)
        {
            throw new ArgumentException("a message with parts is several envelopes", nameof(message));
        }

        if (message.Content.Length > limits.MaxBytes)
        {
            throw new EnvelopeException(TooLarge(message.Content.Length, limits));
        }

        var output = new ArrayBufferWriter<byte>(message.Content.Length + 384);
        using (var writer = new Utf8JsonWriter(output, Writing))
        {
            WriteEnvelope(writer, message, limits);
        }

        return output.WrittenCount <= limits.MaxBytes ? output.WrittenMemory : throw new EnvelopeException(TooLarge(output.WrittenCount, limits));
    }

    /// <summary>Reads a frame. Nothing of the frame is kept: the message has copies.</summary>
    /// <returns>The message; or the error, with null for the message.</returns>
    public static (Message? Message, EnvelopeError? Error) Read(ReadOnlyMemory<byte> frame, EnvelopeLimits limits) => EnvelopeReader.Read(frame, limits);

    internal static EnvelopeError TooLarge(long bytes, EnvelopeLimits limits) =>
        new(EnvelopeFault.TooLarge, $"a frame of {bytes} bytes; the most is {limits.MaxBytes}");

    private static void WriteEnvelope(Utf8JsonWriter writer, Message message, EnvelopeLimits limits)
    {
        var (header, route) = (message.Header, message.Route);
        writer.WriteStartObject();
        writer.WriteStartObject("header");
        writer.WriteString("msg_id", Checked("header.msg_id", header.Id, limits));
        WriteText(writer, "parent_msg_id", header.ParentId, limits);
        writer.WriteNumber("timestamp", header.Timestamp);
        WriteText(writer, "resourceversion", header.ResourceVersion, limits);
        writer.WriteEndObject();

        writer.WriteStartObject("route");
        WriteText(writer, "source", route.Source, limits);
        WriteText(writer, "destination", route.Destination, limits);
        WriteText(writer, "group", route.Group, limits);
        WriteText(writer, "operation", message.IsError ? Operations.Error : route.Operation, limits);
        WriteText(writer, "resource", route.Resource, limits);
        writer.WriteEndObject();

        writer.WritePropertyName("content");
        WriteContent(writer, message.Content, limits);
        writer.WriteEndObject();
    }

    private static void WriteText(Utf8JsonWriter writer, string name, string? value, EnvelopeLimits limits)
    {
        if (!string.IsNullOrEmpty(value))
        {
            writer.WriteString(name, Checked(name, value, limits));
        }
    }

    private static string Checked(string name, string value, EnvelopeLimits limits) => value.Length <= limits.MaxField
        ? value
        : throw new EnvelopeException(new(EnvelopeFault.BadField, $"{name} has {value.Length} characters; the most is {limits.MaxField}"));

    // Content that a module got wrong would break the envelope around it: it is checked, and refused to its sender.
    private static void WriteContent(Utf8JsonWriter writer, ReadOnlyMemory<byte> content, EnvelopeLimits limits)
    {
        if (content.IsEmpty)
        {
            writer.WriteNullValue();
            return;
        }

        if (EnvelopeReader.CheckValue(content.Span, limits.MaxDepth - 1) is { } error)
        {
            throw new EnvelopeException(error with { Reason = $"content: {error.Reason}" });
        }

        writer.WriteRawValue(content.Span, skipInputValidation: true);
    }
}
