using System.Text.Json.Nodes;

namespace EdgeOrleans.TestKit;

/// <summary>A message that a client was sent.</summary>
public sealed record Heard(string Topic, string Payload)
{
    /// <summary>The payload as JSON.</summary>
    public JsonNode Json => JsonNode.Parse(Payload) ?? throw new FormatException("the payload is null");

    /// <summary>The code of an error; 0 when it is none.</summary>
    public int Code => (int?)Json["code"] ?? 0;

    /// <summary>The <c>event_id</c>.</summary>
    public string? EventId => (string?)Json["event_id"];

    /// <summary>The actual value of a property, in a result or in a twin.</summary>
    public string? Actual(string property) => (string?)Json["twin"]?[property]?["actual"]?["value"];

    /// <summary>The expected value of a property.</summary>
    public string? Expected(string property) => (string?)Json["twin"]?[property]?["expected"]?["value"];

    /// <inheritdoc/>
    public override string ToString() => $"{Topic} {Payload}";
}
