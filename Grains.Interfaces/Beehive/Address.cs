namespace EdgeOrleans.Beehive;

/// <summary>Where a message goes: a module by its name, or an entity by its kind and key.</summary>
/// <remarks>
/// The address is the identity of an Orleans stream. A module listens at <c>(group, module name)</c>; an entity listens at
/// <c>(group/kind, key)</c> and *is* the grain of that key. A message to a group reaches its modules and never its entities.
/// </remarks>
[GenerateSerializer, Immutable, Alias("beehive.address")]
public readonly record struct Address
{
    private Address(string? ns, string key) => (Namespace, Key) = (ns, key);

    /// <summary>The stream namespace, <c>group/kind</c>, of an entity; null for a module, whose group is looked up by its name.</summary>
    [Id(0)]
    public string? Namespace { get; init; }

    /// <summary>The module's name or the entity's key.</summary>
    [Id(1)]
    public string Key { get; init; }

    /// <summary>Whether this is the address of an entity.</summary>
    public bool IsEntity => Namespace is not null;

    /// <summary>The address of a module. KubeEdge's names (<c>twin</c>, <c>websocket</c>, <c>eventbus</c> …) are accepted too.</summary>
    public static Address Module(string name) => new(null, name);

    /// <summary>The address of an entity.</summary>
    /// <param name="kind">Group and kind, such as <see cref="Entities.Device"/>.</param>
    /// <param name="key">The entity's key, such as <c>default/pump-1</c>.</param>
    public static Address Entity(string kind, string key) => new(kind, key);

    /// <inheritdoc/>
    public override string ToString() => Namespace is null ? Key : $"({Namespace}, {Key})";
}

/// <summary>The kinds of entities that have an address of their own.</summary>
public static class Entities
{
    /// <summary>The twin of a device; the key is <c>namespace/name</c>.</summary>
    public const string Device = "twin/device";
}
