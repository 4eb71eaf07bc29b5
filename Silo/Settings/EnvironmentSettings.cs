using System.Collections;

namespace EdgeOrleans.Settings;

/// <summary>Settings in the environment: <c>EDGEORLEANS__modules__eventBus__mqttMode=0</c>.</summary>
internal sealed class EnvironmentSettings(IDictionary variables) : ISettingsSource
{
    public const string Prefix = "EDGEORLEANS__";

    public IEnumerable<Setting> Read() =>
        from DictionaryEntry variable in variables
        let name = (string)variable.Key
        where name.StartsWith(Prefix, StringComparison.OrdinalIgnoreCase)
        orderby name
        select new Setting(
            name[Prefix.Length..].Replace("__", ":", StringComparison.Ordinal), (string?)variable.Value, Rung.Environment, $"environment {name}");
}
