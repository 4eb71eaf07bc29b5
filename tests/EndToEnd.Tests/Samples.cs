namespace EdgeOrleans.EndToEnd;

/// <summary>Files as users have them.</summary>
internal static class Samples
{
    public const string PumpYaml = """
        apiVersion: devices.kubeedge.io/v1beta1
        kind: DeviceModel
        metadata:
          name: pump
          namespace: default
        spec:
          protocol: modbus
          properties:
            - name: temperature
              type: INT
              accessMode: ReadWrite
              minimum: "0"
              maximum: "90"
            - name: pressure
              type: FLOAT
              accessMode: ReadOnly
        ---
        apiVersion: devices.kubeedge.io/v1beta1
        kind: Device
        metadata:
          name: pump-1
          namespace: default
        spec:
          deviceModelRef:
            name: pump
          protocol:
            protocolName: modbus
          properties:
            - name: temperature
              desired:
                value: "25"
            - name: pressure
        """;

    /// <summary>A node of KubeEdge v1.22 that moves in.</summary>
    public const string EdgecoreYaml = """
        apiVersion: edgecore.config.kubeedge.io/v1alpha2
        kind: EdgeCore
        edgecoreVersion: ""
        database:
          driverName: sqlite3
          aliasName: default
          dataSource: /var/lib/kubeedge/edgecore.db
        modules:
          deviceTwin:
            enable: true
            dmiSockPath: /etc/kubeedge/dmi.sock
          eventBus:
            enable: true
            mqttMode: 2
            mqttQOS: 0
            mqttRetain: false
            mqttSessionQueueSize: 100
            mqttServerInternal: tcp://127.0.0.1:1884
            mqttServerExternal: tcp://127.0.0.1:1883
            mqttSubClientID: ""
            mqttPubClientID: ""
            mqttUsername: ""
            mqttPassword: ""
            eventBusTLS:
              enable: false
              tlsMqttCAFile: /etc/kubeedge/ca/rootCA.crt
              tlsMqttCertFile: /etc/kubeedge/certs/server.crt
              tlsMqttPrivateKeyFile: /etc/kubeedge/certs/server.key
          metaManager:
            enable: true
            contextSendGroup: hub
            contextSendModule: websocket
            remoteQueryTimeout: 60
            metaServer:
              enable: false
              server: 127.0.0.1:10550
              dummyServer: 169.254.30.10:10550
              tlsCaFile: /etc/kubeedge/ca/rootCA.crt
              tlsCertFile: /etc/kubeedge/certs/server.crt
              tlsPrivateKeyFile: /etc/kubeedge/certs/server.key
              serviceAccountIssuers: [https://kubernetes.default.svc.cluster.local]
              apiAudiences: null
              serviceAccountKeyFiles: null
          serviceBus:
            enable: false
            server: 127.0.0.1
            port: 9060
            timeout: 60
          dbTest:
            enable: false
          taskManager:
            enable: false
          edgeHub:
            enable: true
            heartbeat: 15
            messageQPS: 30
            messageBurst: 60
            projectID: e632aba927ea4ac2b575ec1603d56f10
            httpServer: https://10.0.0.1:10002
            token: ""
            rotateCertificates: true
            tlsCaFile: /etc/kubeedge/ca/rootCA.crt
            tlsCertFile: /etc/kubeedge/certs/server.crt
            tlsPrivateKeyFile: /etc/kubeedge/certs/server.key
            websocket: {enable: true, server: "10.0.0.1:10000", handshakeTimeout: 30, readDeadline: 15, writeDeadline: 15}
            quic: {enable: false, server: "10.0.0.1:10001", handshakeTimeout: 30, readDeadline: 15, writeDeadline: 15}
          edgeStream:
            enable: false
            server: 127.0.0.1:10004
            handshakeTimeout: 30
            readDeadline: 15
            writeDeadline: 15
            tlsTunnelCAFile: /etc/kubeedge/ca/rootCA.crt
            tlsTunnelCertFile: /etc/kubeedge/certs/server.crt
            tlsTunnelPrivateKeyFile: /etc/kubeedge/certs/server.key
          edged:
            enable: true
            hostnameOverride: stock-edge
            registerNodeNamespace: default
            registerSchedulable: true
            reportEvent: false
            rootDirectory: /var/lib/kubelet
            podSandboxImage: kubeedge/pause:3.6
            maxContainerCount: -1
            maxPerPodContainerCount: 1
            minimumGCAge: 0s
            tailoredKubeletConfig:
              address: 127.0.0.1
              readOnlyPort: 10350
              staticPodPath: /etc/kubeedge/manifests
              containerRuntimeEndpoint: unix:///run/containerd/containerd.sock
              cgroupDriver: cgroupfs
              clusterDomain: cluster.local
              evictionHard: {memory.available: 100Mi, nodefs.available: 10%}
        """;
}
