namespace EdgeOrleans.Settings;

/// <summary>A setting that is shown as <c>***</c> wherever settings are shown.</summary>
[AttributeUsage(AttributeTargets.Property)]
public sealed class SecretAttribute : Attribute;
