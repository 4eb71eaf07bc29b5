namespace EdgeOrleans.Settings;

/// <summary>A property of an options class that the program sets itself: it has no key.</summary>
[AttributeUsage(AttributeTargets.Property)]
public sealed class NotASettingAttribute : Attribute;
