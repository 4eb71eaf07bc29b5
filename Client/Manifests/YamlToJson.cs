using System.Globalization;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.RegularExpressions;
using YamlDotNet.Core;
using YamlDotNet.Core.Events;

namespace EdgeOrleans.Client.Manifests;

/// <summary>Turns one YAML document into JSON by YAML 1.2's core schema: <c>25</c> is a number, <c>"25"</c> and <c>on</c> are texts.</summary>
internal sealed partial class YamlToJson
{
    // An alias costs a few bytes and may stand for a whole tree of others: what it grows to is bounded.
    private const int MaxNodes = 100_000;
    private const int MaxDepth = 100;
    private readonly Dictionary<string, List<ParsingEvent>> _anchors = new(StringComparer.Ordinal);
    private int _nodes;

    private YamlToJson()
    {
    }

    /// <summary>Reads the document that the parser stands at, up to and with its end.</summary>
    /// <returns>The JSON, and where everything in it stands.</returns>
    public static (string Json, Place Place) Convert(IParser parser)
    {
        Place place;
        var bytes = new MemoryStream();
        using (var json = new Utf8JsonWriter(bytes, new JsonWriterOptions { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping }))
        {
            parser.Consume<DocumentStart>();
            var events = Events(parser);
            place = new Place(events.Peek().Start.Line);
            new YamlToJson().Write(json, events, place, 0);
            parser.Consume<DocumentEnd>();
        }

        return (Encoding.UTF8.GetString(bytes.GetBuffer(), 0, (int)bytes.Length), place);
    }

    private static Queue<ParsingEvent> Events(IParser parser)
    {
        var events = new Queue<ParsingEvent>();
        var depth = 0;
        do
        {
            var next = parser.Consume<ParsingEvent>();
            depth += next.NestingIncrease;
            events.Enqueue(next);
            if (depth > MaxDepth)
            {
                throw new YamlException(next.Start, next.End, $"nested deeper than {MaxDepth} levels");
            }
        }
        while (depth > 0);
        return events;
    }

    private void Write(Utf8JsonWriter json, Queue<ParsingEvent> events, Place place, int depth)
    {
        var first = events.Peek();
        if (++_nodes > MaxNodes || depth > MaxDepth)
        {
            throw new YamlException(first.Start, first.End, $"larger than {MaxNodes:N0} values or deeper than {MaxDepth} levels");
        }

        if (first is NodeEvent { Anchor.IsEmpty: false } anchored)
        {
            _anchors[anchored.Anchor.Value] = Node(events);
        }

        switch (events.Dequeue())
        {
            case MappingStart:
                WriteMap(json, events, place, depth);
                break;
            case SequenceStart:
                WriteList(json, events, place, depth);
                break;
            case AnchorAlias alias:
                WriteAlias(json, alias, place, depth);
                break;
            case Scalar scalar:
                WriteScalar(json, scalar);
                break;
        }
    }

    private void WriteMap(Utf8JsonWriter json, Queue<ParsingEvent> events, Place place, int depth)
    {
        var keys = new HashSet<string>(StringComparer.Ordinal);
        json.WriteStartObject();
        while (events.Peek() is not MappingEnd)
        {
            var next = events.Dequeue();
            var key = next as Scalar ?? throw new YamlException(next.Start, next.End, "a key must be a text");
            if (!keys.Add(key.Value))
            {
                throw new YamlException(key.Start, key.End, $"'{key.Value}' is there twice");
            }

            json.WritePropertyName(key.Value);
            Write(json, events, place.Add(key.Value, key.Start.Line), depth + 1);
        }

        events.Dequeue();
        json.WriteEndObject();
    }

    private void WriteList(Utf8JsonWriter json, Queue<ParsingEvent> events, Place place, int depth)
    {
        json.WriteStartArray();
        for (var i = 0; events.Peek() is not SequenceEnd; i++)
        {
            Write(json, events, place.Add(string.Create(CultureInfo.InvariantCulture, $"[{i}]"), events.Peek().Start.Line), depth + 1);
        }

        events.Dequeue();
        json.WriteEndArray();
    }

    private void WriteAlias(Utf8JsonWriter json, AnchorAlias alias, Place place, int depth)
    {
        if (!_anchors.TryGetValue(alias.Value.Value, out var events))
        {
            throw new YamlException(alias.Start, alias.End, $"there is no anchor '&{alias.Value}' above");
        }

        Write(json, new Queue<ParsingEvent>(events), place, depth + 1);
    }

    private static void WriteScalar(Utf8JsonWriter json, Scalar scalar)
    {
        var text = scalar.Value;
        var isText = scalar.Style is not ScalarStyle.Plain || scalar.Tag == "tag:yaml.org,2002:str";
        switch (text)
        {
            case var _ when isText:
                json.WriteStringValue(text);
                break;
            case "" or "~" or "null" or "Null" or "NULL":
                json.WriteNullValue();
                break;
            case "true" or "True" or "TRUE":
                json.WriteBooleanValue(true);
                break;
            case "false" or "False" or "FALSE":
                json.WriteBooleanValue(false);
                break;
            case var _ when JsonNumber().IsMatch(text):
                json.WriteRawValue(text);
                break;
            case var _ when Number().IsMatch(text) && double.Parse(text, CultureInfo.InvariantCulture) is var number && double.IsFinite(number):
                json.WriteNumberValue(number);
                break;
            default:
                json.WriteStringValue(text);
                break;
        }
    }

    // The events of the node that stands first, for an alias that comes later. Anchors inside it were not seen yet, and are when it is read.
    private static List<ParsingEvent> Node(Queue<ParsingEvent> events)
    {
        var node = new List<ParsingEvent>();
        var depth = 0;
        foreach (var next in events)
        {
            node.Add(next);
            depth += next.NestingIncrease;
            if (depth == 0)
            {
                break;
            }
        }

        return node;
    }

    [GeneratedRegex(@"^-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][-+]?[0-9]+)?\z")]
    private static partial Regex JsonNumber();

    [GeneratedRegex(@"^[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?\z")]
    private static partial Regex Number();
}
