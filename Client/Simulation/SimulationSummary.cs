using System.Globalization;
using System.Text.Json.Nodes;

namespace EdgeOrleans.Client.Simulation;

/// <summary>What came of a simulation, or of the part of it that is over.</summary>
internal sealed record SimulationSummary
{
    public required TimeSpan Elapsed { get; init; }

    public required long Sent { get; init; }

    public required long Answered { get; init; }

    public required long Accepted { get; init; }

    public required long Unanswered { get; init; }

    public required long HeldBack { get; init; }

    public required long Adopted { get; init; }

    /// <summary>How many devices the broker knows to be online.</summary>
    public required long Online { get; init; }

    /// <summary>How often a connection to the broker was lost.</summary>
    public required long Lost { get; init; }

    public required IReadOnlyDictionary<int, ErrorCount> Errors { get; init; }

    /// <summary>Milliseconds from publish to result of accepted reports, by percent; 100 is the longest.</summary>
    public required IReadOnlyDictionary<int, double> Percentiles { get; init; }

    private double Rate => Elapsed > TimeSpan.Zero ? Answered / Elapsed.TotalSeconds : 0;

    private string Latency => Accepted == 0
        ? "nothing was accepted"
        : Invariant($"p50 {Percentiles[50]:0.0#} ms, p95 {Percentiles[95]:0.0#} ms, p99 {Percentiles[99]:0.0#} ms, longest {Percentiles[100]:0.0#} ms");

    /// <summary>The summary so far, on one line.</summary>
    public string Line(SimulationOptions options)
    {
        if (Online < options.Devices)
        {
            return Invariant($"{Online} of {options.Devices} devices are online");
        }

        var latency = Accepted == 0 ? "" : Invariant($", p50 {Percentiles[50]:0.0#} ms, p99 {Percentiles[99]:0.0#} ms");
        return Invariant($"{Elapsed.TotalSeconds:0} s: sent {Sent}, answered {Answered} ({Rate:0.#}/s), refused {Answered - Accepted}{latency}");
    }

    public void Write(TextWriter output, SimulationOptions options)
    {
        output.WriteLine(Invariant($"devices:  {options.Devices}, {options.Connections} MQTT connections, QoS {options.Qos}, {Elapsed.TotalSeconds:0.0} s"));
        output.WriteLine(Invariant($"reports:  sent {Sent}, answered {Answered}, refused {Answered - Accepted}, unanswered {Unanswered}"));
        output.WriteLine(Invariant($"rate:     {Rate:0.#} answered/s"));
        output.WriteLine($"latency:  {Latency}");
        WriteLine(output, Adopted, "adopted:  {0} (expected values that devices took over)");
        WriteLine(output, HeldBack, "held:     {0} reports were not sent, because the one before was not answered yet");
        WriteLine(output, Lost, "lost:     {0} times an MQTT connection; what was due meanwhile counts as unanswered");
        foreach (var (code, error) in Errors)
        {
            output.WriteLine($"error:    {code} × {error.Count}: {Text.Plain(error.Reason)}");
        }
    }

    public JsonObject ToJson(SimulationOptions options) => new()
    {
        ["devices"] = options.Devices,
        ["connections"] = options.Connections,
        ["qos"] = options.Qos,
        ["seconds"] = Math.Round(Elapsed.TotalSeconds, 3),
        ["sent"] = Sent,
        ["answered"] = Answered,
        ["refused"] = Answered - Accepted,
        ["unanswered"] = Unanswered,
        ["held"] = HeldBack,
        ["adopted"] = Adopted,
        ["lost"] = Lost,
        ["rate"] = Math.Round(Rate, 1),
        ["latency_ms"] = Accepted == 0 ? null : new JsonObject(Percentiles.Select(p =>
            KeyValuePair.Create<string, JsonNode?>(p.Key == 100 ? "max" : $"p{p.Key}", Math.Round(p.Value, 3)))),
        ["errors"] = new JsonArray([.. Errors.Select(error => new JsonObject
        {
            ["code"] = error.Key,
            ["count"] = error.Value.Count,
            ["reason"] = error.Value.Reason,
        })]),
    };

    private static void WriteLine(TextWriter output, long count, string text)
    {
        if (count > 0)
        {
            output.WriteLine(string.Format(CultureInfo.InvariantCulture, text, count));
        }
    }

    private static string Invariant(FormattableString text) => FormattableString.Invariant(text);
}
