using System.Text.Json;
using EdgeOrleans.Modules;

namespace EdgeOrleans.Http;

/// <summary>Whether an update would be answered now: everything has started, and no module that should work has failed.</summary>
internal sealed class Readiness(ModuleCatalog modules)
{
    private volatile bool _started;

    public bool IsReady => _started && modules.All.All(m => !m.Enabled || m.State is ModuleState.Running or ModuleState.NotBuilt);

    public void Started() => _started = true;

    public void Stopping() => _started = false;

    /// <summary>What each module is doing, as JSON.</summary>
    public byte[] Describe()
    {
        using var stream = new MemoryStream();
        using (var json = new Utf8JsonWriter(stream))
        {
            json.WriteStartObject();
            json.WriteBoolean("ready", IsReady);
            json.WriteStartObject("modules");
            foreach (var module in modules.All)
            {
                json.WriteString(module.Name, JsonNamingPolicy.CamelCase.ConvertName(module.State.ToString()));
            }

            json.WriteEndObject();
            WriteDegraded(json);
            json.WriteEndObject();
        }

        return stream.ToArray();
    }

    // Ready, and with less than there should be: a node without its cloud serves its devices.
    private void WriteDegraded(Utf8JsonWriter json)
    {
        json.WriteStartObject("degraded");
        foreach (var module in modules.All.Where(static m => m.IsDegraded && m.State == ModuleState.Running))
        {
            json.WriteString(module.Name, module.Detail);
        }

        json.WriteEndObject();
    }
}
