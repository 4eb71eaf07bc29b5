namespace EdgeOrleans.Benchmarks.Load;

/// <summary>What came of a load.</summary>
/// <param name="Rate">Good answers a second.</param>
/// <param name="P50">The median of the milliseconds from a request to its answer.</param>
/// <param name="P99">What 99 of 100 requests stay below.</param>
/// <param name="Bad">Answers that were errors or did not hold what was sent, and requests without an answer.</param>
internal sealed record LoadFigures(double Rate, double P50, double P99, int Bad)
{
    public static LoadFigures Of(List<double> milliseconds, TimeSpan length, int bad)
    {
        milliseconds.Sort();
        return new LoadFigures(milliseconds.Count / length.TotalSeconds, At(milliseconds, 0.50), At(milliseconds, 0.99), bad);
    }

    private static double At(List<double> sorted, double share) => sorted.Count == 0 ? double.NaN : sorted[(int)((sorted.Count - 1) * share)];
}
