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
        var differing = Differing(before, after, schema);
        var taken = new Dictionary<string, Setting>(StringComparer.OrdinalIgnoreCase);
        var live = new List<string>();
        var later = new List<string>();
        foreach (var key in before.Keys.Union(after.Keys, StringComparer.OrdinalIgnoreCase))
        {
            var known = schema.Find(key);
            var isLive = known?.IsLive ?? false;
            // A value that is written and equals the default says what was there before it was written.
            var changed = before.GetValueOrDefault(key)?.Text != after.GetValueOrDefault(key)?.Text && (known is null || differing.Contains(known.Path));
            if (changed)
            {
                (isLive ? live : later).Add(known?.Path ?? key);
            }

            if ((changed && !isLive ? before : after).TryGetValue(key, out var setting))
            {
                taken[key] = setting;
            }
        }

        return new SettingsChange(live, later, taken);
    }

    private static HashSet<string> Differing(
        IReadOnlyDictionary<string, Setting> before, IReadOnlyDictionary<string, Setting> after, SettingsSchema schema)
    {
        var (old, wanted) = (SettingsCheck.ConfigurationOf(before), SettingsCheck.ConfigurationOf(after));
        var differing = new HashSet<string>(StringComparer.OrdinalIgnoreCase);
        foreach (var section in schema.Sections)
        {
            var (left, right) = (section.Defaults(), section.Defaults());
            section.Bind(left, old);
            section.Bind(right, wanted);
            differing.UnionWith(section.Keys.Where(k => !k.Print(k.Read(left)).SequenceEqual(k.Print(k.Read(right)))).Select(k => k.Path));
        }

        return differing;
    }
}
