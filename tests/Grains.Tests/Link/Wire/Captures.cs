namespace EdgeOrleans.Link.Wire;

/// <summary>Envelopes as a stock edge or a hub for it wrote them (kubeedge-cloudlink 1.4, 1.8, 3.2, 4.7, 5.4 to 5.6, 6.2, appendix A; kubeedge-edge 1.1).</summary>
internal static class Captures
{
    public const string KeepAlive = """{"header":{"msg_id":"f1bac9ea-56e6-4109-a1d5-937fcd4575a7","timestamp":1795422825478},"route":{"source":"websocket","group":"resource","operation":"keepalive","resource":"node"},"content":"ping"}""";

    public const string MembershipQuery = """{"header":{"msg_id":"242dd565-3537-4653-b233-32cc74daa661","timestamp":1795422810478},"route":{"source":"twin","group":"resource","operation":"get","resource":"membership/detail"},"content":"{\"event_type\":\"group_membership_event\",\"event_id\":\"1388ee05-4d6c-47c0-a1ad-a6f6aef18750\",\"group_id\":\"edge-lab-1\",\"operation\":\"detail\",\"timestamp\":1795422810478}"}""";

    public const string TwinReport = """{"header":{"msg_id":"028fcbbb-89da-4230-b73f-6a39a9fcd8ec","timestamp":1795422858871},"route":{"source":"twin","group":"resource","operation":"update","resource":"device/default/sensor1/twin/edge_updated"},"content":{"event_id":"30ec6a4b-c918-4b58-b91c-72d084b91b6e","timestamp":1795422858871,"twin":{"temperature":{"actual":{"value":"21","metadata":{"timestamp":1795422858868}},"optional":true,"metadata":{"type":"string"},"actual_version":{"cloud":0,"edge":1}}}}}""";

    public const string StateReport = """{"header":{"msg_id":"b7fb87ec-e015-472d-b639-1eda7a9bd4a9","timestamp":1795422916783},"route":{"source":"twin","group":"resource","operation":"update","resource":"device/default/sensor1/state/update"},"content":"{\"event_id\":\"537f7362-cf8e-4305-b288-c30d60e5c98f\",\"timestamp\":1795422916783,\"device\":{\"name\":\"sensor1\",\"state\":\"online\",\"lastOnlineTime\":\"2026-11-23T08:35:16Z\"}}"}""";

    public const string DeviceAcknowledged = """{"header":{"msg_id":"bb47f80f-d5e5-4d44-a29d-ec42256ca470","parent_msg_id":"b3740ca0-b0d9-46e9-8665-27f98c93330b","timestamp":1795422920936},"route":{"source":"meta","group":"twin","operation":"response","resource":"default/device/sensor1"},"content":"OK"}""";

    public const string ResentDeviceAcknowledged = """{"header":{"msg_id":"3ee6a09e-2b7a-418c-b27b-2025812579a3","parent_msg_id":"dcce083b-3508-409c-8af7-65a9f9c03653","timestamp":1795422922478},"route":{"source":"edgecontroller","group":"resource","operation":"response","resource":"default/device/sensor1"},"content":"OK"}""";

    public const string Patch = """{"header":{"msg_id":"patch-1","timestamp":1},"route":{"source":"edgecontroller","group":"resource","operation":"patch","resource":"default/configmap/app-cfg"},"content":{"x":1}}""";

    public const string ControlAnswer = """{"header":{"msg_id":"4b56a759-e2a2-4ee9-a467-c5a2de8e0abd","parent_msg_id":"ctl-2","timestamp":1795422948361},"route":{"operation":"response","resource":"/control/config"},"content":"ack"}""";

    public const string Upload = """{"header":{"msg_id":"5148d4fc-9864-4a23-b110-50cc8699b612","timestamp":1795422950956},"route":{"source":"bus","group":"user","operation":"upload","resource":"default/alarms"},"content":"hot!"}""";

    public const string ServiceAnswer = """{"header":{"msg_id":"4aa10666-21a7-4a2b-b7d7-db42c9115d1e","parent_msg_id":"sb-1","timestamp":1795423844018},"route":{"source":"servicebus","group":"user","operation":"upload"},"content":{"header":{"Content-Length":["24"]},"status_code":200,"body":"aGVsbG8gZnJvbSBlZGdlIHNlcnZpY2UK"}}""";

    public const string ServiceError = """{"header":{"msg_id":"5ab78d08-f80d-4b4e-9a05-7bb951b24a8c","parent_msg_id":"sb-2","timestamp":1795423844016},"route":{"source":"servicebus","group":"user"},"content":{"header":{"Server":["kubeedge-edgecore"]},"status_code":404,"body":"ZXJyb3IgdG8gY2FsbCBzZXJ2aWNl"}}""";

    public const string ServiceCall = """{"header":{"msg_id":"d3483615-90f8-4673-8ca8-2beadd6e4e94","timestamp":1795423846058},"route":{"source":"servicebus","group":"user","operation":"upload","resource":"http://cloud.example/api"},"content":"eyJtZXRob2QiOiJQT1NUIiwidGFyZ2V0VVJMIjoiaHR0cDovL2Nsb3VkLmV4YW1wbGUvYXBpIiwicGF5bG9hZCI6eyJrIjoidiJ9fQ=="}""";

    public const string Goodbye = """{"header":{"msg_id":"","timestamp":0},"route":{},"content":null}""";

    public const string DesiredValue = """{"header":{"msg_id":"4d47b4c2-21ac-4678-888d-7ce914c3cb27","timestamp":1795422865334},"route":{"source":"devicecontroller","group":"twin","operation":"update","resource":"membership"},"content":{"event_id":"m-2","timestamp":1795422865334,"added_devices":[{"id":"default/sensor1","name":"sensor1","twin":{"temperature":{"expected":{"value":"25"},"optional":true,"metadata":{"type":"string"},"expected_version":{"cloud":1,"edge":0}}}}]}}""";

    public const string MembershipDetail = """{"header":{"msg_id":"98d62d34-0000-4000-8000-000000000000","timestamp":1795422913633},"route":{"source":"devicecontroller","group":"twin","operation":"update","resource":"membership/detail"},"content":{"event_id":"d-1","timestamp":1795422913633,"devices":[{"id":"default/sensor2","name":"sensor2"}]}}""";

    public const string Confirmation = """{"header":{"msg_id":"a0e9d327-e8ef-4c52-b0ae-d4372cd460aa","parent_msg_id":"028fcbbb-89da-4230-b73f-6a39a9fcd8ec","timestamp":1795422858877},"route":{"source":"devicecontroller","group":"twin","operation":"response","resource":"twin"},"content":"OK"}""";

    public const string DeviceModel = """{"header":{"msg_id":"8ea77875-d4d0-4bb2-b5c0-45cc3e47b79d","timestamp":1795422919909,"resourceversion":"101"},"route":{"source":"devicecontroller","group":"resource","operation":"insert","resource":"default/devicemodel/thermo"},"content":{"kind":"DeviceModel","apiVersion":"devices.kubeedge.io/v1beta1"}}""";

    public const string Conflict = """{"header":{"msg_id":"486f9e32-65bf-47c4-923d-5be130459906","timestamp":1795422912105},"route":{"source":"twin","group":"resource","operation":"update","resource":"device/default/sensor1/twin/edge_updated"},"content":{"event_id":"57b0f83a-ca10-487b-b0ef-886379004361","timestamp":1795422912105,"twin":{"temperature":{"expected":{"value":"25","metadata":{"timestamp":1795422865340}},"optional":true,"metadata":{"type":"string"},"expected_version":{"cloud":1,"edge":0}}}}}""";

    public static IReadOnlyList<string> All { get; } =
    [
        KeepAlive, MembershipQuery, TwinReport, StateReport, DeviceAcknowledged, ResentDeviceAcknowledged, Patch, ControlAnswer, Upload, ServiceAnswer,
        ServiceError, ServiceCall, Goodbye, DesiredValue, MembershipDetail, Confirmation, DeviceModel, Conflict,
    ];
}
