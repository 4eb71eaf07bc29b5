using EdgeOrleans.Beehive;

namespace EdgeOrleans.Link.Wire;

/// <summary>
/// Messages that end at the socket (reference 1.4): operation <c>config</c>, <c>ping</c> or <c>pong</c> is answered at once by either
/// end's socket and goes no further. KubeEdge sends none by itself; a peer may, to measure the way there and back.
/// </summary>
internal static class ControlMessages
{
    /// <summary>Whether this message ends at the socket.</summary>
    public static bool IsControl(Message message) => message.Route.Operation is "ping" or "pong" or "config";

    /// <summary>The answer: the same source, group and resource, operation <c>response</c>, content <c>"ack"</c>.</summary>
    public static Message Answer(Message message, long timestamp)
    {
        var answer = message.Respond(message.Route.Source, "\"ack\""u8.ToArray(), timestamp);
        return answer with { Header = answer.Header with { ParentId = message.Header.Id.Length == 0 ? null : message.Header.Id } };
    }
}
