using System.Buffers.Text;
using System.Text;
using System.Text.Json;
using EdgeOrleans.Beehive;

namespace EdgeOrleans.Link.Wire;

/// <summary>
/// The forms in which KubeEdge puts a document, a text or bytes into an envelope's content (reference 1.3): a document as an object
/// or as a text that holds it, a text as a string, bytes as base64 in a string that nothing marks as such.
/// </summary>
internal static class EnvelopeContent
{
    /// <summary>Whether this is nothing: no byte, or <c>null</c>.</summary>
    public static bool IsNull(ReadOnlyMemory<byte> content) => IsNull(content.Span);

    /// <inheritdoc cref="IsNull(ReadOnlyMemory{byte})"/>
    public static bool IsNull(ReadOnlySpan<byte> content) => content.IsEmpty || content.SequenceEqual("null"u8);

    /// <summary>Bytes as a Go byte slice travels: standard base64 in a string. ServiceBus' uploads and HTTP bodies go so.</summary>
    public static ReadOnlyMemory<byte> OfBytes(ReadOnlySpan<byte> bytes)
    {
        var content = new byte[Base64.GetMaxEncodedToUtf8Length(bytes.Length) + 2];
        content[0] = content[^1] = (byte)'"';
        Base64.EncodeToUtf8(bytes, content.AsSpan(1), out _, out _);
        return content;
    }

    /// <summary>The bytes that a Go byte slice stood for; null when the content is no string of base64.</summary>
    public static byte[]? Bytes(Message message)
    {
        if (message.Content.IsEmpty || message.Content.Span[0] != '"')
        {
            return null;
        }

        var reader = new Utf8JsonReader(message.Content.Span);
        return reader.Read() && reader.TryGetBytesFromBase64(out var bytes) ? bytes : null;
    }

    /// <summary>
    /// The document in the content: an object or array as it stands, a string when it holds one (device states and membership
    /// questions are encoded twice). Null when there is none, or when it is nested deeper than the limit.
    /// </summary>
    public static ReadOnlyMemory<byte>? Document(Message message, EnvelopeLimits limits)
    {
        var content = message.Content;
        if (!content.IsEmpty && content.Span[0] == '"')
        {
            content = Encoding.UTF8.GetBytes(message.ContentAsText());
            if (EnvelopeReader.CheckValue(content.Span, limits.MaxDepth) is not null)
            {
                return null;
            }
        }

        if (content.Span.TrimStart(" \t\r\n"u8) is [(byte)'{' or (byte)'[', ..])
        {
            return content;
        }

        return null;
    }
}
