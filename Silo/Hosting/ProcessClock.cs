using System.Globalization;

namespace EdgeOrleans.Hosting;

/// <summary>How long this process is running, from the first moment the operating system knows of it.</summary>
internal static class ProcessClock
{
    // Linux counts the start of a process in hundredths of a second since boot, whatever the kernel's own tick is.
    private const double TicksPerSecond = 100;

    public static TimeSpan Running() => OperatingSystem.IsLinux() ? SinceStat() : DateTime.Now - System.Diagnostics.Process.GetCurrentProcess().StartTime;

    private static TimeSpan SinceStat()
    {
        // The second field is the name in parentheses and may hold blanks; the start is the 20th after it.
        var stat = File.ReadAllText("/proc/self/stat");
        var started = stat[(stat.LastIndexOf(')') + 2)..].Split(' ')[19];
        var uptime = File.ReadAllText("/proc/uptime").Split(' ')[0];
        return TimeSpan.FromSeconds(
            double.Parse(uptime, CultureInfo.InvariantCulture) - (double.Parse(started, CultureInfo.InvariantCulture) / TicksPerSecond));
    }
}
