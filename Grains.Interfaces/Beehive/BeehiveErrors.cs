namespace EdgeOrleans.Beehive;

/// <summary>An address has as many messages waiting as it may have. It is refused at its own limit and stops no other.</summary>
[GenerateSerializer, Alias("beehive.full")]
public sealed class BeehiveFullException(string address, int limit)
    : Exception($"{address} has {limit} messages waiting, which is its limit; try again when it has caught up");

/// <summary>A module cannot be asked: unknown, disabled, not built, or stopped.</summary>
[GenerateSerializer, Alias("beehive.module-unavailable")]
public sealed class ModuleUnavailableException(string module, string why) : Exception($"module {module} is {why}");

/// <summary>No answer came in time.</summary>
[GenerateSerializer, Alias("beehive.timeout")]
public sealed class BeehiveTimeoutException(string who, string resource, TimeSpan after)
    : Exception($"no answer from {who} about '{resource}' within {after.TotalSeconds:0.###} s");
