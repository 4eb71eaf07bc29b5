using System.Collections.Frozen;
using Orleans.Metadata;

namespace EdgeOrleans.Beehive;

/// <summary>The kinds of entities that grains of this role listen for, taken from their subscriptions. A message to any other would reach nobody.</summary>
internal sealed class EntityKinds(IClusterManifestProvider manifest)
{
    private const string Namespace = "namespace:";
    private FrozenSet<string>? _kinds;

    public bool Contains(string kind) => (_kinds ??= Read()).Contains(kind);

    private FrozenSet<string> Read() => manifest.LocalGrainManifest.Grains.Values
        .SelectMany(grain => grain.Properties)
        .Where(property => property.Key.StartsWith(WellKnownGrainTypeProperties.BindingPrefix, StringComparison.Ordinal)
            && property.Value?.StartsWith(Namespace, StringComparison.Ordinal) is true)
        .Select(property => property.Value[Namespace.Length..])
        .Where(kind => kind.Contains('/', StringComparison.Ordinal))
        .ToFrozenSet(StringComparer.Ordinal);
}
