using System.Reflection;

namespace EdgeOrleans.Hosting;

/// <summary>The version of the program.</summary>
internal static class ProgramVersion
{
    /// <summary>As the build gave it, without the commit.</summary>
    public static string Text { get; } =
        typeof(ProgramVersion).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion.Split('+')[0] ?? "0.0.0";
}
