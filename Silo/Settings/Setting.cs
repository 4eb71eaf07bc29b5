namespace EdgeOrleans.Settings;

/// <summary>Where a value comes from, lowest first: what is further down in this list wins.</summary>
public enum Rung
{
    /// <summary>The program itself.</summary>
    Default,

    /// <summary>A folder of key-per-file.</summary>
    External,

    /// <summary>YAML files of the conf folder.</summary>
    File,

    /// <summary>The environment.</summary>
    Environment,

    /// <summary>The command line.</summary>
    CommandLine,

    /// <summary>The config centre.</summary>
    Centre,
}

/// <summary>A value as it was written, and where. No text means: written, and left at its default.</summary>
/// <param name="Key">The key as it was written there, with <c>:</c> between its parts.</param>
/// <param name="Text">The value.</param>
/// <param name="Rung">The rung of the ladder.</param>
/// <param name="Place">The place as people look for it: <c>data/conf/a.yaml:3</c>, <c>command line</c>.</param>
public sealed record Setting(string Key, string? Text, Rung Rung, string Place);

/// <summary>One source of settings.</summary>
public interface ISettingsSource
{
    /// <summary>Reads the source as it is now; later ones win over earlier ones of the same key.</summary>
    IEnumerable<Setting> Read();

    /// <summary>The folder whose changes mean that the source has to be read again; null when there is none.</summary>
    string? Folder => null;
}

/// <summary>The settings cannot be used. The message says which, where, and what would be right.</summary>
public sealed class SettingsException(string message) : Exception(message);
