using EdgeOrleans.Settings;

namespace EdgeOrleans.Commands;

/// <summary>What the program prints instead of starting.</summary>
internal static class Printing
{
    private static readonly string[] MostChanged =
    [
        "node:name", "http:listen", "silo:gatewayPort", "log:level", "modules:edgeHub:websocket:server",
        "modules:eventBus:enable", "modules:eventBus:mqttMode", "modules:eventBus:mqttServerInternal",
        "modules:cloudHub:advertiseAddress", "modules:cloudHub:https:address", "modules:cloudHub:https:port",
    ];

    public static string Effective(SettingsLadder ladder, Role role = Role.Edge)
    {
        var warnings = ladder.Check(Sections(ladder, role));
        return SettingsYaml.Effective(ladder) + string.Concat(warnings.Select(w => $"# {w}{Environment.NewLine}"));
    }

    public static string Default(Role role = Role.Edge)
    {
        var ladder = Bare(role);
        return SettingsYaml.Defaults(
                ladder, _ => true, "All settings with their defaults. Save it as any .yaml file in the conf folder (--conf).", "Times of edgecore's keys are seconds.")
            + "# Keys of edgecore that are known and have no effect here:" + Environment.NewLine + SettingsYaml.WithoutEffect(ladder.Schema!);
    }

    public static string Minimal(Role role = Role.Edge) => SettingsYaml.Defaults(
        Bare(role),
        key => MostChanged.Contains(key.Path, StringComparer.OrdinalIgnoreCase),
        "The settings most nodes change, with their defaults. Save it as any .yaml file in the conf folder (--conf).",
        "--defaultconfig prints all.");

    // Nothing but what is built in.
    private static SettingsLadder Bare(Role role)
    {
        var ladder = new SettingsLadder(RoleDefaults.Of(role));
        ladder.Check(Sections(ladder, role));
        return ladder;
    }

    private static IReadOnlyList<SettingsSection> Sections(SettingsLadder ladder, Role role) => NodeHost.Compose(ladder, role: role).Services.Sections();
}
