using System.Buffers.Text;
using System.Collections.Immutable;
using System.Text;
using System.Text.Json;

namespace EdgeOrleans.Beehive;

/// <summary>The one message that modules exchange: KubeEdge's header, route and content (reference 1.1).</summary>
[GenerateSerializer, Immutable, Alias("beehive.message")]
public sealed record Message
{
    /// <summary>Identity, correlation and time.</summary>
    [Id(0)]
    public required MessageHeader Header { get; init; }

    /// <summary>Who says what to whom about which resource.</summary>
    [Id(1)]
    public MessageRoute Route { get; init; } = MessageRoute.Empty;

    /// <summary>One JSON value as UTF-8 bytes, parsed where it is used; empty means <c>null</c>. Never written to after the message was made.</summary>
    [Id(2)]
    public ReadOnlyMemory<byte> Content { get; init; }

    /// <summary>
    /// How a question ended: 0 well; 400 to 499 refused, the asker is wrong; 500 and above failed, the same question may succeed later.
    /// Ours; on the wire it shows as operation <c>error</c>.
    /// </summary>
    [Id(3)]
    public int Code { get; init; }

    /// <summary>Messages that belong to this one and are handled with it, in their order, as one. Default: none.</summary>
    [Id(4)]
    public ImmutableArray<Message> Parts { get; init; } = [];

    /// <summary>Nobody listens to more than the answer itself: documents and deltas of this question need not be made. Default: false.</summary>
    [Id(5)]
    public bool ResultOnly { get; init; }

    /// <summary>
    /// What the sender wants on disk together with what this message changes, and not without it: something that the receiver's storage
    /// knows how to write. It is good in the process that made it, and neither stored nor sent on. Default: none.
    /// </summary>
    [field: NonSerialized]
    internal object? Alongside { get; init; }

    /// <summary>Whether this answers a question that was refused or failed.</summary>
    public bool IsError => Code >= 400;

    /// <summary>A new message with a new id.</summary>
    /// <param name="source">The logical sender, such as <c>bus</c>, <c>twin</c> or <c>edgehub</c>.</param>
    /// <param name="group">The class of addressee, such as <c>twin</c> or <c>resource</c>.</param>
    /// <param name="operation">The verb: see <see cref="Operations"/>.</param>
    /// <param name="resource">What the verb applies to.</param>
    /// <param name="content">One JSON value as UTF-8 bytes.</param>
    /// <param name="timestamp">Milliseconds since 1970 (UTC).</param>
    public static Message Create(string source, string group, string operation, string resource, ReadOnlyMemory<byte> content, long timestamp) => new()
    {
        Header = new MessageHeader { Id = NewId(), Timestamp = timestamp },
        Route = new MessageRoute { Source = source, Group = group, Operation = operation, Resource = resource },
        Content = content,
    };

    /// <summary>The answer to this message: its parent is this message, its operation <c>response</c>.</summary>
    /// <param name="source">Who answers.</param>
    /// <param name="content">One JSON value as UTF-8 bytes.</param>
    /// <param name="timestamp">Milliseconds since 1970 (UTC).</param>
    public Message Respond(string source, ReadOnlyMemory<byte> content, long timestamp) => new()
    {
        Header = new MessageHeader { Id = NewId(), ParentId = Header.Id, Timestamp = timestamp },
        Route = new MessageRoute { Source = source, Group = Route.Group, Operation = Operations.Response, Resource = Route.Resource },
        Content = content,
    };

    /// <summary>The answer that refuses this message or says that it failed: operation <c>error</c>, the content is the reason as a JSON string.</summary>
    /// <param name="source">Who answers.</param>
    /// <param name="code">See <see cref="Code"/>; at least 400.</param>
    /// <param name="reason">What was wrong and what would be right.</param>
    /// <param name="timestamp">Milliseconds since 1970 (UTC).</param>
    public Message Refuse(string source, int code, string reason, long timestamp) => Respond(source, Text(reason), timestamp) with
    {
        Code = Math.Max(400, code),
        Route = new MessageRoute { Source = source, Group = Route.Group, Operation = Operations.Error, Resource = Route.Resource },
    };

    /// <summary>A text as a JSON string.</summary>
    public static ReadOnlyMemory<byte> Text(string text) => Encoding.UTF8.GetBytes($"\"{JsonEncodedText.Encode(text)}\"");

    /// <summary>The content as text: a JSON string without its quotes, anything else as its JSON.</summary>
    public string ContentAsText()
    {
        if (Content.Length > 1 && Content.Span[0] == '"')
        {
            var reader = new Utf8JsonReader(Content.Span);
            return reader.Read() && reader.TokenType == JsonTokenType.String ? reader.GetString()! : Encoding.UTF8.GetString(Content.Span);
        }

        return Encoding.UTF8.GetString(Content.Span);
    }

    private static string NewId()
    {
        Span<byte> text = stackalloc byte[36];
        Utf8Formatter.TryFormat(Guid.NewGuid(), text, out _);
        return Encoding.ASCII.GetString(text);
    }
}

/// <summary>Identity, correlation and time of a message.</summary>
[GenerateSerializer, Immutable, Alias("beehive.header")]
public sealed record MessageHeader
{
    /// <summary>A UUID, the key of correlation. On the wire <c>msg_id</c>.</summary>
    [Id(0)]
    public required string Id { get; init; }

    /// <summary>The id of the message that this one answers, else null. On the wire <c>parent_msg_id</c>.</summary>
    [Id(1)]
    public string? ParentId { get; init; }

    /// <summary>When it was made, in milliseconds since 1970 (UTC).</summary>
    [Id(2)]
    public long Timestamp { get; init; }

    /// <summary>The Kubernetes resourceVersion of the object in the content; the edge only carries it.</summary>
    [Id(3)]
    public string? ResourceVersion { get; init; }

    /// <summary>Whether the sender waits for the answer. The synchronous calls set it.</summary>
    [Id(4)]
    public bool Sync { get; init; }

    /// <summary>The name of the context that carries the answer; null means <c>channel</c>.</summary>
    [Id(5)]
    public string? Type { get; init; }

    /// <summary>The W3C trace context of the sender (<c>traceparent</c>), so that one trace follows the message.</summary>
    [Id(6)]
    public string? TraceParent { get; init; }
}

/// <summary>Who says what to whom about which resource.</summary>
[GenerateSerializer, Immutable, Alias("beehive.route")]
public sealed record MessageRoute
{
    /// <summary>A route without any part.</summary>
    public static MessageRoute Empty { get; } = new();

    /// <summary>The logical sender; not always a module's name.</summary>
    [Id(0)]
    public string Source { get; init; } = "";

    /// <summary>Only used by sockets.</summary>
    [Id(1)]
    public string Destination { get; init; } = "";

    /// <summary>The class of addressee: <c>resource</c>, <c>twin</c>, <c>user</c> …</summary>
    [Id(2)]
    public string Group { get; init; } = "";

    /// <summary>The verb.</summary>
    [Id(3)]
    public string Operation { get; init; } = "";

    /// <summary>What the verb applies to.</summary>
    [Id(4)]
    public string Resource { get; init; } = "";
}

/// <summary>KubeEdge's operations (reference 1.1).</summary>
public static class Operations
{
    /// <summary>A resource is new.</summary>
    public const string Insert = "insert";

    /// <summary>A resource has changed.</summary>
    public const string Update = "update";

    /// <summary>A resource is gone.</summary>
    public const string Delete = "delete";

    /// <summary>A question for a resource.</summary>
    public const string Query = "query";

    /// <summary>A question for a twin or for the membership.</summary>
    public const string Get = "get";

    /// <summary>Data for the cloud.</summary>
    public const string Upload = "upload";

    /// <summary>An answer.</summary>
    public const string Response = "response";

    /// <summary>An answer that says why not.</summary>
    public const string Error = "error";

    /// <summary>The link to the cloud came up or went down.</summary>
    public const string Connect = "connect";

    /// <summary>To be published to devices.</summary>
    public const string Publish = "publish";

    /// <summary>The cloud wants a topic.</summary>
    public const string Subscribe = "subscribe";

    /// <summary>The cloud does not want a topic any more.</summary>
    public const string Unsubscribe = "unsubscribe";
}
