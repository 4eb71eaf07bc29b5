using Xunit.v3;

namespace EdgeOrleans.Edge.EventBus;

/// <summary>The normative statements that a test checks: <c>3.1.1</c> or <c>5</c>, and their numbers in that version's specification.</summary>
[AttributeUsage(AttributeTargets.Method, AllowMultiple = true)]
public sealed class StatementAttribute(string version, params string[] numbers) : Attribute, ITraitAttribute
{
    public string Version { get; } = version;

    public IReadOnlyList<string> Numbers { get; } = numbers;

    public IReadOnlyCollection<KeyValuePair<string, string>> GetTraits() =>
        [.. Numbers.Select(number => KeyValuePair.Create($"MQTT {Version}", $"MQTT-{number}"))];
}
