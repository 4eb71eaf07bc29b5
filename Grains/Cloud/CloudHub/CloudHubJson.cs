using System.Text.Json.Serialization;

namespace EdgeOrleans.Cloud.CloudHub;

/// <summary>How the room's grain states become JSON.</summary>
[JsonSerializable(typeof(JoinTokensRecord))]
[JsonSerializable(typeof(NodeCertificatesRecord))]
internal sealed partial class CloudHubJson : JsonSerializerContext;
