namespace EdgeOrleans.Settings;

/// <summary>The keys of edgecore.yaml. A bare number of one that is a duration is seconds; one that no options class has is known, and has no effect.</summary>
public static class EdgecoreKeys
{
    /// <summary>All keys, with <c>:</c> between their parts.</summary>
    public static IReadOnlyCollection<string> All => Keys;

    /// <summary>A key in edgecore's spelling, whatever the case it is given in; null when edgecore has no such key.</summary>
    public static string? Find(string path) => Keys.TryGetValue(path, out var key)
        ? key
        : Array.Find(Groups, group => path.StartsWith(group, StringComparison.OrdinalIgnoreCase)) is { } open ? open + path[open.Length..] : null;

    // Groups whose keys belong to somebody else: the kubelet, feature gates.
    private static readonly string[] Groups = ["modules:edged:tailoredKubeletConfig:", "featureGates:"];

    private static readonly HashSet<string> Keys = new(Read(), StringComparer.OrdinalIgnoreCase);

    private static IEnumerable<string> Read()
    {
        foreach (var line in Table.Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries))
        {
            var words = line.Split(' ', StringSplitOptions.RemoveEmptyEntries);
            foreach (var word in words.Skip(1))
            {
                yield return words[0] == "-" ? word : $"{words[0]}:{word}";
            }
        }
    }

    private const string Table = """
        - apiVersion kind edgecoreVersion
        database driverName aliasName dataSource
        modules:deviceTwin enable dmiSockPath
        modules:eventBus enable mqttMode mqttQOS mqttRetain mqttSessionQueueSize mqttServerInternal mqttServerExternal
        modules:eventBus mqttSubClientID mqttPubClientID mqttUsername mqttPassword
        modules:eventBus:eventBusTLS enable tlsMqttCAFile tlsMqttCertFile tlsMqttPrivateKeyFile
        modules:metaManager enable contextSendGroup contextSendModule remoteQueryTimeout
        modules:metaManager:metaServer enable server dummyServer tlsCaFile tlsCertFile tlsPrivateKeyFile
        modules:metaManager:metaServer serviceAccountIssuers apiAudiences serviceAccountKeyFiles
        modules:serviceBus enable server port timeout
        modules:dbTest enable
        modules:taskManager enable
        modules:edgeHub enable heartbeat messageQPS messageBurst projectID httpServer token rotateCertificates
        modules:edgeHub tlsCaFile tlsCertFile tlsPrivateKeyFile
        modules:edgeHub:websocket enable server handshakeTimeout readDeadline writeDeadline
        modules:edgeHub:quic enable server handshakeTimeout readDeadline writeDeadline
        modules:edgeStream enable server handshakeTimeout readDeadline writeDeadline
        modules:edgeStream tlsTunnelCAFile tlsTunnelCertFile tlsTunnelPrivateKeyFile
        modules:edged enable hostnameOverride nodeIP customInterfaceName registerNodeNamespace registerSchedulable reportEvent
        modules:edged rootDirectory podSandboxImage maxContainerCount maxPerPodContainerCount minimumGCAge
        """;
}
