using System.Collections;
using System.Runtime.InteropServices;

namespace EdgeOrleans.Hosting;

/// <summary>Gives the garbage collector a small first generation, so that an idle node stays small.</summary>
/// <remarks>
/// The runtime reads this size from the environment alone, and only before it starts. So the program replaces itself once, at the
/// very beginning of Main: same process id, same arguments, one variable more. Whoever sets the variable himself, as a unit file
/// does, saves the time; <c>EDGEORLEANS_REEXEC=0</c> switches it off.
/// </remarks>
internal static partial class GcBudget
{
    private const string Size = "DOTNET_GCgen0size";
    private const string FourMegabytes = "0x400000";
    private const string Switch = "EDGEORLEANS_REEXEC";

    /// <summary>Returns only when the process is not replaced.</summary>
    public static void Apply()
    {
        if (!OperatingSystem.IsLinux() || Has(Size) || Has("COMPlus_GCgen0size") || Environment.GetEnvironmentVariable(Switch) == "0")
        {
            return;
        }

        var arguments = File.ReadAllText("/proc/self/cmdline").TrimEnd('\0').Split('\0');
        var environment = Environment.GetEnvironmentVariables().Cast<DictionaryEntry>().Select(v => $"{v.Key}={v.Value}");

        // Where it fails, the node runs as well, with a larger first generation.
        _ = Execute(Environment.ProcessPath ?? "/proc/self/exe", Pointers(arguments), Pointers([.. environment, $"{Size}={FourMegabytes}"]));
    }

    private static bool Has(string name) => Environment.GetEnvironmentVariable(name) is not null;

    // Never freed: either the process is another one then, or it happened once.
    private static IntPtr[] Pointers(string[] texts) => [.. texts.Select(Marshal.StringToCoTaskMemUTF8), IntPtr.Zero];

    [LibraryImport("libc", EntryPoint = "execve", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int Execute(string path, IntPtr[] arguments, IntPtr[] environment);
}
