namespace EdgeOrleans.Settings;

/// <summary>The YAML files below a folder, in path order.</summary>
internal sealed class ConfFolder(string folder) : ISettingsSource
{
    // Where the files are cannot be said in one of them.
    private const string Own = "conf";

    public string? Folder => folder;

    public IEnumerable<Setting> Read()
    {
        if (!Directory.Exists(folder))
        {
            yield break;
        }

        var files = Directory.EnumerateFiles(folder, "*", SearchOption.AllDirectories)
            .Where(f => f.EndsWith(".yaml", StringComparison.Ordinal) || f.EndsWith(".yml", StringComparison.Ordinal))
            .Order(StringComparer.Ordinal);
        foreach (var setting in files.SelectMany(YamlSettings.ReadFile))
        {
            if (setting.Key.Equals(Own, StringComparison.OrdinalIgnoreCase) && setting.Text is not null)
            {
                throw new SettingsException($"conf ({setting.Place}) cannot be set in a file of the conf folder; use --conf or EDGEORLEANS__conf");
            }

            yield return setting;
        }
    }
}
