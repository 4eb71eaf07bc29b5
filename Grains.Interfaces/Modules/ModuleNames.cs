namespace EdgeOrleans.Modules;

/// <summary>The modules' names: the keys under <c>modules.</c>, and their addresses in the beehive.</summary>
public static class ModuleNames
{
    /// <summary>The database of this process.</summary>
    public const string DbManager = "dbManager";

    /// <summary>The link to the cloud. KubeEdge: <c>websocket</c>.</summary>
    public const string EdgeHub = "edgeHub";

    /// <summary>Metadata of resources. KubeEdge: <c>metamanager</c>.</summary>
    public const string MetaManager = "metaManager";

    /// <summary>Device twins and membership. KubeEdge: <c>twin</c>.</summary>
    public const string DeviceTwin = "deviceTwin";

    /// <summary>Workloads.</summary>
    public const string Edged = "edged";

    /// <summary>Services across nodes.</summary>
    public const string EdgeMesh = "edgeMesh";

    /// <summary>HTTP for apps. KubeEdge: <c>servicebus</c>.</summary>
    public const string ServiceBus = "serviceBus";

    /// <summary>MQTT. KubeEdge: <c>eventbus</c>.</summary>
    public const string EventBus = "eventBus";

    /// <summary>The test module. KubeEdge: <c>testManager</c>.</summary>
    public const string TestBench = "testBench";

    /// <summary>The cloud's doors for nodes.</summary>
    public const string CloudHub = "cloudHub";

    /// <summary>Devices and device models of the cloud.</summary>
    public const string DeviceController = "deviceController";

    /// <summary>Nodes and workloads of the cloud.</summary>
    public const string EdgeController = "edgeController";

    /// <summary>Rules between the cloud's endpoints and devices.</summary>
    public const string Router = "router";

    /// <summary>KubeEdge's names as other spellings of ours (reference 1.3).</summary>
    public static IReadOnlyDictionary<string, string> Aliases { get; } = new Dictionary<string, string>(StringComparer.Ordinal)
    {
        ["twin"] = DeviceTwin,
        ["websocket"] = EdgeHub,
        ["eventbus"] = EventBus,
        ["metamanager"] = MetaManager,
        ["servicebus"] = ServiceBus,
        ["edgemesh"] = EdgeMesh,
        ["testManager"] = TestBench,
    };
}
