namespace EdgeOrleans.Settings;

/// <summary>A value that a setting cannot have.</summary>
/// <param name="Path">The key, with <c>:</c> between its parts; empty when the error belongs to no key alone.</param>
/// <param name="Reason">What would be right, as the end of a sentence that begins with the key.</param>
public sealed record SettingsError(string Path, string Reason)
{
    /// <summary>The key as it is written in files and shown to people.</summary>
    public static string Show(string path) => path.Replace(':', '.');

    /// <inheritdoc/>
    public override string ToString() => Path.Length == 0 ? Reason : $"{Show(Path)} {Reason}";
}
