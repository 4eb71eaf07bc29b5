using System.Globalization;

namespace EdgeOrleans.Benchmarks.Measuring;

/// <summary>What a process uses, as Linux counts it.</summary>
internal static class ProcessUse
{
    private const double TicksPerSecond = 100;

    /// <summary>Resident memory now, in MiB.</summary>
    public static double Resident(int process) => FromStatus(process, "VmRSS:");

    /// <summary>The most resident memory so far, in MiB.</summary>
    public static double Busiest(int process) => FromStatus(process, "VmHWM:");

    /// <summary>Processor time so far.</summary>
    public static TimeSpan Processor(int process)
    {
        var stat = File.ReadAllText($"/proc/{process}/stat");
        var fields = stat[(stat.LastIndexOf(')') + 2)..].Split(' ');
        return TimeSpan.FromSeconds((Number(fields[11]) + Number(fields[12])) / TicksPerSecond);
    }

    /// <summary>Processor time of the whole machine so far that was not idle.</summary>
    public static TimeSpan Machine()
    {
        var fields = File.ReadLines("/proc/stat").First().Split(' ', StringSplitOptions.RemoveEmptyEntries)[1..9];
        return TimeSpan.FromSeconds(fields.Where((_, i) => i is not (3 or 4)).Sum(Number) / TicksPerSecond);
    }

    private static double FromStatus(int process, string field)
    {
        var line = File.ReadLines($"/proc/{process}/status").First(line => line.StartsWith(field, StringComparison.Ordinal));
        return Number(line.Split((char[])[' ', '\t'], StringSplitOptions.RemoveEmptyEntries)[1]) / 1024;
    }

    private static double Number(string text) => double.Parse(text, CultureInfo.InvariantCulture);
}
