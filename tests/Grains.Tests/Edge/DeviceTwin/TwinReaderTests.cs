using System.Text;
using System.Text.Json;

namespace EdgeOrleans.Edge.DeviceTwin;

public sealed class TwinReaderTests
{
    [Fact]
    public void Names_of_fields_are_read_in_any_case_and_the_last_of_equal_ones_counts()
    {
        var request = Read("""{"Event_ID":"a","EVENT_id":"b","tWin":{"x":{"actual":{"value":"1"}},"x":{"Actual":{"Value":"2"}}},"other":[{"deep":[1]}]}""");

        Assert.Equal("b", request.EventId);
        Assert.Equal("2", Assert.Single(request.Entries!).Actual.Value);
    }

    [Fact]
    public void Entries_come_in_the_order_of_their_names() =>
        Assert.Equal(["A", "a", "b"], Read("""{"twin":{"b":{},"a":{},"A":null}}""").Entries!.Select(e => e.Name));

    [Theory]
    [InlineData("null"), InlineData("{}"), InlineData(" {\"twin\":null} ")]
    public void Nothing_is_a_document_too(string json) => Assert.Null(Read(json).Entries);

    [Theory]
    [InlineData(""), InlineData("[]"), InlineData("5"), InlineData("{} x"), InlineData("{}{}"), InlineData("{bad"), InlineData("{\"event_id\":1}")]
    [InlineData("{\"timestamp\":1.5}"), InlineData("{\"timestamp\":1e3}"), InlineData("{\"timestamp\":\"1\"}"), InlineData("{\"timestamp\":9223372036854775808}")]
    [InlineData("{\"twin\":[]}"), InlineData("{\"twin\":{\"a\":5}}"), InlineData("{\"twin\":{\"a\":{\"actual\":\"1\"}}}"), InlineData("{\"twin\":{\"a\":{\"optional\":1}}}")]
    [InlineData("{\"twin\":{\"a\":{\"metadata\":{\"type\":1}}}}"), InlineData("{\"twin\":{\"a\":{\"actual_version\":{\"edge\":\"1\"}}}}")]
    [InlineData("{\"twin\":{\"a\":{\"actual_version\":{\"edge\":9223372036854775807}}}}"), InlineData("{\"twin\":{\"a\":{\"expected_version\":{\"cloud\":4611686018427387905}}}}")]
    [InlineData("{\"event_id\":\"\\ud800\"}"), InlineData("{\"other\":\"\\ud800\"}"), InlineData("{\"\\udc00\":1}"), InlineData("{\"a\":1,}"), InlineData("\ufeff{}")]
    public void A_wrong_document_is_refused(string json) => Assert.ThrowsAny<JsonException>(() => Read(json));

    [Fact]
    public void Bytes_that_are_no_UTF_8_are_refused() =>
        Assert.ThrowsAny<JsonException>(() => TwinReader.ReadTwin([.. "{\"event_id\":\""u8, 0xff, .. "\"}"u8]));

    [Fact]
    public void A_document_that_is_too_deep_is_refused() =>
        Assert.ThrowsAny<JsonException>(() => Read($"{{\"x\":{new string('[', 10_000)}{new string(']', 10_000)}}}"));

    [Theory]
    [InlineData("{\"event_id\":\"x\",\"twin\":5}", "x"), InlineData("{\"twin\":{\"a\":{\"actual\":{\"value\":5}}},\"event_id\":\"x\"}", "x")]
    [InlineData("{bad", ""), InlineData("{\"event_id\":7}", ""), InlineData("{\"event_id\":\"x\"} tail", "x"), InlineData("[]", "")]
    public void The_id_of_a_wrong_request_is_found_when_it_can_be(string json, string id) =>
        Assert.Equal(id, TwinReader.SalvageEventId(Encoding.UTF8.GetBytes(json)));

    private static TwinRequest Read(string json) => TwinReader.ReadTwin(Encoding.UTF8.GetBytes(json));
}
