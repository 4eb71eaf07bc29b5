using EdgeOrleans.Beehive;
using EdgeOrleans.Modules;

namespace EdgeOrleans.Link.Wire;

/// <summary>Where a message of the cloud goes on the node (kubeedge-cloudlink 4.1, kubeedge-edge 9): a pure function of group, source and parent.</summary>
/// <remarks>
/// KubeEdge's table, first match wins. Two things are told where a stock edge only writes a log line: what has no addressee is
/// refused with the reason; and in group <c>twin</c> only the names of a cloud may speak, since the device twin takes the source
/// <c>bus</c> for a device and <c>edgehub</c> for the link itself.
/// </remarks>
internal static class Downlink
{
    /// <summary>The way of one message.</summary>
    public static DownlinkRoute Route(Message message)
    {
        var (route, parent) = (message.Route, message.Header.ParentId);
        return (route.Group, parent is not null) switch
        {
            ("resource" or "func" or "user", true) => new DownlinkRoute.Answer(parent!),
            ("resource" or "func", false) => To(ModuleNames.MetaManager),
            ("twin", true) => new DownlinkRoute.Confirmation(parent!),
            ("twin", false) when route.Source is "devicecontroller" or "edgemgr" => To(ModuleNames.DeviceTwin),
            ("twin", false) => Refuse($"source '{Shorten(route.Source)}' does not speak to the twins; 'devicecontroller' and 'edgemgr' do"),
            ("user", false) when route.Source == "router_eventbus" => To(ModuleNames.EventBus),
            ("user", false) when route.Source == "router_servicebus" => To(ModuleNames.ServiceBus),
            ("user", false) => Refuse($"source '{Shorten(route.Source)}' has no bus; 'router_eventbus' and 'router_servicebus' have"),
            ("taskmanager", _) => Refuse("this node takes no orders of KubeEdge's task manager (upgrade, prepull)"),
            _ when Envelope.IsEmpty(message) => Refuse("an envelope without anything"),
            _ => Refuse($"group '{Shorten(route.Group)}' is nobody's"),
        };
    }

    private static DownlinkRoute.Module To(string module) => new(Address.Module(module));

    private static DownlinkRoute.Refused Refuse(string reason) => new(reason);

    private static string Shorten(string text) => Uplink.Shorten(text);
}

/// <summary>The way of a message of the cloud.</summary>
internal abstract record DownlinkRoute
{
    private DownlinkRoute()
    {
    }

    /// <summary>To who waits for the answer to the message with this id; nobody may wait any more.</summary>
    public sealed record Answer(string ParentId) : DownlinkRoute;

    /// <summary>The cloud has the report with this id: nothing else is in it, its content means nothing.</summary>
    public sealed record Confirmation(string ParentId) : DownlinkRoute;

    /// <summary>To a module.</summary>
    public sealed record Module(Address Address) : DownlinkRoute;

    /// <summary>To nobody.</summary>
    public sealed record Refused(string Reason) : DownlinkRoute;
}
