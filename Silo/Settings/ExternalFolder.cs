namespace EdgeOrleans.Settings;

/// <summary>A folder with one file a key, as mounted secrets are: the file's name is the key (<c>modules.edgeHub.token</c>), its text the value.</summary>
internal sealed class ExternalFolder(string folder) : ISettingsSource
{
    private const int MaxFileSize = 64 << 10;

    public string? Folder => folder;

    public IEnumerable<Setting> Read()
    {
        if (!Directory.Exists(folder))
        {
            throw new SettingsException($"the external folder {folder} does not exist; --external wants a folder with one file for each key");
        }

        // Mounted secrets keep their versions in folders and links that begin with a dot.
        return Directory.EnumerateFiles(folder).Where(f => !Path.GetFileName(f).StartsWith('.')).Order(StringComparer.Ordinal).Select(ReadFile);
    }

    private static Setting ReadFile(string file)
    {
        if (new FileInfo(file).Length > MaxFileSize)
        {
            throw new SettingsException($"{file} is larger than 64 KiB, which no setting is");
        }

        var key = Path.GetFileName(file).Replace("__", ":", StringComparison.Ordinal).Replace('.', ':');
        return new Setting(key, File.ReadAllText(file).TrimEnd('\r', '\n'), Rung.External, file);
    }
}
