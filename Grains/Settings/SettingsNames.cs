namespace EdgeOrleans.Settings;

/// <summary>How names of properties become keys.</summary>
internal static class SettingsNames
{
    /// <summary><c>MqttMode</c> as <c>mqttMode</c>.</summary>
    public static string Camel(string name) => char.ToLowerInvariant(name[0]) + name[1..];
}

/// <summary>Keys that are secret by their name, so that one nobody marked is not shown either.</summary>
public static class SecretNames
{
    /// <summary>Whether a key's last part says that its value is a secret.</summary>
    public static bool IsSecret(string path) =>
        path.EndsWith("password", StringComparison.OrdinalIgnoreCase)
        || path.EndsWith("token", StringComparison.OrdinalIgnoreCase)
        || path.EndsWith("secret", StringComparison.OrdinalIgnoreCase);
}
