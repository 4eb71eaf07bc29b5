using System.Text;

namespace EdgeOrleans.EndToEnd;

/// <summary>What comes in from outside is not trusted: nothing of it stops the node, or keeps the next request from its answer.</summary>
public sealed class BadInputTests(RunningNode running) : IClassFixture<RunningNode>
{
    private const string Update = "$hw/events/device/default/bad-1/twin/update";
    private readonly NodeProcess _node = running.Node;

    public static TheoryData<string, byte[]> Payloads() => new()
    {
        { "nothing", [] },
        { "truncated JSON", "{\"event_id\":\"x\",\"twin\":{\"a\":{\"actual\":{\"val"u8.ToArray() },
        { "null", "null"u8.ToArray() },
        { "a number", "1"u8.ToArray() },
        { "an array", "[]"u8.ToArray() },
        { "a text", "\"x\""u8.ToArray() },
        { "deep nesting of arrays", Filled((byte)'[', 100_000) },
        { "deep nesting of objects", Repeated("{\"a\":", 100_000) },
        { "deep nesting in the twin", Repeated("{\"twin\":", 5_000) },
        { "a huge number", "{\"timestamp\":1e999,\"twin\":{\"a\":{\"actual\":{\"value\":\"1\"}}}}"u8.ToArray() },
        { "a number of 10,000 digits", Encoding.UTF8.GetBytes($"{{\"timestamp\":{new string('9', 10_000)},\"twin\":{{}}}}") },
        { "invalid UTF-8", [.. "{\"event_id\":\""u8, 0xff, 0xfe, 0xc0, 0x80, .. "\",\"twin\":{}}"u8] },
        { "invalid UTF-8 alone", [0xff, 0xfe, 0x00, 0x80] },
        { "half a surrogate", "{\"event_id\":\"\\ud800\",\"twin\":{\"a\":{\"actual\":{\"value\":\"\\udc00\"}}}}"u8.ToArray() },
        { "a byte order mark", [0xef, 0xbb, 0xbf, .. "{\"twin\":{}}"u8] },
        { "zero bytes", new byte[1000] },
        { "a zero in a value", "{\"twin\":{\"a\":{\"actual\":{\"value\":\"\\u0000\"}}}}"u8.ToArray() },
        { "a value of the wrong kind", "{\"twin\":{\"a\":{\"actual\":{\"value\":{\"x\":1}}}}}"u8.ToArray() },
        { "a twin of the wrong kind", "{\"twin\":7}"u8.ToArray() },
        { "a property of the wrong kind", "{\"twin\":{\"a\":[1,2]}}"u8.ToArray() },
        { "metadata of the wrong kind", "{\"twin\":{\"a\":{\"metadata\":\"int\",\"actual\":{\"value\":\"1\"}}}}"u8.ToArray() },
        { "a null property", "{\"twin\":{\"never-seen\":null}}"u8.ToArray() },
        { "the same property twice", "{\"twin\":{\"a\":{\"actual\":{\"value\":\"1\"}},\"a\":null}}"u8.ToArray() },
        { "an empty name", "{\"twin\":{\"\":{\"actual\":{\"value\":\"1\"}}}}"u8.ToArray() },
        { "a name of 100,000 letters", Encoding.UTF8.GetBytes($"{{\"twin\":{{\"{new string('n', 100_000)}\":{{\"actual\":{{\"value\":\"1\"}}}}}}}}") },
        { "a value of 500,000 letters", Encoding.UTF8.GetBytes(TwinJson.Report("x", ("a", new string('v', 500_000)))) },
        { "10,000 properties", Encoding.UTF8.GetBytes(TwinJson.Report("x", [.. Enumerable.Range(0, 10_000).Select(i => ($"p{i}", "1"))])) },
        { "more after the document", "{\"twin\":{}}{\"twin\":{}}"u8.ToArray() },
    };

    public static TheoryData<string> Topics() =>
    [
        "",
        "/",
        "$hw/events/device/+/twin/update",
        "$hw/events/device/#",
        "$hw/events/device//twin/update",
        "$hw/events/device///twin/update",
        "$hw/events/device/a/b/c/d/twin/update",
        "$hw/events/device/../../etc/passwd/twin/update",
        "$hw/events/device/default/NOT A NAME/twin/update",
        "$hw/events/device/default/a\0b/twin/update",
        "$hw/events/device/default/bad-1/twin/unheard-of",
        "$hw/events/device/default/bad-1/twin/update/result",
        "$hw/events/device/default/bad-1/twin/update/delta",
        "$hw/events/device/default/bad-1/twin/cloud_updated",
        "$hw/events/device/default/bad-1/state/update",
        "$hw/events/node//membership/get",
        "$SYS/broker/uptime",
        "$hw",
        new string('t', 60_000),
        "$hw/events/device/default/" + new string('d', 1_000) + "/twin/update",
    ];

    public static TheoryData<string, byte[]> Bytes() => new()
    {
        { "garbage instead of CONNECT", [0xde, 0xad, 0xbe, 0xef, 0xde, 0xad, 0xbe, 0xef] },
        { "an HTTP request", "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"u8.ToArray() },
        { "a TLS hello", [0x16, 0x03, 0x01, 0x02, 0x00, 0x01, 0x00, 0x01, 0xfc, 0x03, 0x03] },
        { "256 MB announced instead of CONNECT", [0x10, 0xff, 0xff, 0xff, 0x7f, 0, 4] },
        { "a length that never ends", [0x10, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff] },
        { "a protocol that does not exist", MqttPacket.Whole(0x10, [0, 4, .. "MQTT"u8, 99, 2, 0, 0, 0, 1, (byte)'x']) },
        { "PUBLISH before CONNECT", MqttPacket.Message(Update, "{}") },
        { "a second CONNECT", [.. MqttPacket.Connect("twice"), .. MqttPacket.Connect("twice")] },
        { "256 MB announced after CONNECT", [.. MqttPacket.Connect("large"), 0x30, 0xff, 0xff, 0xff, 0x7f, 0, 4] },
        { "QoS 3", [.. MqttPacket.Connect("qos3"), .. MqttPacket.Message(Update, "{}", qos: 3, id: 1)] },
        { "a packet of no known type", [.. MqttPacket.Connect("type"), 0xf1, 3, 1, 2, 3] },
        { "a topic longer than its packet", [.. MqttPacket.Connect("short"), 0x30, 4, 0xff, 0xff, (byte)'a', (byte)'b'] },
        { "a topic of invalid UTF-8", [.. MqttPacket.Connect("utf8"), .. MqttPacket.Message([0xff, 0xc0, 0x80], "{}"u8)] },
        { "SUBSCRIBE to nothing", [.. MqttPacket.Connect("sub"), .. MqttPacket.Whole(0x82, [0, 1])] },
        { "a subscription that is no filter", [.. MqttPacket.Connect("filter"), .. MqttPacket.Subscribe(1, "a/#/b", 0)] },
    };

    [Theory]
    [MemberData(nameof(Payloads))]
    public async Task A_bad_payload_stops_nothing(string what, byte[] payload)
    {
        using var client = await MqttSocket.ConnectAsync(_node.MqttPort, "bad");

        foreach (var topic in (string[])[Update, Update.Replace("update", "get", StringComparison.Ordinal), "$hw/events/device/default/bad-1/state/update", "$hw/events/node/x/membership/get", "plant/free"])
        {
            await client.SendAsync(MqttPacket.Message(Encoding.UTF8.GetBytes(topic), payload));
        }

        await AssertAnswersAsync(what);
    }

    [Theory]
    [MemberData(nameof(Topics))]
    public async Task A_bad_topic_stops_nothing(string topic)
    {
        using var client = await MqttSocket.ConnectAsync(_node.MqttPort, "topics");

        await client.SendAsync(MqttPacket.Message(topic, TwinJson.Report("x", ("a", "1"))));

        await AssertAnswersAsync(topic);
    }

    [Theory]
    [MemberData(nameof(Bytes))]
    public async Task Bytes_that_are_no_MQTT_end_their_own_connection_and_stop_nothing_else(string what, byte[] bytes)
    {
        using var client = await MqttSocket.OpenAsync(_node.MqttPort);

        await client.SendAsync(bytes);

        await AssertAnswersAsync(what);
    }

    [Fact]
    public async Task A_packet_that_is_too_large_ends_its_connection_before_it_is_sent()
    {
        using var client = await MqttSocket.ConnectAsync(_node.MqttPort, "giant");

        await client.SendAsync(new byte[] { 0x30, 0xff, 0xff, 0xff, 0x7f, 0, 4 });

        await client.EndAsync();
        await AssertAnswersAsync("256 MB");
    }

    [Fact]
    public async Task A_bad_request_on_a_devices_topic_is_answered_there_with_its_reason()
    {
        await using var client = await MqttProbe.ConnectAsync(_node.MqttPort);

        var answer = await client.ReportAsync("default/bad-1", ("a", "not allowed in a value"));

        Assert.Equal(400, answer.Code);
        Assert.NotEmpty((string?)answer.Json["reason"] ?? "");
    }

    private static byte[] Filled(byte with, int times)
    {
        var bytes = new byte[times];
        Array.Fill(bytes, with);
        return bytes;
    }

    private static byte[] Repeated(string text, int times) => Encoding.UTF8.GetBytes(string.Concat(Enumerable.Repeat(text, times)));

    // The same device and another one: neither the node nor the twin that was addressed may hang.
    private async Task AssertAnswersAsync(string what)
    {
        Assert.False(_node.HasExited, $"the node ended after {what}\n{_node.Output.Text}");
        await using var client = await MqttProbe.ConnectAsync(_node.MqttPort);
        var value = Guid.NewGuid().ToString("N");
        foreach (var device in (string[])["default/bad-1", "default/good-1"])
        {
            Assert.Equal(0, (await client.ReportAsync(device, ("good", value))).Code);
            Assert.Equal(value, (await client.GetAsync(device)).Actual("good"));
        }
    }
}
