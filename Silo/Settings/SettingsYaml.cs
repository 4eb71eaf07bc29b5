using System.Text;
using System.Text.Json;
using EdgeOrleans.Modules;
using Microsoft.Extensions.Configuration;

namespace EdgeOrleans.Settings;

/// <summary>Settings as YAML, as files have them.</summary>
internal sealed class SettingsYaml
{
    private readonly StringBuilder _text = new();
    private string[] _open = [];

    /// <summary>The values that count, each with where it comes from.</summary>
    public static string Effective(SettingsLadder ladder)
    {
        var configuration = new ConfigurationBuilder().Add(ladder).Build();
        var yaml = new SettingsYaml();
        foreach (var section in Ordered(ladder.Schema!))
        {
            var options = section.Defaults();
            section.Bind(options, configuration);
            foreach (var key in section.Keys)
            {
                yaml.Write(key, options, OriginOf(key.Path, ladder), hidden: key.IsSecret && key.Read(options) is string { Length: > 0 });
            }
        }

        return yaml._text.ToString();
    }

    /// <summary>All settings with their defaults; edgecore's keys that have no effect as a comment, so that the file loads without a warning.</summary>
    public static string Defaults(SettingsLadder ladder, Func<SettingsKey, bool> wanted, params ReadOnlySpan<string> head)
    {
        var configuration = new ConfigurationBuilder().Add(ladder).Build();
        var yaml = new SettingsYaml();
        foreach (var line in head)
        {
            yaml._text.Append("# ").AppendLine(line);
        }

        foreach (var section in Ordered(ladder.Schema!))
        {
            var options = section.Defaults();
            section.Bind(options, configuration);
            foreach (var key in section.Keys.Where(k => wanted(k) && k.Path != "conf"))
            {
                yaml.Write(key, options, key.IsLive ? "taken live" : null, hidden: false);
            }
        }

        return yaml._text.ToString();
    }

    /// <summary>edgecore's keys that are known and do nothing here, as comments.</summary>
    public static string WithoutEffect(SettingsSchema schema)
    {
        var keys = EdgecoreKeys.All.Where(k => schema.Find(k) is null && !SettingsLadder.IsAlias(k))
            .Where(k => k is not ("apiVersion" or "kind"));
        return string.Concat(keys.Select(k => $"#   {SettingsError.Show(k)}{Environment.NewLine}"));
    }

    // One group of the file is written in one piece, whatever the order in which modules said their settings; a module's switch is its first line.
    private static IEnumerable<SettingsSection> Ordered(SettingsSchema schema) =>
        schema.Sections
            .GroupBy(s => string.Join(':', s.Path.Split(':').Take(2)))
            .OrderBy(g => g.Key.Length == 0 ? 0 : g.Key.Contains(':', StringComparison.Ordinal) ? 2 : 1)
            .SelectMany(g => g.OrderBy(s => s is ModuleSwitchSection ? 0 : 1));

    private static string OriginOf(string path, SettingsLadder ladder)
    {
        var setting = ladder.Effective.GetValueOrDefault(path)
            ?? ladder.Effective.Values.FirstOrDefault(s => s.Key.StartsWith(path + ":", StringComparison.OrdinalIgnoreCase));
        return setting is null ? "from default" : $"from {setting.Place}";
    }

    private void Write(SettingsKey key, object options, string? remark, bool hidden)
    {
        var parts = key.Path.Split(':');
        Open(parts[..^1]);
        _text.Append(' ', 2 * (parts.Length - 1)).Append(parts[^1]).Append(": ").Append(hidden ? "'***'" : ValueOf(key, key.Read(options)));
        if (remark is not null)
        {
            _text.Append("  # ").Append(remark);
        }

        _text.AppendLine();
    }

    private void Open(string[] groups)
    {
        var common = 0;
        while (common < groups.Length && common < _open.Length && groups[common] == _open[common])
        {
            common++;
        }

        for (var i = common; i < groups.Length; i++)
        {
            _text.Append(' ', 2 * i).Append(groups[i]).AppendLine(":");
        }

        _open = groups;
    }

    private static string ValueOf(SettingsKey key, object? value)
    {
        var texts = key.Print(value);
        return key switch
        {
            { IsMap: true } => "{" + string.Join(", ", texts) + "}",
            { IsList: true } => "[" + string.Join(", ", texts.Select(Quoted)) + "]",
            _ => texts.Count == 0 ? "null" : value is string text ? Quoted(text) : texts[0],
        };
    }

    private static string Quoted(string text)
    {
        var plain = text.Length > 0 && text is not ("null" or "~" or "true" or "false")
            && (char.IsAsciiLetter(text[0]) || text[0] is '/' or '.') && text.AsSpan().IndexOfAnyExcept(PlainLetters) < 0
            && !text.EndsWith(':') && !text.Contains(": ", StringComparison.Ordinal);
        return plain ? text
            : text.Any(char.IsControl) ? JsonSerializer.Serialize(text)
            : "'" + text.Replace("'", "''", StringComparison.Ordinal) + "'";
    }

    private static readonly System.Buffers.SearchValues<char> PlainLetters =
        System.Buffers.SearchValues.Create("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_./:");
}
