using System.Text;
using System.Text.Json;
using System.Text.Unicode;
using EdgeOrleans.Beehive;

namespace EdgeOrleans.Link.Wire;

/// <summary>Reads a frame in one pass: two small objects are taken apart, the content is checked and copied as it stands.</summary>
internal ref struct EnvelopeReader
{
    private readonly ReadOnlySpan<byte> _frame;
    private readonly EnvelopeLimits _limits;
    private Utf8JsonReader _json;
    private EnvelopeError? _error;

    private string _id = "", _source = "", _destination = "", _group = "", _operation = "", _resource = "";
    private string? _parent, _resourceVersion;
    private long _timestamp;
    private Range _content;

    private EnvelopeReader(ReadOnlySpan<byte> frame, EnvelopeLimits limits)
    {
        _frame = frame;
        _limits = limits;
        _json = new Utf8JsonReader(frame, new JsonReaderOptions { MaxDepth = limits.MaxDepth });
    }

    public static (Message? Message, EnvelopeError? Error) Read(ReadOnlyMemory<byte> frame, EnvelopeLimits limits)
    {
        if (frame.IsEmpty)
        {
            return (null, new EnvelopeError(EnvelopeFault.Empty, "a frame without a byte"));
        }

        if (frame.Length > limits.MaxBytes)
        {
            return (null, Envelope.TooLarge(frame.Length, limits));
        }

        // Go reads what is no UTF-8 as U+FFFD: MQTT payloads travel as text, whatever they are.
        var text = Utf8.IsValid(frame.Span) ? frame.Span : Encoding.UTF8.GetBytes(Encoding.UTF8.GetString(frame.Span));
        var reader = new EnvelopeReader(text, limits);
        try
        {
            return reader.ReadEnvelope() ? (reader.ToMessage(), null) : (null, reader._error);
        }
        catch (JsonException exception)
        {
            return (null, NotJson(exception, in reader._json, limits.MaxDepth));
        }
    }

    /// <summary>Whether these bytes are one JSON value, whole, sound and not too deep; else why not.</summary>
    public static EnvelopeError? CheckValue(ReadOnlySpan<byte> value, int maxDepth)
    {
        if (!Utf8.IsValid(value))
        {
            return new(EnvelopeFault.BadText, "not UTF-8");
        }

        var json = new Utf8JsonReader(value, new JsonReaderOptions { MaxDepth = maxDepth });
        try
        {
            var first = true;
            while (json.Read())
            {
                if (!IsSoundText(ref json))
                {
                    return HalfACharacter(json.TokenStartIndex);
                }

                first = false;
            }

            return first ? new(EnvelopeFault.NotJson, "no value") : null;
        }
        catch (JsonException exception)
        {
            return NotJson(exception, in json, maxDepth);
        }
    }

    private readonly Message ToMessage() => new()
    {
        Header = new MessageHeader { Id = _id, ParentId = _parent, Timestamp = _timestamp, ResourceVersion = _resourceVersion },
        Route = new MessageRoute { Source = _source, Destination = _destination, Group = _group, Operation = _operation, Resource = _resource },
        Content = EnvelopeContent.IsNull(_frame[_content]) ? default : _frame[_content].ToArray(),
        Code = _operation == Operations.Error ? Envelope.ErrorCode : 0,
    };

    private bool ReadEnvelope()
    {
        _json.Read();
        if (_json.TokenType != JsonTokenType.StartObject)
        {
            return Fails(EnvelopeFault.NotAnObject, "a frame is one JSON object");
        }

        while (_json.Read() && _json.TokenType == JsonTokenType.PropertyName)
        {
            var isRead = Name() switch
            {
                "header" => Section("header"),
                "route" => Section("route"),
                "content" => Content(),
                _ => SkipValue(),
            };
            if (!isRead)
            {
                return false;
            }
        }

        return NothingFollows();
    }

    private bool NothingFollows() => _frame[(int)_json.BytesConsumed..].IndexOfAnyExcept(" \t\r\n"u8) < 0
        || Fails(EnvelopeFault.TrailingData, "more follows the envelope; a frame is one");

    private bool Section(string section)
    {
        _json.Read();
        if (_json.TokenType == JsonTokenType.Null)
        {
            return true;
        }

        if (_json.TokenType != JsonTokenType.StartObject)
        {
            return Fails(EnvelopeFault.BadField, $"{section} is no object");
        }

        while (_json.Read() && _json.TokenType == JsonTokenType.PropertyName)
        {
            if (!(section == "header" ? HeaderField() : RouteField()))
            {
                return false;
            }
        }

        return true;
    }

    private bool HeaderField() => Name() switch
    {
        "msg_id" => Text("header.msg_id", ref _id),
        "parent_msg_id" => OptionalText("header.parent_msg_id", ref _parent),
        "timestamp" => Number("header.timestamp", ref _timestamp),
        "resourceversion" => OptionalText("header.resourceversion", ref _resourceVersion),
        _ => SkipValue(),
    };

    private bool RouteField() => Name() switch
    {
        "source" => Text("route.source", ref _source),
        "destination" => Text("route.destination", ref _destination),
        "group" => Text("route.group", ref _group),
        "operation" => Text("route.operation", ref _operation),
        "resource" => Text("route.resource", ref _resource),
        _ => SkipValue(),
    };

    // The name of a field in lower case; of one that is surely none of ours, nothing.
    private readonly string Name()
    {
        const int longest = 15;
        if (_json.ValueSpan.Length > longest * 6 || !IsSoundText(in _json))
        {
            return "";
        }

        Span<char> name = stackalloc char[longest * 6];
        name = name[.._json.CopyString(name)];
        foreach (var known in (ReadOnlySpan<string>)["msg_id", "parent_msg_id", "timestamp", "resourceversion", "source", "destination", "group", "operation", "resource", "header", "route", "content"])
        {
            if (name.Equals(known, StringComparison.OrdinalIgnoreCase))
            {
                return known;
            }
        }

        return "";
    }

    private bool Text(string field, ref string into)
    {
        _json.Read();
        if (_json.TokenType == JsonTokenType.Null)
        {
            return true;
        }

        if (_json.TokenType != JsonTokenType.String)
        {
            return Fails(EnvelopeFault.BadField, $"{field} is no string");
        }

        if (!IsSoundText(in _json))
        {
            _error = HalfACharacter(_json.TokenStartIndex);
            return false;
        }

        // Six bytes escape one character: what is longer is not even made a text.
        var text = _json.ValueSpan.Length <= 6L * _limits.MaxField ? Known(_json.ValueSpan) ?? _json.GetString()! : null;
        if (text is null || text.Length > _limits.MaxField)
        {
            return Fails(EnvelopeFault.BadField, $"{field} has more than {_limits.MaxField} characters");
        }

        into = text;
        return true;
    }

    private bool OptionalText(string field, ref string? into)
    {
        var text = "";
        if (!Text(field, ref text))
        {
            return false;
        }

        into = text.Length == 0 ? null : text;
        return true;
    }

    private bool Number(string field, ref long into)
    {
        _json.Read();
        return _json.TokenType == JsonTokenType.Null
            || (_json.TokenType == JsonTokenType.Number && _json.TryGetInt64(out into))
            || Fails(EnvelopeFault.BadField, $"{field} is no whole number");
    }

    private bool Content()
    {
        _json.Read();
        var start = (int)_json.TokenStartIndex;
        if (!CheckedToEnd())
        {
            return false;
        }

        _content = start..(int)_json.BytesConsumed;
        return true;
    }

    private bool SkipValue()
    {
        _json.Read();
        _json.Skip();
        return true;
    }

    // The modules behind us ask for strings: one that cannot be had must end here, not there.
    private bool CheckedToEnd()
    {
        var depth = _json.CurrentDepth;
        do
        {
            if (!IsSoundText(in _json))
            {
                _error = HalfACharacter(_json.TokenStartIndex);
                return false;
            }
        }
        while ((_json.CurrentDepth > depth || _json.TokenType is JsonTokenType.StartObject or JsonTokenType.StartArray) && _json.Read());

        return true;
    }

    private bool Fails(EnvelopeFault fault, string reason)
    {
        _error = new EnvelopeError(fault, reason);
        return false;
    }

    // The words of nearly every envelope are not made anew for each.
    private static string? Known(ReadOnlySpan<byte> text) => text switch
    {
        _ when text.SequenceEqual("twin"u8) => "twin",
        _ when text.SequenceEqual("resource"u8) => "resource",
        _ when text.SequenceEqual("update"u8) => Operations.Update,
        _ when text.SequenceEqual("response"u8) => Operations.Response,
        _ when text.SequenceEqual("keepalive"u8) => "keepalive",
        _ when text.SequenceEqual("websocket"u8) => "websocket",
        _ when text.SequenceEqual("node"u8) => "node",
        _ when text.SequenceEqual("devicecontroller"u8) => "devicecontroller",
        _ => null,
    };

    private static bool IsSoundText(ref readonly Utf8JsonReader json) =>
        !json.ValueIsEscaped || json.TokenType is not (JsonTokenType.String or JsonTokenType.PropertyName) || EscapesAreSound(json.ValueSpan);

    // Every \u of the first half of a pair is followed by a \u of its second half, and no second half stands alone.
    private static bool EscapesAreSound(ReadOnlySpan<byte> text)
    {
        for (var at = text.IndexOf((byte)'\\'); at >= 0 && at + 1 < text.Length;)
        {
            var unit = EscapedUnit(text[at..]);
            if (char.IsLowSurrogate(unit) || (char.IsHighSurrogate(unit) && !char.IsLowSurrogate(EscapedUnit(text[(at + 6)..]))))
            {
                return false;
            }

            at += text[at + 1] != 'u' ? 2 : char.IsHighSurrogate(unit) ? 12 : 6;
            var next = text[Math.Min(at, text.Length)..].IndexOf((byte)'\\');
            at = next < 0 ? -1 : at + next;
        }

        return true;
    }

    private static char EscapedUnit(ReadOnlySpan<byte> text) => text.Length >= 6 && text[0] == '\\' && text[1] == 'u'
        && System.Buffers.Text.Utf8Parser.TryParse(text.Slice(2, 4), out ushort unit, out var used, 'x') && used == 4 ? (char)unit : '\0';

    private static EnvelopeError HalfACharacter(long at) => new(EnvelopeFault.BadText, $"a text at byte {at} escapes half a character");

    // A reader stands still in front of what it may not enter: at its deepest level, or behind the bracket that leads to it.
    private static EnvelopeError NotJson(JsonException exception, ref readonly Utf8JsonReader json, int maxDepth) =>
        json.CurrentDepth + (json.TokenType is JsonTokenType.StartObject or JsonTokenType.StartArray ? 1 : 0) >= maxDepth
            ? new(EnvelopeFault.TooDeep, $"nested deeper than {maxDepth}, or broken there")
            : new(EnvelopeFault.NotJson, $"not JSON at line {exception.LineNumber + 1}, byte {exception.BytePositionInLine}");
}
