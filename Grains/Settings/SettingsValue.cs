using System.Collections.Immutable;
using System.ComponentModel.DataAnnotations;
using System.Globalization;

namespace EdgeOrleans.Settings;

/// <summary>Texts become values: the only converter of settings.</summary>
internal static class SettingsValue
{
    /// <summary>The type of a list's elements; null for what is no list.</summary>
    public static Type? ElementOf(Type type)
    {
        if (type.IsArray)
        {
            return type.GetElementType();
        }

        return type.IsGenericType && ListTypes.Contains(type.GetGenericTypeDefinition()) ? type.GetGenericArguments()[0] : null;
    }

    /// <summary>Whether a property is a map of names to texts.</summary>
    public static bool IsMap(Type type) => type.IsAssignableFrom(typeof(Dictionary<string, string>)) && type != typeof(object);

    /// <summary>Whether a property is one value, not a group of settings of its own.</summary>
    public static bool IsLeaf(Type type) =>
        !type.IsClass || type == typeof(string) || type == typeof(Uri) || IsMap(type) || ElementOf(type) is not null;

    /// <summary>Makes a list of a property's type.</summary>
    public static object List(Type type, Type element, IReadOnlyList<object?> values)
    {
        var array = Array.CreateInstance(element, values.Count);
        for (var i = 0; i < values.Count; i++)
        {
            array.SetValue(values[i], i);
        }

        if (type.IsArray || type.IsAssignableFrom(array.GetType()))
        {
            return array;
        }

        return type == typeof(ImmutableArray<string>)
            ? ImmutableArray.Create((string[])array)
            : Activator.CreateInstance(typeof(List<>).MakeGenericType(element), array)!;
    }

    public static bool TryConvert(string text, Type type, bool bareSeconds, bool isSize, out object? value, out string expected)
    {
        type = Nullable.GetUnderlyingType(type) ?? type;
        value = null;
        expected = "";
        if (type == typeof(string))
        {
            value = text;
        }
        else if (type == typeof(bool))
        {
            value = bool.TryParse(text, out var flag) ? flag : null;
            expected = "true or false";
        }
        else if (type == typeof(TimeSpan))
        {
            value = Units.TryDuration(text, bareSeconds, out var duration) ? duration : null;
            expected = bareSeconds ? "seconds, or a duration such as 15s or 1h30m" : "a duration with its unit, such as 15s, 2m, 1h30m or 500ms";
        }
        else if (isSize)
        {
            value = Units.TrySize(text, out var bytes) ? Narrowed(bytes, type) : null;
            expected = "a size with its unit, such as 64k, 256Mi or 1Gi";
        }
        else if (type.IsEnum)
        {
            value = Enum.GetNames(type).Any(name => name.Equals(text, StringComparison.OrdinalIgnoreCase)) ? Enum.Parse(type, text, true) : null;
            expected = "one of " + string.Join(", ", Enum.GetNames(type).Select(SettingsNames.Camel));
        }
        else if (type == typeof(Uri))
        {
            value = Uri.TryCreate(text, UriKind.Absolute, out var address) ? address : null;
            expected = "an address such as tcp://127.0.0.1:1883";
        }
        else if (type == typeof(double))
        {
            value = double.TryParse(text, CultureInfo.InvariantCulture, out var number) ? number : null;
            expected = "a number";
        }
        else
        {
            value = long.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var whole) ? Narrowed(whole, type) : null;
            expected = "a whole number";
        }

        return value is not null;
    }

    public static bool IsWithin(object value, RangeAttribute range)
    {
        if (value is TimeSpan duration)
        {
            return duration >= AsDuration(range.Minimum, typeof(TimeSpan)) && duration <= AsDuration(range.Maximum, typeof(TimeSpan));
        }

        var number = Convert.ToDouble(value, CultureInfo.InvariantCulture);
        return number >= Convert.ToDouble(range.Minimum, CultureInfo.InvariantCulture)
            && number <= Convert.ToDouble(range.Maximum, CultureInfo.InvariantCulture);
    }

    public static TimeSpan? AsDuration(object bound, Type type) =>
        (Nullable.GetUnderlyingType(type) ?? type) == typeof(TimeSpan)
            ? bound is TimeSpan duration ? duration : TimeSpan.Parse((string)bound, CultureInfo.InvariantCulture)
            : null;

    private static readonly Type[] ListTypes =
    [
        typeof(List<>), typeof(IList<>), typeof(IReadOnlyList<>), typeof(ICollection<>), typeof(IReadOnlyCollection<>), typeof(IEnumerable<>),
        typeof(ImmutableArray<>),
    ];

    private static object? Narrowed(long number, Type type)
    {
        try
        {
            return Convert.ChangeType(number, type, CultureInfo.InvariantCulture);
        }
        catch (OverflowException)
        {
            return null;
        }
    }
}
