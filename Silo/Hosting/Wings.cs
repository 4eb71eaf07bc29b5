using System.Reflection;
using EdgeOrleans.Modules;
using Microsoft.Extensions.DependencyInjection;
using Orleans.Configuration;

namespace EdgeOrleans.Hosting;

/// <summary>The two wings of the house. One assembly holds both, and a process runs one.</summary>
internal static class Wings
{
    public const string Edge = "edge.";
    public const string Cloud = "cloud.";

    /// <summary>Takes the other wing's grains out of a silo, and with them their implicit subscriptions.</summary>
    public static ISiloBuilder WithoutWing(this ISiloBuilder silo, string wing)
    {
        silo.Services.Configure<GrainTypeOptions>(types => types.Classes.RemoveWhere(type => IsOf(type, wing)));
        return silo;
    }

    private static bool IsOf(Type type, string wing) =>
        type.Assembly == typeof(ModuleCatalog).Assembly
        && type.GetCustomAttribute<GrainTypeAttribute>()?.GetGrainType(null!, type).ToString()?.StartsWith(wing, StringComparison.Ordinal) == true;
}
