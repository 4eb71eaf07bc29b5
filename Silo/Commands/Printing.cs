using EdgeOrleans.Settings;

namespace EdgeOrleans.Commands;

/// <summary>What the program prints instead of starting.</summary>
internal static class Printing
{
    private static readonly string[] MostChanged =
    [
        "node:name", "http:listen", "silo:gatewayPort", "log:level", "modules:edgeHub:websocket:server",
        "modules:eventBus:enable", "modules:eventBus:mqttMode", "modules:eventBus:mqttServerInternal",
    ];

    public static string Effective(SettingsLadder ladder)
    {
        var warnings = ladder.Check(Sections(ladder));
        return SettingsYaml.Effective(ladder) + string.Concat(warnings.Select(w => $"# {w}{Environment.NewLine}"));
    }

    public static string Default()
    {
        var schema = new SettingsSchema(Sections(new SettingsLadder([])));
        return SettingsYaml.Defaults(
                schema, _ => true, "All settings with their defaults. Save it as any .yaml file in the conf folder (--conf).", "Times of edgecore's keys are seconds.")
            + "# Keys of edgecore that are known and have no effect here:" + Environment.NewLine + SettingsYaml.WithoutEffect(schema);
    }

    public static string Minimal() => SettingsYaml.Defaults(
        new SettingsSchema(Sections(new SettingsLadder([]))),
        key => MostChanged.Contains(key.Path, StringComparer.OrdinalIgnoreCase),
        "The settings most nodes change, with their defaults. Save it as any .yaml file in the conf folder (--conf).",
        "--defaultconfig prints all.");

    private static IReadOnlyList<SettingsSection> Sections(SettingsLadder ladder) => NodeHost.Compose(ladder).Services.Sections();
}
