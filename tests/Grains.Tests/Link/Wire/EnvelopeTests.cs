using System.Text;
using System.Text.Json;
using EdgeOrleans.Beehive;

namespace EdgeOrleans.Link.Wire;

public sealed class EnvelopeTests
{
    public static TheoryData<string> Captured => [.. Captures.All];

    [Theory]
    [MemberData(nameof(Captured))]
    public void What_a_stock_peer_wrote_is_written_again_byte_for_byte(string capture) =>
        Assert.Equal(capture, Envelopes.Write(Envelopes.Read(capture)));

    [Fact]
    public void Every_field_arrives_where_it_belongs()
    {
        var message = Envelopes.Read("""
            {"header":{"msg_id":"m","parent_msg_id":"p","timestamp":42,"resourceversion":"102","sync":true,"type":"channel"},
             "route":{"source":"s","destination":"d","group":"g","operation":"o","resource":"r"},"content":[1, {"a":null}]}
            """);

        Assert.Equal(new MessageHeader { Id = "m", ParentId = "p", Timestamp = 42, ResourceVersion = "102" }, message.Header);
        Assert.Equal(new MessageRoute { Source = "s", Destination = "d", Group = "g", Operation = "o", Resource = "r" }, message.Route);
        Assert.Equal("""[1, {"a":null}]""", Envelopes.Content(message));
        Assert.Equal(0, message.Code);
    }

    [Fact]
    public void What_belongs_to_one_process_does_not_travel()
    {
        var message = Envelopes.Of("s", "g", "o", "r");
        message = message with { Header = message.Header with { Sync = true, Type = "channel", TraceParent = "00-1-1-01" }, ResultOnly = true };

        Assert.Equal($$"""{"header":{"msg_id":"{{message.Header.Id}}","timestamp":1},"route":{"source":"s","group":"g","operation":"o","resource":"r"},"content":"x"}""", Envelopes.Write(message));
        Assert.False(Envelopes.Read("""{"header":{"msg_id":"m","sync":true,"type":"channel"}}""").Header is { Sync: true } or { Type: not null });
    }

    [Fact]
    public void The_route_and_the_content_are_written_when_there_are_none() =>
        Assert.Equal("""{"header":{"msg_id":"m","timestamp":0},"route":{},"content":null}""", Envelopes.Write(new Message { Header = new MessageHeader { Id = "m" } }));

    [Fact]
    public void The_empty_envelope_of_a_stopping_edge_is_told_from_all_others()
    {
        Assert.True(Envelope.IsEmpty(Envelopes.Read(Captures.Goodbye)));
        Assert.True(Envelope.IsEmpty(Envelopes.Read("{}")));
        Assert.DoesNotContain(Captures.All.Where(c => c != Captures.Goodbye), c => Envelope.IsEmpty(Envelopes.Read(c)));
    }

    [Fact]
    public void A_refusal_shows_as_operation_error_and_comes_back_as_one()
    {
        var refusal = Envelopes.Of("s", "g", "update", "r").Refuse("metamanager", 404, "no such thing", 7);

        var again = Envelopes.Read(Envelopes.Write(refusal));

        Assert.Equal(Operations.Error, again.Route.Operation);
        Assert.Equal(refusal.Header.ParentId, again.Header.ParentId);
        Assert.Equal("no such thing", again.ContentAsText());
        Assert.True(again.IsError);
        Assert.Equal(Operations.Error, Envelopes.Read(Envelopes.Write(Envelopes.Of("s", "g", "response", "r") with { Code = 500 })).Route.Operation);
    }

    [Theory]
    [InlineData("""{"Header":{"MSG_ID":"m","TimeStamp":7},"ROUTE":{"Source":"s"},"Content":1}""")]
    [InlineData("""{"h\u0065ader":{"msg\u005Fid":"m","timestamp":7},"route":{"source":"s"},"content":1}""")]
    [InlineData("""{"future":{"a":[1,2,{"b":"\ud800"}]},"header":{"x":{},"msg_id":"m","timestamp":7},"route":{"source":"s","y":[]},"content":1}""")]
    [InlineData("""{"header":null,"header":{"msg_id":"old","timestamp":1},"header":{"msg_id":"m","timestamp":7,"parent_msg_id":null},"route":{"source":"s"},"content":0,"content":1}""")]
    [InlineData("\r\n {\"header\":{\"msg_id\":\"m\",\"timestamp\":7,\"parent_msg_id\":\"\"},\"route\":{\"source\":\"s\"},\"content\":1}\n")]
    public void Reading_is_as_tolerant_as_a_stock_peer(string json)
    {
        var message = Envelopes.Read(json);

        Assert.Equal(("m", null, 7L, "s", "1"), (message.Header.Id, message.Header.ParentId, message.Header.Timestamp, message.Route.Source, Envelopes.Content(message)));
    }

    [Fact]
    public void Bytes_that_are_no_text_are_read_as_the_replacement_character()
    {
        byte[] frame = [.. """{"header":{"msg_id":"m"},"content":"a"""u8, 0xff, .. "b\"}"u8];

        var (message, _) = Envelope.Read(frame, EnvelopeLimits.Default);

        Assert.Equal("a\ufffdb", message!.ContentAsText());
    }

    [Theory]
    [InlineData("", nameof(EnvelopeFault.Empty))]
    [InlineData("   ", nameof(EnvelopeFault.NotJson))]
    [InlineData("ping", nameof(EnvelopeFault.NotJson))]
    [InlineData("{\"header\":", nameof(EnvelopeFault.NotJson))]
    [InlineData("\ufeff{}", nameof(EnvelopeFault.NotJson))]
    [InlineData("[]", nameof(EnvelopeFault.NotAnObject))]
    [InlineData("null", nameof(EnvelopeFault.NotAnObject))]
    [InlineData("\"ping\"", nameof(EnvelopeFault.NotAnObject))]
    [InlineData("{}{}", nameof(EnvelopeFault.TrailingData))]
    [InlineData("{} x", nameof(EnvelopeFault.TrailingData))]
    [InlineData("""{"header":[]}""", nameof(EnvelopeFault.BadField))]
    [InlineData("""{"route":"twin"}""", nameof(EnvelopeFault.BadField))]
    [InlineData("""{"header":{"msg_id":1}}""", nameof(EnvelopeFault.BadField))]
    [InlineData("""{"header":{"timestamp":"1"}}""", nameof(EnvelopeFault.BadField))]
    [InlineData("""{"header":{"timestamp":1.5}}""", nameof(EnvelopeFault.BadField))]
    [InlineData("""{"header":{"timestamp":99999999999999999999}}""", nameof(EnvelopeFault.BadField))]
    [InlineData("""{"route":{"resource":{}}}""", nameof(EnvelopeFault.BadField))]
    [InlineData("""{"route":{"resource":"\udc00"}}""", nameof(EnvelopeFault.BadText))]
    [InlineData("""{"content":{"a":["\ud83d!"]}}""", nameof(EnvelopeFault.BadText))]
    [InlineData("""{"content":{"\ud83d\\ude00":1}}""", nameof(EnvelopeFault.BadText))]
    [InlineData("""{"content":{"a":1}""", nameof(EnvelopeFault.NotJson))]
    public void A_frame_that_is_no_envelope_is_refused_with_a_reason(string frame, string fault)
    {
        var error = Envelopes.Refused(frame);

        Assert.Equal(fault, error.Fault.ToString());
        Assert.NotEmpty(error.Reason);
    }

    [Theory]
    [InlineData("""{"content":"\ud83d\ude00 \\ud800 \u0041\\"}""", "\U0001F600 \\ud800 A\\")]
    [InlineData("""{"content":"\uD83D\uDE00\uD83D\uDE00"}""", "\U0001F600\U0001F600")]
    public void A_whole_character_may_be_escaped(string json, string text) => Assert.Equal(text, Envelopes.Read(json).ContentAsText());

    [Fact]
    public void A_frame_is_bounded_in_bytes_depth_and_fields()
    {
        var limits = EnvelopeLimits.Default with { MaxBytes = 1000, MaxField = 10 };

        Assert.Equal(EnvelopeFault.TooLarge, Envelopes.Refused($$"""{"content":"{{new string('x', 1000)}}"}""", limits).Fault);
        Assert.Equal(EnvelopeFault.TooDeep, Envelopes.Refused($$"""{"content":{{Nested(64)}}}""").Fault);
        Assert.Equal(Nested(63), Envelopes.Content(Envelopes.Read($$"""{"content":{{Nested(63)}}}""")));
        Assert.Equal(EnvelopeFault.BadField, Envelopes.Refused("""{"route":{"resource":"01234567890"}}""", limits).Fault);
        Assert.Equal(EnvelopeFault.BadField, Envelopes.Refused("{\"route\":{\"resource\":\"" + new string('x', 100) + "\"}}", limits).Fault);
    }

    [Fact]
    public void What_this_end_would_not_read_it_does_not_write()
    {
        var limits = EnvelopeLimits.Default with { MaxBytes = 200, MaxField = 60 };

        Assert.Equal(EnvelopeFault.TooLarge, Unwritable(Envelopes.Of("s", "g", "o", "r", content: $"\"{new string('x', 150)}\""), limits));
        Assert.Equal(EnvelopeFault.TooLarge, Unwritable(Envelopes.Of("s", "g", "o", "r", content: $"\"{new string('x', 1500)}\""), limits));
        Assert.Equal(EnvelopeFault.BadField, Unwritable(Envelopes.Of("s", "g", "o", new string('r', 61)), limits));
        Assert.Equal(EnvelopeFault.TooDeep, Unwritable(Envelopes.Of("s", "g", "o", "r", content: Nested(64)), EnvelopeLimits.Default));
        Assert.Equal(EnvelopeFault.NotJson, Unwritable(Envelopes.Of("s", "g", "o", "r", content: "{\"a\":1"), limits));
        Assert.Equal(EnvelopeFault.NotJson, Unwritable(Envelopes.Of("s", "g", "o", "r", content: "1},\"route\":{"), limits));
        Assert.Throws<ArgumentException>(() => Envelopes.Write(Envelopes.Of("s", "g", "o", "r") with { Parts = [Envelopes.Of("s", "g", "o", "r")] }));
    }

    [Fact]
    public void Content_at_the_limit_of_depth_goes_both_ways() =>
        Assert.Equal(Nested(63), Envelopes.Content(Envelopes.Read(Envelopes.Write(Envelopes.Of("s", "g", "o", "r", content: Nested(63))))));

    [Theory]
    [InlineData("pump ü \U0001F600 <&> \"quoted\" \\ \u2028 \u0001")]
    [InlineData("half a character: \ud83d")]
    public void A_text_comes_back_as_it_was_or_readable(string text)
    {
        var message = Envelopes.Read(Envelopes.Write(Envelopes.Of("s", "g", "o", text) with { Content = Message.Text(text) }));

        var expected = text.Replace("\ud83d\0", "", StringComparison.Ordinal);
        Assert.Equal(text[^1] == '\ud83d' ? expected[..^1] + '\ufffd' : expected, message.Route.Resource);
        Assert.Equal(message.Route.Resource, message.ContentAsText());
    }

    [Fact]
    public void A_message_keeps_nothing_of_the_frame()
    {
        var frame = Encoding.UTF8.GetBytes(Captures.TwinReport);
        var (message, _) = Envelope.Read(frame, EnvelopeLimits.Default);
        var before = Envelopes.Content(message!);

        Array.Clear(frame);

        Assert.Equal(before, Envelopes.Content(message!));
    }

    [Fact]
    public void Bytes_travel_as_base64_that_nothing_marks()
    {
        byte[] bytes = [0, 255, 10, 34, 92];
        var message = Envelopes.Of("servicebus", "user", "upload", "u") with { Content = EnvelopeContent.OfBytes(bytes) };

        Assert.Contains("\"content\":\"AP8KIlw=\"", Envelopes.Write(message), StringComparison.Ordinal);
        Assert.Equal(bytes, EnvelopeContent.Bytes(Envelopes.Read(Envelopes.Write(message))));
        Assert.Equal("""{"method":"POST","targetURL":"http://cloud.example/api","payload":{"k":"v"}}""", Encoding.UTF8.GetString(EnvelopeContent.Bytes(Envelopes.Read(Captures.ServiceCall))!));
        Assert.Null(EnvelopeContent.Bytes(Envelopes.Read(Captures.Upload)));
        Assert.Null(EnvelopeContent.Bytes(Envelopes.Read(Captures.TwinReport)));
    }

    [Theory]
    [InlineData("""{"a":1}""", """{"a":1}""")]
    [InlineData("[1]", "[1]")]
    [InlineData(""" "{\"a\":1}" """, """{"a":1}""")]
    [InlineData(""" " [1]" """, " [1]")]
    [InlineData(""" "{\"a\":" """, null)]
    [InlineData(""" "ping" """, null)]
    [InlineData(""" "" """, null)]
    [InlineData(""" "1" """, null)]
    [InlineData("1", null)]
    [InlineData("null", null)]
    public void A_document_may_be_an_object_or_a_text_that_holds_one(string content, string? document)
    {
        var found = EnvelopeContent.Document(Envelopes.Read($$"""{"content":{{content}}}"""), EnvelopeLimits.Default);

        Assert.Equal(document, found is { } bytes ? Encoding.UTF8.GetString(bytes.Span) : null);
    }

    [Fact]
    public void Random_bytes_are_a_message_or_a_reason_and_never_an_exception()
    {
        var random = new Random(4711);
        var seeds = Captures.All.Select(Encoding.UTF8.GetBytes).ToArray();
        for (var round = 0; round < 20_000; round++)
        {
            var frame = (byte[])seeds[random.Next(seeds.Length)].Clone();
            for (var change = random.Next(1, 6); change > 0; change--)
            {
                frame = random.Next(4) switch
                {
                    0 => frame[..random.Next(frame.Length + 1)],
                    1 when frame.Length > 0 => Replaced(frame, random.Next(frame.Length), (byte)random.Next(256)),
                    2 when frame.Length > 0 => Replaced(frame, random.Next(frame.Length), "{}[]\",:\\u0d8n"u8[random.Next(13)]),
                    _ => [.. frame[..(frame.Length / 2)], .. frame[(frame.Length / 3)..]],
                };
            }

            AssertIsMessageOrReason(frame);
        }

        for (var round = 0; round < 2_000; round++)
        {
            var frame = new byte[random.Next(200)];
            random.NextBytes(frame);
            AssertIsMessageOrReason(frame);
        }
    }

    // What was read can be read again by everybody behind: every string of it, and the frame that it makes.
    private static void AssertIsMessageOrReason(byte[] frame)
    {
        var (message, error) = Envelope.Read(frame, EnvelopeLimits.Default);
        Assert.True(message is null != error is null);
        if (message is null)
        {
            return;
        }

        if (!message.Content.IsEmpty)
        {
            using var document = JsonDocument.Parse(message.Content);
            AssertStringsCanBeRead(document.RootElement);
        }

        Assert.Equal(Envelopes.Write(message), Envelopes.Write(Envelopes.Read(Envelopes.Write(message))));
        Assert.NotNull(Uplink.Classify(message));
        Assert.NotNull(Downlink.Route(message));
    }

    private static void AssertStringsCanBeRead(JsonElement element)
    {
        switch (element.ValueKind)
        {
            case JsonValueKind.String:
                Assert.NotNull(element.GetString());
                break;
            case JsonValueKind.Object:
                foreach (var property in element.EnumerateObject())
                {
                    Assert.NotNull(property.Name);
                    AssertStringsCanBeRead(property.Value);
                }

                break;
            case JsonValueKind.Array:
                foreach (var item in element.EnumerateArray())
                {
                    AssertStringsCanBeRead(item);
                }

                break;
        }
    }

    private static byte[] Replaced(byte[] frame, int at, byte with)
    {
        frame[at] = with;
        return frame;
    }

    private static EnvelopeFault Unwritable(Message message, EnvelopeLimits limits) =>
        Assert.Throws<EnvelopeException>(() => Envelope.Write(message, limits)).Error.Fault;

    private static string Nested(int depth) => new string('[', depth) + new string(']', depth);
}
