namespace EdgeOrleans.Settings;

/// <summary>Settings on the command line: <c>--a:b=…</c> and <c>--a.b=…</c> for any key, and what flags stand for.</summary>
public sealed class CommandLineSettings : ISettingsSource
{
    private readonly List<Setting> _settings = [];

    /// <summary>Takes the settings out of the arguments and returns the rest: flags, which have no <c>:</c> or <c>.</c> in their names.</summary>
    public string[] Take(IReadOnlyList<string> arguments)
    {
        var rest = new List<string>();
        foreach (var argument in arguments)
        {
            var end = argument.IndexOf('=', StringComparison.Ordinal);
            if (argument.StartsWith("--", StringComparison.Ordinal) && end > 2 && argument.AsSpan(2, end - 2).IndexOfAny(':', '.') >= 0)
            {
                Set(argument[2..end].Replace('.', ':'), argument[(end + 1)..], argument[..end]);
            }
            else
            {
                rest.Add(argument);
            }
        }

        return [.. rest];
    }

    /// <summary>Sets a key as a flag does.</summary>
    public void Set(string key, string value, string flag) =>
        _settings.Add(new Setting(key, value, Rung.CommandLine, $"command line {flag}"));

    /// <inheritdoc/>
    public IEnumerable<Setting> Read() => _settings;
}
