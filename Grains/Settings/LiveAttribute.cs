namespace EdgeOrleans.Settings;

/// <summary>A setting that is taken while the node runs: its reader follows <c>IOptionsMonitor</c>. All others wait for the next start.</summary>
[AttributeUsage(AttributeTargets.Property)]
public sealed class LiveAttribute : Attribute;
