using System.Buffers;
using System.Text.Encodings.Web;
using System.Text.Json;
using EdgeOrleans.Devices;

namespace EdgeOrleans.Edge.DeviceTwin;

/// <summary>Which parts of a property are written.</summary>
[Flags]
internal enum TwinParts
{
    None = 0,
    Expected = 1,
    Actual = 2,
    Optional = 4,
    Type = 8,
    ExpectedVersion = 16,
    ActualVersion = 32,
}

/// <summary>Answers into JSON with the fields and their order of reference 3.4. One writer serves many answers, one after the other.</summary>
internal sealed class TwinWriter : IDisposable
{
    private const int KeptBytes = 64 * 1_024;
    private static readonly JsonWriterOptions Options = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping, SkipValidation = true };
    private static readonly JsonEncodedText EventId = JsonEncodedText.Encode("event_id");
    private static readonly JsonEncodedText Timestamp = JsonEncodedText.Encode("timestamp");
    private static readonly JsonEncodedText Twin = JsonEncodedText.Encode("twin");
    private static readonly JsonEncodedText Delta = JsonEncodedText.Encode("delta");
    private static readonly JsonEncodedText Last = JsonEncodedText.Encode("last");
    private static readonly JsonEncodedText Current = JsonEncodedText.Encode("current");
    private static readonly JsonEncodedText Expected = JsonEncodedText.Encode("expected");
    private static readonly JsonEncodedText Actual = JsonEncodedText.Encode("actual");
    private static readonly JsonEncodedText Value = JsonEncodedText.Encode("value");
    private static readonly JsonEncodedText Metadata = JsonEncodedText.Encode("metadata");
    private static readonly JsonEncodedText Optional = JsonEncodedText.Encode("optional");
    private static readonly JsonEncodedText TypeName = JsonEncodedText.Encode("type");
    private static readonly JsonEncodedText ExpectedVersion = JsonEncodedText.Encode("expected_version");
    private static readonly JsonEncodedText ActualVersion = JsonEncodedText.Encode("actual_version");

    private ArrayBufferWriter<byte> _buffer = new(1_024);
    private Utf8JsonWriter _json;

    public TwinWriter() => _json = new Utf8JsonWriter(_buffer, Options);

    public Utf8JsonWriter Json => _json;

    public void Dispose() => _json.Dispose();

    public void Begin(string eventId, long now)
    {
        _json.WriteStartObject();
        _json.WriteString(EventId, eventId);
        _json.WriteNumber(Timestamp, now);
    }

    public void Begin(Guid eventId, long now)
    {
        Span<char> text = stackalloc char[36];
        eventId.TryFormat(text, out _);
        _json.WriteStartObject();
        _json.WriteString(EventId, text);
        _json.WriteNumber(Timestamp, now);
    }

    public void BeginTwin() => _json.WriteStartObject(Twin);

    public void BeginDelta() => _json.WriteStartObject(Delta);

    public void BeginEntry(string name) => _json.WriteStartObject(name);

    public void EndObject() => _json.WriteEndObject();

    public void WriteNull(string name) => _json.WriteNull(name);

    public void WriteText(string name, string value) => _json.WriteString(name, value);

    /// <summary>A property's document: what it was and what it is; null for not there.</summary>
    public void WriteChange(string name, TwinProperty? last, TwinProperty? current)
    {
        _json.WriteStartObject(name);
        WriteView(Last, last);
        WriteView(Current, current);
        _json.WriteEndObject();
    }

    public void WriteProperty(string name, TwinProperty property, TwinParts parts)
    {
        _json.WriteStartObject(name);
        WriteParts(property, parts);
        _json.WriteEndObject();
    }

    /// <summary>A property as a document of its own.</summary>
    public ReadOnlyMemory<byte> Bare(TwinProperty property, TwinParts parts)
    {
        _json.WriteStartObject();
        WriteParts(property, parts);
        return End();
    }

    /// <summary>Ends the document and gives its bytes; the next one begins.</summary>
    public ReadOnlyMemory<byte> End()
    {
        _json.WriteEndObject();
        return Take();
    }

    /// <summary>Gives the bytes that were written and begins anew.</summary>
    public ReadOnlyMemory<byte> Take()
    {
        _json.Flush();
        var bytes = _buffer.WrittenSpan.ToArray();
        Clear();
        return bytes;
    }

    /// <summary>Forgets what was begun.</summary>
    public void Clear()
    {
        if (_buffer.Capacity > KeptBytes)
        {
            _json.Dispose();
            _buffer = new ArrayBufferWriter<byte>(1_024);
            _json = new Utf8JsonWriter(_buffer, Options);
            return;
        }

        _json.Reset();
        _buffer.ResetWrittenCount();
    }

    private void WriteView(JsonEncodedText name, TwinProperty? property)
    {
        if (property is null)
        {
            _json.WriteNull(name);
            return;
        }

        _json.WriteStartObject(name);
        WriteParts(property, property.Visible());
        _json.WriteEndObject();
    }

    private void WriteParts(TwinProperty property, TwinParts parts)
    {
        if (parts.HasFlag(TwinParts.Expected))
        {
            WriteValue(Expected, property.Expected);
        }

        if (parts.HasFlag(TwinParts.Actual))
        {
            WriteValue(Actual, property.Actual);
        }

        if (parts.HasFlag(TwinParts.Optional))
        {
            _json.WriteBoolean(Optional, property.Optional);
        }

        if (parts.HasFlag(TwinParts.Type))
        {
            _json.WriteStartObject(Metadata);
            if (property.Type.Length > 0)
            {
                _json.WriteString(TypeName, property.Type);
            }

            _json.WriteEndObject();
        }

        if (parts.HasFlag(TwinParts.ExpectedVersion))
        {
            WriteVersion(ExpectedVersion, property.Expected?.Version ?? default);
        }

        if (parts.HasFlag(TwinParts.ActualVersion))
        {
            WriteVersion(ActualVersion, property.Actual?.Version ?? default);
        }
    }

    private void WriteValue(JsonEncodedText name, TwinValue? value)
    {
        _json.WriteStartObject(name);
        if (value?.Value is { } text)
        {
            _json.WriteString(Value, text);
            _json.WriteStartObject(Metadata);
            _json.WriteNumber(Timestamp, value.Timestamp);
            _json.WriteEndObject();
        }

        _json.WriteEndObject();
    }

    private void WriteVersion(JsonEncodedText name, TwinVersion version)
    {
        _json.WriteStartObject(name);
        _json.WriteNumber("cloud"u8, version.Cloud);
        _json.WriteNumber("edge"u8, version.Edge);
        _json.WriteEndObject();
    }
}

internal static class TwinPropertyParts
{
    /// <summary>What everybody may see of a property.</summary>
    public static TwinParts Visible(this TwinProperty property) =>
        TwinParts.Optional | TwinParts.Type
        | (property.Expected?.Value is null ? TwinParts.None : TwinParts.Expected)
        | (property.Actual?.Value is null ? TwinParts.None : TwinParts.Actual);

    /// <summary>The versions that a property has.</summary>
    public static TwinParts Versions(this TwinProperty property) =>
        (property.Expected is null ? TwinParts.None : TwinParts.ExpectedVersion) | (property.Actual is null ? TwinParts.None : TwinParts.ActualVersion);
}
