using System.ComponentModel;
using System.Runtime.InteropServices;

namespace EdgeOrleans.TestKit;

/// <summary>What the operating system does to processes.</summary>
internal static class Posix
{
    // Linux' numbers on every processor that .NET runs on.
    private static readonly Dictionary<string, int> Numbers = new(StringComparer.Ordinal)
    {
        ["HUP"] = 1,
        ["INT"] = 2,
        ["QUIT"] = 3,
        ["ILL"] = 4,
        ["TRAP"] = 5,
        ["ABRT"] = 6,
        ["KILL"] = 9,
        ["TERM"] = 15,
        ["CONT"] = 18,
        ["STOP"] = 19,
    };

    /// <summary>Sends a signal by its name without <c>SIG</c>.</summary>
    public static void Send(int process, string signal)
    {
        if (Kill(process, Numbers[signal]) != 0)
        {
            throw new Win32Exception(Marshal.GetLastPInvokeError());
        }
    }

    [DllImport("libc", EntryPoint = "kill", SetLastError = true), DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern int Kill(int process, int signal);
}
