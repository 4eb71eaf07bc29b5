using System.Text;
using System.Text.Json;
using EdgeOrleans.Beehive;
using EdgeOrleans.DbManager;
using EdgeOrleans.Link.Wire;
using EdgeOrleans.Modules;
using EdgeOrleans.Settings;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace EdgeOrleans.Edge.EventBus;

/// <summary>What the cloud's router and user modules ask of the bus (reference 4.4): to publish, and to send up what is published to a topic.</summary>
internal sealed partial class CloudOrders(
    HubTopics topics, Publisher publisher, Refusals refusals, IOptions<NodeOptions> node, ILogger<CloudOrders> logger)
{
    private const int LongestTopic = 65_535;
    private readonly ILogger _logger = logger;

    /// <summary>Does what a message asks; what cannot be done is counted and logged.</summary>
    /// <returns>Why it was not done; null when it was.</returns>
    public async Task<string?> DoAsync(Message message)
    {
        var route = message.Route;
        if (route.Operation is Operations.Connect or Operations.Response or Operations.Error)
        {
            // It is said to all, or late: nobody asks for anything.
            LogNothing(Shorten(route.Operation), Shorten(route.Resource), Shorten(route.Source));
            return null;
        }

        var refused = route.Operation switch
        {
            Operations.Publish => await PublishAsync(route.Resource, TextOf(message.Content)),
            Operations.Subscribe => await KeptAsync(() => topics.AddAsync(route.Resource)),
            Operations.Unsubscribe => await KeptAsync(() => topics.RemoveAsync(route.Resource)),
            "message" => await PublishInnerAsync(message.Content),
            "get_result" when route.Resource == "auth_info" =>
                await PublishAsync($"$hw/events/node/{node.Value.Name}/authInfo/get/result", message.Content.IsEmpty ? (ReadOnlyMemory<byte>?)null : message.Content),
            _ => "the bus has no such operation; it has publish, subscribe, unsubscribe and message",
        };
        if (refused is not null)
        {
            refusals.Count("mqtt.order-refused");
            LogRefused(Shorten(route.Operation), Shorten(route.Resource), Shorten(route.Source), refused);
        }

        return refused;
    }

    private async Task<string?> PublishAsync(string topic, ReadOnlyMemory<byte>? payload)
    {
        if (!MqttRules.IsTopic(topic) || Encoding.UTF8.GetByteCount(topic) > LongestTopic)
        {
            return "its resource is no topic: it must be text without '+' and '#'";
        }

        if (payload is not { } text)
        {
            return "its content is no text";
        }

        return publisher.PublishTopic(topic, text) is not { } storing || await storing ? null : "it could not be kept for those who are away";
    }

    // KubeEdge publishes the whole inner object, its topic included.
    private async Task<string?> PublishInnerAsync(ReadOnlyMemory<byte> content)
    {
        try
        {
            using var document = JsonDocument.Parse(content);
            if (document.RootElement is { ValueKind: JsonValueKind.Object } outer
                && outer.TryGetProperty("message", out var inner)
                && inner.ValueKind == JsonValueKind.Object
                && inner.TryGetProperty("topic", out var topic)
                && topic.ValueKind == JsonValueKind.String)
            {
                return await PublishAsync(topic.GetString()!, Encoding.UTF8.GetBytes(inner.GetRawText()));
            }
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            // It is no JSON, or its text is none.
        }

        return "its content must be an object with an object \"message\" that has a \"topic\"";
    }

    private static ReadOnlyMemory<byte>? TextOf(ReadOnlyMemory<byte> content)
    {
        try
        {
            var reader = new Utf8JsonReader(content.Span);
            return reader.Read() && reader.TokenType == JsonTokenType.String ? Encoding.UTF8.GetBytes(reader.GetString()!) : (ReadOnlyMemory<byte>?)null;
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            return null;
        }
    }

    private static async Task<string?> KeptAsync(Func<Task<string?>> change)
    {
        try
        {
            return await change();
        }
        catch (Exception e) when (e is DatabaseFailedException or SqlException)
        {
            return $"it could not be kept: {e.Message}";
        }
    }

    private static string Shorten(string text) => Uplink.Shorten(text);

    [LoggerMessage(LogLevel.Debug, "Nothing to do for {Operation} of '{Resource}' from {Source}")]
    private partial void LogNothing(string operation, string resource, string source);

    [LoggerMessage(LogLevel.Warning, "{Operation} of '{Resource}' from {Source} was not done: {Reason}")]
    private partial void LogRefused(string operation, string resource, string source, string reason);
}
