using System.ComponentModel.DataAnnotations;
using System.Globalization;
using System.Reflection;

namespace EdgeOrleans.Settings;

/// <summary>One setting: a property of an options class and its key.</summary>
public sealed class SettingsKey
{
    private readonly PropertyInfo _property;
    private readonly PropertyInfo[] _owners;
    private readonly ValidationAttribute[] _rules;
    private readonly bool _bareSeconds;
    private readonly bool _isSize;

    internal SettingsKey(string path, PropertyInfo property, PropertyInfo[] owners)
    {
        var edgecore = EdgecoreKeys.Find(path);
        Path = edgecore ?? path;
        _property = property;
        _owners = owners;
        _bareSeconds = edgecore is not null;
        var attributes = property.GetCustomAttributes(inherit: false);
        _rules = [.. attributes.OfType<ValidationAttribute>()];
        _isSize = attributes.Any(a => a is SizeAttribute);
        IsLive = attributes.Any(a => a is LiveAttribute);
        IsSecret = attributes.Any(a => a is SecretAttribute) || SecretNames.IsSecret(path);
    }

    /// <summary>The whole key, with <c>:</c> between its parts, spelled as edgecore does where it is edgecore's.</summary>
    public string Path { get; }

    /// <summary>Whether a change is taken while the node runs.</summary>
    public bool IsLive { get; }

    /// <summary>Whether the value is shown as <c>***</c>.</summary>
    public bool IsSecret { get; }

    /// <summary>Whether the value is a list, in files as <c>[a, b]</c>.</summary>
    public bool IsList => SettingsValue.ElementOf(_property.PropertyType) is not null;

    /// <summary>Whether the value is a map of names to texts: its keys are the user's own.</summary>
    public bool IsMap => SettingsValue.IsMap(_property.PropertyType);

    /// <summary>The value an options object has here.</summary>
    public object? Read(object options) => _property.GetValue(OwnerIn(options));

    /// <summary>The value as files have it: one text, or one for each element of a list.</summary>
    public IReadOnlyList<string> Print(object? value) => value switch
    {
        null => [],
        string text => [text],
        bool flag => [flag ? "true" : "false"],
        TimeSpan duration when _bareSeconds && duration.TotalSeconds % 1 == 0 =>
            [((long)duration.TotalSeconds).ToString(CultureInfo.InvariantCulture)],
        TimeSpan duration => [Units.Print(duration)],
        Enum word => [SettingsNames.Camel(word.ToString())],
        int or long when _isSize => [Units.PrintSize(Convert.ToInt64(value, CultureInfo.InvariantCulture))],
        System.Collections.IDictionary map => [.. map.Keys.Cast<object>().Select(key => $"{key}: {map[key]}")],
        System.Collections.IEnumerable list => [.. list.Cast<object?>().SelectMany(Print)],
        _ => [Convert.ToString(value, CultureInfo.InvariantCulture) ?? ""],
    };

    internal void Write(object options, object? value) => _property.SetValue(OwnerIn(options), value);

    internal bool TryConvert(string text, Type type, out object? value, out string expected) =>
        SettingsValue.TryConvert(text, type, _bareSeconds, _isSize, out value, out expected);

    internal Type Type => _property.PropertyType;

    internal SettingsError? Refuse(object options)
    {
        var value = Read(options);
        foreach (var rule in _rules)
        {
            if (Refusal(rule, value, options) is { } reason)
            {
                return new SettingsError(Path, reason);
            }
        }

        return null;
    }

    // A Range over durations would go through type descriptors and read "15" as days; it is compared here instead.
    private string? Refusal(ValidationAttribute rule, object? value, object options)
    {
        if (rule is RangeAttribute range)
        {
            return value is null || SettingsValue.IsWithin(value, range)
                ? null
                : $"is {string.Join(", ", Print(value))}, but it must be from {Bound(range.Minimum)} to {Bound(range.Maximum)}";
        }

        var result = rule.GetValidationResult(value, new ValidationContext(options) { MemberName = _property.Name });
        return result == ValidationResult.Success ? null : $"is not right: {result!.ErrorMessage}";
    }

    private string Bound(object bound) => SettingsValue.AsDuration(bound, _property.PropertyType) is { } duration
        ? Units.Print(duration)
        : string.Join("", Print(bound));

    private object OwnerIn(object options)
    {
        foreach (var owner in _owners)
        {
            var inner = owner.GetValue(options);
            if (inner is null)
            {
                inner = Activator.CreateInstance(owner.PropertyType)!;
                owner.SetValue(options, inner);
            }

            options = inner;
        }

        return options;
    }
}
