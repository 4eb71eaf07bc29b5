namespace EdgeOrleans.Settings;

/// <summary>Where the cloud's defaults differ from a node's, so that both run on one machine. The lowest rung: everything wins over it.</summary>
internal sealed class RoleDefaults : ISettingsSource
{
    private static readonly (string Key, string Text)[] Cloud =
        [("silo:port", "11211"), ("silo:gatewayPort", "30100"), ("http:listen", "http://127.0.0.1:10180")];

    /// <summary>The rung of a role; a node's defaults are those of the options.</summary>
    public static ISettingsSource[] Of(Role role) => role == Role.Cloud ? [new RoleDefaults()] : [];

    public IEnumerable<Setting> Read() => Cloud.Select(static s => new Setting(s.Key, s.Text, Rung.Default, "default of the role cloud"));
}
