using System.Text;
using EdgeOrleans.Beehive;

namespace EdgeOrleans.Link.Wire;

/// <summary>Envelopes for tests.</summary>
internal static class Envelopes
{
    public static Message Read(string json)
    {
        var (message, error) = Envelope.Read(Encoding.UTF8.GetBytes(json), EnvelopeLimits.Default);
        Assert.Null(error);
        return message!;
    }

    public static EnvelopeError Refused(string json, EnvelopeLimits? limits = null) => Refused(Encoding.UTF8.GetBytes(json), limits);

    public static EnvelopeError Refused(byte[] frame, EnvelopeLimits? limits = null)
    {
        var (message, error) = Envelope.Read(frame, limits ?? EnvelopeLimits.Default);
        Assert.Null(message);
        return error!;
    }

    public static string Write(Message message) => Encoding.UTF8.GetString(Envelope.Write(message, EnvelopeLimits.Default).Span);

    public static Message Of(string source, string group, string operation, string resource, string? parent = null, string content = "\"x\"")
    {
        var message = Message.Create(source, group, operation, resource, Encoding.UTF8.GetBytes(content), 1);
        return message with { Header = message.Header with { ParentId = parent } };
    }

    public static string Content(Message message) => Encoding.UTF8.GetString(message.Content.Span);
}
