using EdgeOrleans.Modules;

namespace EdgeOrleans.Edge.EventBus;

/// <summary>Whether there is a broker that an operator can see and change.</summary>
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
}
