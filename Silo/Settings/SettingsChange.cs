namespace EdgeOrleans.Settings;

/// <summary>What a new reading of the settings changes.</summary>
/// <param name="Live">Keys that are taken now.</param>
/// <param name="Later">Keys whose new value waits for the next start.</param>
/// <param name="Taken">The settings from now on: new where they are live, the old ones elsewhere.</param>
internal sealed record SettingsChange(IReadOnlyList<string> Live, IReadOnlyList<string> Later, Dictionary<string, Setting> Taken)
{
    public static SettingsChange Between(
        IReadOnlyDictionary<string, Setting> before, IReadOnlyDictionary<string, Setting> after, SettingsSchema schema)
    {
        var taken = new Dictionary<string, Setting>(StringComparer.OrdinalIgnoreCase);
        var live = new List<string>();
        var later = new List<string>();
        foreach (var key in before.Keys.Union(after.Keys, StringComparer.OrdinalIgnoreCase))
        {
            var isLive = schema.Find(key)?.IsLive ?? false;
            var changed = before.GetValueOrDefault(key)?.Text != after.GetValueOrDefault(key)?.Text;
            if (changed)
            {
                (isLive ? live : later).Add(schema.Find(key)?.Path ?? key);
            }

            if ((changed && !isLive ? before : after).TryGetValue(key, out var setting))
            {
                taken[key] = setting;
            }
        }

        return new SettingsChange(live, later, taken);
    }
}
