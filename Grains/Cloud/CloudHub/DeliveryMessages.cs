using System.Buffers;
using System.Globalization;
using System.Text.Json;
using EdgeOrleans.Beehive;

namespace EdgeOrleans.Cloud.CloudHub;

/// <summary>The messages that go down, in KubeEdge's words (kubeedge-cloudlink 4.3 and 5).</summary>
internal static class DeliveryMessages
{
    private const string Source = "devicecontroller";
    private const string ApiVersion = "devices.kubeedge.io/v1beta1";

    /// <summary>Devices came, or are told something; devices went.</summary>
    public static Message Membership(IReadOnlyList<byte[]> added, IReadOnlyList<string> removed, long now) => Twin("membership", now, json =>
    {
        WriteList(json, "added_devices"u8, added);
        if (removed.Count == 0)
        {
            json.WriteNull("removed_devices"u8);
            return;
        }

        json.WriteStartArray("removed_devices"u8);
        foreach (var id in removed)
        {
            WriteBare(json, id);
        }

        json.WriteEndArray();
    });

    /// <summary>These are all devices: the edge removes every other.</summary>
    public static Message List(IReadOnlyList<byte[]> devices, long now) => Twin("membership/detail", now, json =>
    {
        json.WriteStartArray("devices"u8);
        foreach (var device in devices)
        {
            json.WriteRawValue(device, skipInputValidation: true);
        }

        json.WriteEndArray();
    });

    /// <summary>A device's entry in a list whose twins follow: an empty twin changes nothing at the edge.</summary>
    public static byte[] Bare(string id)
    {
        var output = new ArrayBufferWriter<byte>(96);
        using (var json = new Utf8JsonWriter(output))
        {
            WriteBare(json, id);
        }

        return output.WrittenSpan.ToArray();
    }

    /// <summary>We have the question; its answer is a message of its own, since the edge reads nothing of what has a parent (reference 5.6).</summary>
    public static Message Confirm(Message question, long now)
    {
        var answer = question.Respond(Source, Message.Text("OK"), now);
        return answer with { Route = answer.Route with { Group = "twin", Resource = "twin" } };
    }

    /// <summary>Asks whether what was said before has been received; either end's socket answers (reference 1.4).</summary>
    public static Message Ping(long now) => Message.Create("", "", "ping", "/control/ping", Message.Text(""), now);

    /// <summary>An object as it is now.</summary>
    /// <param name="key"><c>device/namespace/name</c> or <c>devicemodel/namespace/name</c>.</param>
    /// <param name="push">The object.</param>
    /// <param name="now">Milliseconds since 1970 (UTC).</param>
    public static Message Object(string key, ObjectPush push, long now)
    {
        var message = Message.Create(Source, "resource", push.IsNew ? Operations.Insert : Operations.Update, ResourceOf(key), push.Json, now);
        return message with { Header = message.Header with { ResourceVersion = push.Version.ToString(CultureInfo.InvariantCulture) } };
    }

    /// <summary>An object that the node should not have any more.</summary>
    public static Message NoObject(string key, long now)
    {
        var (kind, ns, name) = Cut(key);
        var output = new ArrayBufferWriter<byte>(160);
        using (var json = new Utf8JsonWriter(output))
        {
            json.WriteStartObject();
            json.WriteString("apiVersion"u8, ApiVersion);
            json.WriteString("kind"u8, kind == "device" ? "Device" : "DeviceModel");
            json.WriteStartObject("metadata"u8);
            json.WriteString("name"u8, name);
            json.WriteString("namespace"u8, ns);
            json.WriteEndObject();
            json.WriteEndObject();
        }

        return Message.Create(Source, "resource", Operations.Delete, ResourceOf(key), output.WrittenMemory, now);
    }

    /// <summary>The kind and the id of an object's key.</summary>
    public static (string Kind, string Namespace, string Name) Cut(string key)
    {
        var parts = key.Split('/', 3);
        return (parts[0], parts[1], parts[2]);
    }

    private static string ResourceOf(string key)
    {
        var (kind, ns, name) = Cut(key);
        return $"{ns}/{kind}/{name}";
    }

    private static Message Twin(string resource, long now, Action<Utf8JsonWriter> write)
    {
        var output = new ArrayBufferWriter<byte>(1_024);
        using (var json = new Utf8JsonWriter(output))
        {
            json.WriteStartObject();
            json.WriteString("event_id"u8, Guid.NewGuid());
            json.WriteNumber("timestamp"u8, now);
            write(json);
            json.WriteEndObject();
        }

        return Message.Create(Source, "twin", Operations.Update, resource, output.WrittenMemory, now);
    }

    private static void WriteList(Utf8JsonWriter json, ReadOnlySpan<byte> name, IReadOnlyList<byte[]> entries)
    {
        if (entries.Count == 0)
        {
            json.WriteNull(name);
            return;
        }

        json.WriteStartArray(name);
        foreach (var entry in entries)
        {
            json.WriteRawValue(entry, skipInputValidation: true);
        }

        json.WriteEndArray();
    }

    private static void WriteBare(Utf8JsonWriter json, string id)
    {
        json.WriteStartObject();
        json.WriteString("id"u8, id);
        json.WriteString("name"u8, id[(id.IndexOf('/', StringComparison.Ordinal) + 1)..]);
        json.WriteStartObject("twin"u8);
        json.WriteEndObject();
        json.WriteEndObject();
    }
}
