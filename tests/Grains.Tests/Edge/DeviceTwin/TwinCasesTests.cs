using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;

namespace EdgeOrleans.Edge.DeviceTwin;

/// <summary>The conformance cases of twins, state and membership, on the rules alone.</summary>
public sealed partial class TwinCasesTests
{
    private const string Device = "$hw/events/device/default/ts1";
    private const string MalformedTopic = "$hw/events/device//twin/update/result";

    // Where we do better than edgecore: what is published instead, by the end of the topic, and what goes up.
    private static readonly Dictionary<string, string[]> Better = new(StringComparer.Ordinal)
    {
        ["C010"] = [],
        ["C038"] = ["twin/update/result"],
        ["C057"] = ["twin/update/result"],
        ["C066"] = ["twin/update/result"],
        ["C074"] = ["twin/update/result"],
        ["C075"] = ["twin/update/result"],
        ["C097"] = [],
    };

    public static TheoryData<string> Cases => [.. Load().Select(c => c.Id)];

    [Theory, MemberData(nameof(Cases))]
    public void A_case_is_answered_as_edgecore_answers_or_better(string id)
    {
        var it = Load().Single(c => c.Id == id);
        var node = Fixture(it.Fixture);
        foreach (var input in it.Ins)
        {
            Give(node, input);
        }

        if (Better.TryGetValue(id, out var better))
        {
            Assert.Equal(better.Select(t => $"{Device}/{t}"), node.Published.Select(p => p.Topic));
            return;
        }

        Assert.Equal(it.Outs.Select(o => Topic(o.Topic!)), node.Published.Select(p => p.Topic));
        foreach (var (expected, actual) in it.Outs.Zip(node.Published))
        {
            // The answer of a malformed request is on the device's own topic and names the request when it can.
            AssertSame(expected.Payload, actual.Payload, exceptEventId: expected.Topic == MalformedTopic);
        }

        if (it.Fixture.EndsWith("cloud up", StringComparison.Ordinal))
        {
            Assert.Equal(it.Hub.Select(h => h.Resource), node.Up.Select(u => u.Resource));
            foreach (var (expected, actual) in it.Hub.Zip(node.Up))
            {
                AssertSame(expected.Payload, actual.Payload, exceptEventId: false);
            }
        }
    }

    private static RuleNode Fixture(string fixture)
    {
        var name = fixture.Split(' ')[0];
        var node = new RuleNode(new DeviceTwinOptions { Compatibility = TwinCompatibility.Strict });
        if (name != "F0")
        {
            node.Membership("""{"event_id":"e","added_devices":[{"id":"default/ts1","name":"ts1","description":"d1"}],"removed_devices":null}""");
        }

        if (name is "FA" or "FE" or "FT")
        {
            node.Update("""{"event_id":"s","twin":{"temp":{"actual":{"value":"22"},"metadata":{"type":"int"}}}}""");
        }

        switch (name)
        {
            case "FE":
                node.Update("""{"event_id":"s","twin":{"temp":{"expected":{"value":"25"}}}}""");
                break;
            case "FT":
                node.Update("""{"event_id":"s","twin":{"temp":null}}""");
                break;
            case "FC":
                node.Membership("""{"event_id":"e","added_devices":[{"id":"default/ts1","name":"ts1","twin":{"temp":{"expected":{"value":"10"},"metadata":{"type":"int"},"expected_version":{"cloud":1,"edge":0}}}}]}""");
                break;
        }

        return node;
    }

    private static void Give(RuleNode node, Input input)
    {
        if (input.Topic is not null)
        {
            node.Publish(Topic(input.Topic), Encoding.UTF8.GetBytes(input.Payload));
        }
        else
        {
            node.Membership(input.Payload);
        }
    }

    private static string Topic(string topic) => topic == MalformedTopic ? $"{Device}/twin/update/result"
        : topic.StartsWith("D/", StringComparison.Ordinal) ? Device + topic[1..]
        : topic.StartsWith("N/", StringComparison.Ordinal) ? "$hw/events/node/edge-node" + topic[1..]
        : topic;

    private static void AssertSame(string expected, string actual, bool exceptEventId)
    {
        var wanted = JsonNode.Parse(AnyTime().Replace(expected, ":\"<T>\""))!;
        var got = JsonNode.Parse(actual)!;
        if (exceptEventId)
        {
            wanted.AsObject().Remove("event_id");
            got.AsObject().Remove("event_id");
        }

        Assert.True(IsSame(wanted, got), $"expected {expected}{Environment.NewLine}     got {actual}");
    }

    private static bool IsSame(JsonNode? wanted, JsonNode? got) => (wanted, got) switch
    {
        (null, null) => true,
        (JsonObject a, JsonObject b) => a.Count == b.Count && a.Zip(b).All(p => p.First.Key == p.Second.Key && IsSame(p.First.Value, p.Second.Value)),
        (JsonArray a, JsonArray b) => a.Count == b.Count && a.Zip(b).All(p => IsSame(p.First, p.Second)),
        (JsonValue a, JsonValue b) => IsSameValue(a.ToString(), b),
        _ => false,
    };

    private static bool IsSameValue(string wanted, JsonValue got) => wanted switch
    {
        "<T>" => got.GetValueKind() == JsonValueKind.Number,
        "U" => Guid.TryParseExact(got.ToString(), "D", out _),
        "Z" => ZuluTime().IsMatch(got.ToString()),
        _ when wanted.EndsWith('…') => got.ToString().StartsWith(wanted[..^1], StringComparison.Ordinal),
        _ => got.ToString() == wanted,
    };

    private static List<Case> Load()
    {
        using var cases = new StreamReader(typeof(TwinCasesTests).Assembly.GetManifestResourceStream("DeviceTwin.cases")!);
        return [.. cases.ReadToEnd().Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => JsonSerializer.Deserialize<Case>(line, JsonSerializerOptions.Web)!)];
    }

    [GeneratedRegex(":T(?=[,}])")]
    private static partial Regex AnyTime();

    [GeneratedRegex(@"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$")]
    private static partial Regex ZuluTime();

    private sealed record Case(string Id, string Cls, string Fixture, List<Input> Ins, List<Input> Outs, List<Input> Hub);

    private sealed record Input(string? Topic, string Payload, string? Resource);
}
