using EdgeOrleans.Modules;

namespace EdgeOrleans.Settings;

/// <summary>All keys there are: those of the registered sections, and edgecore's that have no effect here.</summary>
internal sealed class SettingsSchema
{
    private readonly Dictionary<string, SettingsKey> _keys = new(StringComparer.OrdinalIgnoreCase);

    public SettingsSchema(IReadOnlyList<SettingsSection> sections)
    {
        Sections = sections;
        foreach (var key in sections.SelectMany(s => s.Keys))
        {
            _keys.TryAdd(key.Path, key);
        }
    }

    public IReadOnlyList<SettingsSection> Sections { get; }

    /// <summary>The setting behind a key, an element of a list or a name of a map included; null when there is none.</summary>
    public SettingsKey? Find(string path)
    {
        if (_keys.TryGetValue(path, out var key))
        {
            return key;
        }

        var parent = ParentOf(path);
        return parent.Length > 0 && _keys.TryGetValue(parent, out key) && (key.IsMap || (key.IsList && IsIndex(path))) ? key : null;
    }

    /// <summary>Whether a key is edgecore's, a list's element included, and what it is called there.</summary>
    public static string? FindEdgecore(string path) => EdgecoreKeys.Find(IsIndex(path) ? ParentOf(path) : path);

    /// <summary>Whether a key switches a module of the design on or off.</summary>
    public static bool IsModuleSwitch(string path) => ModuleSwitches.Contains(path);

    /// <summary>Whether a key is the beginning of others: it may be there with nothing below it.</summary>
    public bool IsGroup(string path) =>
        Everything.Any(key => key.Length > path.Length && key[path.Length] == ':' && key.StartsWith(path, StringComparison.OrdinalIgnoreCase));

    /// <summary>The key that was probably meant.</summary>
    public string? Nearest(string path) => EditDistance.Nearest(path, Everything);

    public static string ParentOf(string path) => path.LastIndexOf(':') is var end and >= 0 ? path[..end] : "";

    public static bool IsIndex(string path) => int.TryParse(path.AsSpan(path.LastIndexOf(':') + 1), out _);

    private IEnumerable<string> Everything => _keys.Keys.Concat(ModuleSwitches).Concat(EdgecoreKeys.All);

    private static readonly HashSet<string> ModuleSwitches = new(
        new[]
        {
            ModuleNames.EdgeHub, ModuleNames.MetaManager, ModuleNames.DeviceTwin, ModuleNames.Edged, ModuleNames.EdgeMesh,
            ModuleNames.ServiceBus, ModuleNames.EventBus, ModuleNames.TestBench,
            ModuleNames.CloudHub, ModuleNames.DeviceController, ModuleNames.EdgeController, ModuleNames.Router,
        }.Select(name => $"modules:{name}:enable"),
        StringComparer.OrdinalIgnoreCase);
}
