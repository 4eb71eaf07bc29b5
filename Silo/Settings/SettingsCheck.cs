using EdgeOrleans.Modules;
using Microsoft.Extensions.Configuration;

namespace EdgeOrleans.Settings;

/// <summary>Says what is wrong with settings, each with its place, and which of them do nothing here.</summary>
internal sealed class SettingsCheck
{
    // More would hide the first, which is usually the reason for the others.
    private const int MostErrors = 10;

    private readonly SettingsSchema _schema;
    private readonly List<string> _errors = [];
    private readonly List<string> _warnings = [];

    public SettingsCheck(
        SettingsSchema schema, IReadOnlyList<Setting> all, IReadOnlyDictionary<string, Setting> effective, IServiceProvider? services = null)
    {
        _schema = schema;
        foreach (var setting in all.Where(IsFirst))
        {
            CheckKey(setting);
        }

        CheckValues(effective, services);
    }

    public IReadOnlyList<string> Warnings => _warnings;

    public void ThrowIfWrong()
    {
        if (_errors.Count > 0)
        {
            throw new SettingsException(string.Join(Environment.NewLine, _errors.Take(MostErrors)));
        }
    }

    private void CheckKey(Setting setting)
    {
        var shown = SettingsError.Show(setting.Key);
        if (setting.Key.Equals("kind", StringComparison.OrdinalIgnoreCase) || setting.Key.Equals("apiVersion", StringComparison.OrdinalIgnoreCase))
        {
            CheckKind(setting);
        }
        else if (SettingsLadder.IsAlias(setting.Key) || _schema.Find(setting.Key) is not null)
        {
            // Known, and it counts.
        }
        else if (setting.Key.Equals(ModuleSwitch.PathOf(ModuleNames.DbManager), StringComparison.OrdinalIgnoreCase))
        {
            _errors.Add($"{shown} ({setting.Place}) is not a switch: a node does not run without its database");
        }
        else if (SettingsSchema.FindEdgecore(setting.Key) is { } edgecore)
        {
            _warnings.Add($"{SettingsError.Show(edgecore)} ({setting.Place}) is edgecore's and has no effect here");
        }
        else if (!(string.IsNullOrEmpty(setting.Text) && _schema.IsGroup(setting.Key)))
        {
            var nearest = _schema.Nearest(setting.Key) is { } key ? $"; did you mean {SettingsError.Show(key)}?" : "";
            _errors.Add($"{shown} ({setting.Place}) is not a known key{nearest}");
        }
    }

    // A device or a model that was put into the wrong folder would otherwise fail with a list of unknown keys.
    private void CheckKind(Setting setting)
    {
        var isKind = setting.Key.Equals("kind", StringComparison.OrdinalIgnoreCase);
        var fits = isKind ? setting.Text is "EdgeCore" : setting.Text?.StartsWith("edgecore.config.kubeedge.io/", StringComparison.Ordinal) ?? true;
        if (!fits)
        {
            _errors.Add($"{setting.Key} ({setting.Place}) is {setting.Text}, but a settings file is of kind EdgeCore; devices are given with \"edgectl apply -f\"");
        }
    }

    private void CheckValues(IReadOnlyDictionary<string, Setting> effective, IServiceProvider? services)
    {
        var configuration = ConfigurationOf(effective);
        foreach (var section in _schema.Sections)
        {
            var options = section.Defaults();
            var errors = section.Bind(options, configuration);
            if (errors.Count == 0 && services is not null)
            {
                errors = [.. section.Validate(options, services)];
            }

            _errors.AddRange(errors.Select(e => Place(e, effective)));
        }
    }

    internal static IConfiguration ConfigurationOf(IReadOnlyDictionary<string, Setting> settings) => new ConfigurationBuilder()
        .AddInMemoryCollection(settings.Select(s => KeyValuePair.Create(s.Key, s.Value.Text)))
        .Build();

    private static string Place(SettingsError error, IReadOnlyDictionary<string, Setting> effective)
    {
        var setting = effective.GetValueOrDefault(error.Path) ?? effective.GetValueOrDefault($"{error.Path}:0");
        return setting is null ? error.ToString() : $"{SettingsError.Show(error.Path)} ({setting.Place}) {error.Reason}";
    }

    // The elements of a list are one key.
    private static bool IsFirst(Setting setting) =>
        !SettingsSchema.IsIndex(setting.Key) || setting.Key.EndsWith(":0", StringComparison.Ordinal);
}
