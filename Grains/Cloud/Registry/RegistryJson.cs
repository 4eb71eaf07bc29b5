using System.Collections.Immutable;
using System.Text.Json.Serialization;

namespace EdgeOrleans.Cloud.Registry;

/// <summary>How labels and lists of values become JSON in the registry's tables.</summary>
[JsonSerializable(typeof(ImmutableSortedDictionary<string, string>))]
[JsonSerializable(typeof(string[]))]
internal sealed partial class RegistryJson : JsonSerializerContext;
