using System.Diagnostics;

namespace EdgeOrleans.Benchmarks.Measuring;

/// <summary>How much of a core the machine's other processes take meanwhile. Above a half the figures say little.</summary>
internal sealed class Others(params int[] ours)
{
    private readonly TimeSpan _machine = ProcessUse.Machine();
    private readonly TimeSpan _ours = Ours(ours);
    private readonly long _begin = Stopwatch.GetTimestamp();

    /// <summary>Since it was made.</summary>
    public double Share() =>
        Math.Max(0, (ProcessUse.Machine() - _machine - (Ours(ours) - _ours)) / Stopwatch.GetElapsedTime(_begin));

    private static TimeSpan Ours(int[] processes) =>
        processes.Append(Environment.ProcessId).Aggregate(TimeSpan.Zero, (sum, process) => sum + ProcessUse.Processor(process));
}
