namespace EdgeOrleans.Settings;

/// <summary>A number of bytes, written with a unit: <c>64k</c>, <c>256Mi</c>, <c>1Gi</c>.</summary>
[AttributeUsage(AttributeTargets.Property)]
public sealed class SizeAttribute : Attribute;
