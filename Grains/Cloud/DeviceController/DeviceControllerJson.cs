using System.Text.Json.Serialization;

namespace EdgeOrleans.Cloud.DeviceController;

/// <summary>How the room's grain states become JSON.</summary>
[JsonSerializable(typeof(DeviceRecord))]
[JsonSerializable(typeof(CloudProperty[]))]
[JsonSerializable(typeof(ModelRecord))]
internal sealed partial class DeviceControllerJson : JsonSerializerContext;
