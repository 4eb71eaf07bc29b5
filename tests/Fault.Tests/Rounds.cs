using System.Globalization;

namespace EdgeOrleans.Fault;

/// <summary>How often a test repeats what depends on the moment. <c>EDGEORLEANS_FAULT_ROUNDS</c> says more than the default of 3.</summary>
internal static class Rounds
{
    public static int Count { get; } =
        int.TryParse(Environment.GetEnvironmentVariable("EDGEORLEANS_FAULT_ROUNDS"), CultureInfo.InvariantCulture, out var rounds) && rounds > 0
            ? rounds
            : 3;
}
