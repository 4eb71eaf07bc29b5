using System.Text;
using System.Text.Json;
using EdgeOrleans.Beehive;
using EdgeOrleans.Conformance.Golden;
using EdgeOrleans.Devices;

namespace EdgeOrleans.Conformance.Running;

/// <summary>What happened, held against what was promised.</summary>
internal static class Comparison
{
    /// <summary>How the payloads of the runner's own questions begin; the question mark is a number and a quote.</summary>
    public const string Question = "\"event_id\":\"question-";

    public static IEnumerable<string> Problems(GoldenCase promised, Play play) =>
    [
        .. OutProblems(promised.Out, [.. play.Heard.Where(h => !IsCopy(h))], play.Meaning),
        .. CopyProblems(play.Heard),
        .. HubProblems(promised.Hub, play.Up, play.Meaning),
        .. StateProblems(promised, play),
        .. SubscriptionProblems(promised.Subscriptions ?? [], play.Subscriptions),
        .. SilenceProblems(promised, play),
    ];

    public static IEnumerable<string> DeviceProblems(string id, GoldenDevice wanted, DeviceView? got, JsonMeaning meaning)
    {
        if (got is null)
        {
            return [$"state: {id} is missing"];
        }

        List<string> problems = [];
        Check("state", wanted.State, got.State);
        if (wanted.LastOnline is null ? got.LastOnline.Length > 0 : !meaning.IsTimeText(got.LastOnline))
        {
            problems.Add($"state: {id} has last_online \"{got.LastOnline}\" and should have {(wanted.LastOnline is null ? "none" : "a current time")}");
        }

        Check("attributes", Names(wanted.Attributes.Keys), Names(got.Attributes.Keys));
        Check("twin", Names(wanted.Twin.Keys), Names(got.Twin.Keys));
        foreach (var (name, attribute) in wanted.Attributes.Where(a => got.Attributes.ContainsKey(a.Key)))
        {
            var has = got.Attributes[name];
            Check($"attribute {name}", attribute, new GoldenAttribute(has.Value, has.Type, has.Optional));
        }

        foreach (var (name, property) in wanted.Twin.Where(p => got.Twin.ContainsKey(p.Key)))
        {
            var has = got.Twin[name];
            Check($"twin {name}", property with { Expected = Side(property.Expected), Actual = Side(property.Actual) }, new GoldenTwin(Side(has.Expected), Side(has.Actual), has.Optional, has.Type));
        }

        return problems;

        void Check<T>(string what, T should, T held)
        {
            if (!EqualityComparer<T>.Default.Equals(should, held))
            {
                problems.Add($"state: {id} has {what} {held} and should have {should}");
            }
        }
    }

    private static IEnumerable<string> OutProblems(IReadOnlyList<GoldenOut> wanted, IReadOnlyList<Heard> got, JsonMeaning meaning)
    {
        for (var i = 0; i < Math.Max(wanted.Count, got.Count); i++)
        {
            var problem = i >= got.Count ? $"missing: {wanted[i].Topic} {wanted[i].Payload?.GetRawText() ?? wanted[i].Text}"
                : i >= wanted.Count ? $"should not be there: {got[i]}"
                : OutProblem(wanted[i], got[i], meaning) is { } difference ? $"{difference}; heard {got[i]}"
                : null;
            if (problem is not null)
            {
                yield return $"out {i + 1}: {problem}";
            }
        }
    }

    private static string? OutProblem(GoldenOut wanted, Heard got, JsonMeaning meaning)
    {
        if (wanted.Topic != got.Topic)
        {
            return $"topic should be {wanted.Topic}";
        }

        return wanted.Payload is { } payload ? JsonProblem(payload, got.Payload, meaning)
            : wanted.Text == got.Payload ? null
            : $"text should be {wanted.Text}";
    }

    private static string? JsonProblem(JsonElement wanted, string got, JsonMeaning meaning)
    {
        try
        {
            using var document = JsonDocument.Parse(got);
            return meaning.Difference(wanted, document.RootElement);
        }
        catch (JsonException e)
        {
            return $"is no JSON: {e.Message}";
        }
    }

    /// <summary>Documents, deltas and attributes of the default namespace are said on the one-level topics too: word for word, in the same order.</summary>
    private static IEnumerable<string> CopyProblems(IReadOnlyList<Heard> heard)
    {
        var said = heard.Where(h => TwoLevelNews(h.Topic) is not null).Select(h => new Heard(TwoLevelNews(h.Topic)!, h.Payload));
        var copies = heard.Where(IsCopy);
        return said.SequenceEqual(copies) ? [] : [$"one-level copies: should be {string.Join(" | ", said)}; heard {string.Join(" | ", copies)}"];
    }

    private static bool IsCopy(Heard heard) =>
        heard.Topic.Split('/') is ["$hw", "events", "device", _, "twin", "update", "document" or "delta"] or ["$hw", "events", "device", _, "updated"];

    private static string? TwoLevelNews(string topic) => topic.Split('/') switch
    {
        ["$hw", "events", "device", DeviceId.DefaultNamespace, var name, "twin", "update", ("document" or "delta") and var what] => $"$hw/events/device/{name}/twin/update/{what}",
        ["$hw", "events", "device", DeviceId.DefaultNamespace, var name, "updated"] => $"$hw/events/device/{name}/updated",
        _ => null,
    };

    private static IEnumerable<string> HubProblems(IReadOnlyList<GoldenHubLine> wanted, IReadOnlyList<Message> got, JsonMeaning meaning)
    {
        for (var i = 0; i < Math.Max(wanted.Count, got.Count); i++)
        {
            var problem = i >= got.Count ? $"missing: {wanted[i].Operation} {wanted[i].Resource}"
                : i >= wanted.Count ? $"should not be there: {Text(got[i])}"
                : HubProblem(wanted[i], got[i], meaning) is { } difference ? $"{difference}; went up {Text(got[i])}"
                : null;
            if (problem is not null)
            {
                yield return $"hub {i + 1}: {problem}";
            }
        }
    }

    private static string? HubProblem(GoldenHubLine wanted, Message got, JsonMeaning meaning)
    {
        var route = (wanted.Source, wanted.Group, wanted.Operation, wanted.Resource);
        if (route != (got.Route.Source, got.Route.Group, got.Route.Operation, got.Route.Resource))
        {
            return $"route should be {route}";
        }

        var content = Encoding.UTF8.GetString(got.Content.Span);
        if (wanted.Object is { } value)
        {
            return JsonProblem(value, content, meaning);
        }

        if (got.Content.IsEmpty || got.Content.Span[0] != '"')
        {
            return "content should be a JSON string";
        }

        return wanted.Json is { } inner ? JsonProblem(inner, got.ContentAsText(), meaning)
            : wanted.Text == got.ContentAsText() ? null
            : $"text should be {wanted.Text}";
    }

    private static IEnumerable<string> StateProblems(GoldenCase promised, Play play)
    {
        var surplus = play.Devices.Keys.Except(promised.State.Keys).Select(id => $"state: {id} should not be there");
        return surplus.Concat(promised.State.SelectMany(d => DeviceProblems(d.Key, d.Value, play.Devices.GetValueOrDefault(d.Key), play.Meaning)));
    }

    private static IEnumerable<string> SubscriptionProblems(IReadOnlyList<string> wanted, IReadOnlyList<string> got) =>
        wanted.SequenceEqual(got) ? [] : [$"state: sub_topics has {string.Join(", ", got)} and should have {string.Join(", ", wanted)}"];

    /// <summary>What is met with silence is counted, unless it is nobody's business: topics that are not the node's. A value of the cloud that loses by the version rule is none of that: it is a conflict.</summary>
    private static IEnumerable<string> SilenceProblems(GoldenCase promised, Play play) =>
        promised.IsSilent && IsCounted(promised.In[^1]) && play.Refusals == 0 ? ["silence: nothing was heard, and no refusal was counted"] : [];

    private static bool IsCounted(GoldenInput last) => last.Mqtt is { } topic
        ? topic.StartsWith("$hw/", StringComparison.Ordinal) && !topic.EndsWith("/twin/cloud_updated", StringComparison.Ordinal)
        : last.IsOfTheBus;

    // An empty text is no value, whether it was said or is what a deletion left.
    private static GoldenValue? Side(GoldenValue? side) => side is { Value: "" } ? side with { Value = null } : side;

    private static GoldenValue? Side(TwinValue? side) => side is null ? null : new GoldenValue(string.IsNullOrEmpty(side.Value) ? null : side.Value, new GoldenVersion(side.Version.Cloud, side.Version.Edge));

    private static string Names(IEnumerable<string> names) => string.Join(", ", names.Order(StringComparer.Ordinal));

    private static string Text(Message message) =>
        $"({message.Route.Source}, {message.Route.Group}, {message.Route.Operation}, {message.Route.Resource}) {Encoding.UTF8.GetString(message.Content.Span)}";
}
