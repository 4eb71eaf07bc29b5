using EdgeOrleans.Modules;
using EdgeOrleans.Mqtt;

namespace EdgeOrleans.Edge.EventBus;

/// <summary>Whether an operator can be shown what he asks for.</summary>
internal static class BrokerCheck
{
    /// <summary>Returns when the broker runs.</summary>
    /// <exception cref="RefusedException">409 there is none or it has failed; 503 it does not run yet, or any more.</exception>
    public static void MustRunBroker(this ModuleCatalog modules)
    {
        var module = modules.Find(ModuleNames.EventBus);
        switch (module?.State)
        {
            case ModuleState.Running:
                return;
            case ModuleState.Failed:
                throw new RefusedException(409, $"the MQTT broker of this node does not run: {module.Detail}");
            case ModuleState.Stopped:
                throw new RefusedException(503, "the MQTT broker of this node does not run yet, or any more; ask again");
            default:
                throw new RefusedException(409, "this node has no MQTT broker: modules.eventBus.enable is false");
        }
    }

    /// <summary>Returns when as many rows may be asked for.</summary>
    /// <exception cref="RefusedException">400 they may not.</exception>
    public static void MustBePossible(this MqttQuery query)
    {
        if (query.Count is < 1 or > MqttQuery.MaxCount)
        {
            throw new RefusedException(400, $"{query.Count} rows cannot be asked for at once; it is 1 to {MqttQuery.MaxCount}");
        }
    }
}
