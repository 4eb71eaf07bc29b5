using EdgeOrleans.Settings;

namespace EdgeOrleans.Modules;

/// <summary>Whether a module runs. Section: <c>modules.&lt;name&gt;</c>, beside the module's own settings.</summary>
internal sealed class ModuleSwitch
{
    /// <summary>The name of the key in the module's section.</summary>
    public const string Key = "enable";

    /// <summary>Whether the module runs. Default: as the role has it.</summary>
    public bool Enable { get; set; }

    /// <summary>Whether a module can be off: a node does not run without its database.</summary>
    public static bool IsFor(string module) => module != ModuleNames.DbManager;

    /// <summary>The key that switches a module, with <c>:</c> between its parts.</summary>
    public static string PathOf(string module) => $"modules:{module}:{Key}";
}

/// <summary>The switch of one module as a section of the settings, with the role's default.</summary>
internal sealed class ModuleSwitchSection(string module, bool byDefault) : SettingsSection($"modules:{module}", typeof(ModuleSwitch))
{
    public override object Defaults() => new ModuleSwitch { Enable = byDefault };

    public override IEnumerable<SettingsError> Validate(object options, IServiceProvider services) => [];
}
