namespace EdgeOrleans.Settings;

/// <summary>The highest rung: what the cloud sets while the node runs. It may not touch who the node is, where its data is and which cloud it obeys.</summary>
public sealed class ConfigCentre : ISettingsSource
{
    private static readonly string[] Untouchable =
        ["node", "data", "conf", "modules:edged:hostnameOverride", "modules:edgeHub:websocket:server", "modules:edgeHub:httpServer", "modules:edgeHub:token"];

    private volatile IReadOnlyDictionary<string, string> _settings = new Dictionary<string, string>();

    /// <summary>Raised after the settings were replaced; a handler that throws leaves the old ones in place.</summary>
    internal event Action? Changed;

    /// <summary>Replaces all settings of this rung, live.</summary>
    /// <param name="settings">Keys with <c>:</c> or <c>.</c> between their parts.</param>
    /// <exception cref="RefusedException">A key may not be set from here, or the settings do not validate; the old ones stay.</exception>
    public void Set(IReadOnlyDictionary<string, string> settings)
    {
        var wanted = settings.ToDictionary(s => s.Key.Replace('.', ':'), s => s.Value, StringComparer.OrdinalIgnoreCase);
        if (wanted.Keys.FirstOrDefault(IsUntouchable) is { } key)
        {
            throw new RefusedException(400, $"{SettingsError.Show(key)} is the node's own and cannot be set by the config centre");
        }

        var before = _settings;
        _settings = wanted;
        try
        {
            Changed?.Invoke();
        }
        catch (SettingsException e)
        {
            _settings = before;
            throw new RefusedException(400, e.Message);
        }
    }

    /// <inheritdoc/>
    public IEnumerable<Setting> Read() => _settings.Select(s => new Setting(s.Key, s.Value, Rung.Centre, "config centre"));

    private static bool IsUntouchable(string key) => Array.Exists(
        Untouchable, u => key.Equals(u, StringComparison.OrdinalIgnoreCase) || key.StartsWith(u + ":", StringComparison.OrdinalIgnoreCase));
}
