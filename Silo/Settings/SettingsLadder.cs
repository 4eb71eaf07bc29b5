using Microsoft.Extensions.Configuration;

namespace EdgeOrleans.Settings;

/// <summary>
/// The settings of a process: what each source says, the higher over the lower, and where every value comes from. It is the one
/// configuration source of the host; a change is published whole or not at all.
/// </summary>
public sealed class SettingsLadder : IConfigurationSource
{
    // One value that has two keys: the right one is the left one from here on.
    private static readonly Dictionary<string, string> Aliases =
        new(StringComparer.OrdinalIgnoreCase) { ["modules:edged:hostnameOverride"] = "node:name" };

    private readonly IReadOnlyList<ISettingsSource> _sources;
    private readonly Provider _provider = new();
    private Dictionary<string, Setting> _effective = [];

    /// <summary>Reads all sources once. A source that cannot be read throws a <see cref="SettingsException"/>.</summary>
    /// <param name="sources">The lowest first.</param>
    public SettingsLadder(IReadOnlyList<ISettingsSource> sources)
    {
        _sources = sources;
        All = ReadAll();
        _effective = Merge(All);
        _provider.Publish(_effective);
    }

    /// <summary>Settings for a process that has no other source, as tests have.</summary>
    public static SettingsLadder Of(IReadOnlyDictionary<string, string> settings)
    {
        var given = new CommandLineSettings();
        foreach (var (key, value) in settings)
        {
            given.Set(key.Replace('.', ':'), value, key);
        }

        return new SettingsLadder([given]);
    }

    /// <summary>What the sources say, nothing left out, in the order of the ladder.</summary>
    public IReadOnlyList<Setting> All { get; private set; }

    /// <summary>The value that counts for each key that is set.</summary>
    public IReadOnlyDictionary<string, Setting> Effective => _effective;

    /// <summary>The folders to watch.</summary>
    internal IEnumerable<string> Folders => _sources.Select(s => s.Folder).OfType<string>();

    /// <summary>The config centre's rung, when there is one.</summary>
    internal ConfigCentre? Centre => _sources.OfType<ConfigCentre>().FirstOrDefault();

    /// <summary>What is known about settings; given once the modules have said theirs.</summary>
    internal SettingsSchema? Schema { get; private set; }

    IConfigurationProvider IConfigurationSource.Build(IConfigurationBuilder builder) => _provider;

    /// <summary>Checks all values, and that every key is known. Returns a warning for each key without effect.</summary>
    /// <exception cref="SettingsException">Something is wrong; one line for each thing.</exception>
    public IReadOnlyList<string> Check(IReadOnlyList<SettingsSection> sections)
    {
        Schema = new SettingsSchema(sections);
        var check = new SettingsCheck(Schema, All, _effective);
        check.ThrowIfWrong();
        return check.Warnings;
    }

    /// <summary>Reads all sources again and publishes what may change while the process runs.</summary>
    /// <param name="services">For validators of options.</param>
    /// <exception cref="SettingsException">The new settings are wrong, and nothing was changed.</exception>
    internal SettingsChange Reload(IServiceProvider services)
    {
        var all = ReadAll();
        var wanted = Merge(all);
        new SettingsCheck(Schema!, all, wanted, services).ThrowIfWrong();
        var change = SettingsChange.Between(_effective, wanted, Schema!);
        All = all;
        _effective = change.Taken;
        if (change.Live.Count > 0)
        {
            _provider.Publish(_effective);
        }

        return change;
    }

    internal static Dictionary<string, Setting> Merge(IEnumerable<Setting> all)
    {
        var merged = new Dictionary<string, Setting>(StringComparer.OrdinalIgnoreCase);
        foreach (var setting in all.Where(s => s.Text is not null))
        {
            var key = Resolve(setting.Key);
            if (BeginsList(key))
            {
                RemoveList(SettingsSchema.IsIndex(key) ? SettingsSchema.ParentOf(key) : key, merged);
            }

            merged[key] = setting;
        }

        return merged;
    }

    // A list counts as one value: who sets its first element, or all of it in one text, replaces it.
    private static bool BeginsList(string key) => !SettingsSchema.IsIndex(key) || key.EndsWith(":0", StringComparison.Ordinal);

    private static void RemoveList(string list, Dictionary<string, Setting> merged)
    {
        merged.Remove(list);
        for (var i = 0; merged.Remove($"{list}:{i}"); i++)
        {
        }
    }

    internal static string Resolve(string key) => Aliases.GetValueOrDefault(key, key);

    internal static bool IsAlias(string key) => Aliases.ContainsKey(key);

    private List<Setting> ReadAll()
    {
        try
        {
            return [.. _sources.SelectMany(s => s.Read())];
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new SettingsException($"the settings cannot be read: {e.Message}");
        }
    }

    private sealed class Provider : ConfigurationProvider
    {
        public void Publish(IReadOnlyDictionary<string, Setting> settings)
        {
            Data = settings.ToDictionary(s => s.Key, s => s.Value.Text, StringComparer.OrdinalIgnoreCase);
            OnReload();
        }
    }
}
