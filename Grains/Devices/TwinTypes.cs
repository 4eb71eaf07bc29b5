using System.Buffers;
using System.Globalization;
using System.Numerics;

namespace EdgeOrleans.Devices;

/// <summary>The types of twin values and the characters they may have (reference 3.5), with edgecore's sentences.</summary>
internal static class TwinTypes
{
    public const string Text = "string";
    public const int MaxName = 128;
    public const int MaxValue = 512;

    public const string BadName =
        "The key of twin must only include upper or lowercase letters, number, english, and special letter - _ . , : / @ # and the length of key should be less than 128 bytes";

    public const string BadValue =
        "The value of twin must only include upper or lowercase letters, number, english, and special letter - _ . , : / @ # and the length of value should be less than 512 bytes";

    private static readonly SearchValues<char> Allowed =
        SearchValues.Create("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.,:/@#");

    public static bool IsName(string name) => name.Length is > 0 and <= MaxName && !name.AsSpan().ContainsAnyExcept(Allowed);

    public static bool HasAllowedCharacters(string value) => value.Length <= MaxValue && !value.AsSpan().ContainsAnyExcept(Allowed);

    /// <summary>Why a value does not fit a type; null when it does.</summary>
    public static string? WhyNot(string type, string value) => type switch
    {
        Text or "" or TwinProperty.DeletedType => null,
        "int" or "integer" => IsInteger(value) ? null : "the value is not int or integer",
        "float" => IsFloat(value) ? null : "the value is not float",
        "boolean" => value is "true" or "false" ? null : "the bool value must be true or false",
        _ => "the value type is not allowed",
    };

    /// <summary>One copy of the types everybody uses.</summary>
    public static string Intern(string type) => type switch
    {
        Text => Text,
        "int" => "int",
        "integer" => "integer",
        "float" => "float",
        "boolean" => "boolean",
        TwinProperty.DeletedType => TwinProperty.DeletedType,
        _ => type,
    };

    /// <summary>A decimal signed 64-bit number: a sign, then digits and nothing else.</summary>
    public static bool IsInteger(ReadOnlySpan<char> text)
    {
        var digits = text.Length > 0 && text[0] is '-' or '+' ? text[1..] : text;
        return !digits.IsEmpty
            && !digits.ContainsAnyExceptInRange('0', '9')
            && long.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out _);
    }

    /// <summary>A 64-bit float as edgecore reads it: decimal, hexadecimal, <c>_</c> between digits, <c>NaN</c>, <c>Inf</c>; in range.</summary>
    public static bool IsFloat(ReadOnlySpan<char> text)
    {
        var number = text.Length > 0 && text[0] is '-' or '+' ? text[1..] : text;
        if (number.Equals("inf", StringComparison.OrdinalIgnoreCase) || number.Equals("infinity", StringComparison.OrdinalIgnoreCase))
        {
            return true;
        }

        if (text.Equals("nan", StringComparison.OrdinalIgnoreCase))
        {
            return true;
        }

        if (number.Contains('_'))
        {
            return SeparatesDigits(number) && IsNumber(number.ToString().Replace("_", "", StringComparison.Ordinal));
        }

        return IsNumber(number);
    }

    /// <summary>The number that a value of type <c>int</c> or <c>float</c> says; NaN when it is none.</summary>
    public static double ToNumber(string value) =>
        double.TryParse(value, NumberStyles.Float, CultureInfo.InvariantCulture, out var number) ? number : double.NaN;

    private static bool IsNumber(ReadOnlySpan<char> number)
    {
        var hexadecimal = number.Length > 1 && number[0] == '0' && number[1] is 'x' or 'X';
        var rest = hexadecimal ? number[2..] : number;
        var whole = Digits(ref rest, hexadecimal);
        var fraction = 0;
        if (rest.Length > 0 && rest[0] == '.')
        {
            rest = rest[1..];
            fraction = Digits(ref rest, hexadecimal);
        }

        if (whole + fraction == 0 || !TryExponent(ref rest, hexadecimal, out var exponent) || !rest.IsEmpty)
        {
            return false;
        }

        return hexadecimal
            ? IsInRange(number[2..], fraction, exponent)
            : double.TryParse(number, NumberStyles.Float, CultureInfo.InvariantCulture, out var value) && double.IsFinite(value);
    }

    private static int Digits(ref ReadOnlySpan<char> rest, bool hexadecimal)
    {
        var count = 0;
        while (count < rest.Length && (hexadecimal ? char.IsAsciiHexDigit(rest[count]) : char.IsAsciiDigit(rest[count])))
        {
            count++;
        }

        rest = rest[count..];
        return count;
    }

    /// <summary>An exponent may follow a decimal number and must follow a hexadecimal one.</summary>
    private static bool TryExponent(ref ReadOnlySpan<char> rest, bool hexadecimal, out int exponent)
    {
        exponent = 0;
        if (rest.IsEmpty || (rest[0] | 0x20) != (hexadecimal ? 'p' : 'e'))
        {
            return !hexadecimal;
        }

        rest = rest[1..];
        var negative = rest.Length > 0 && rest[0] == '-';
        if (rest.Length > 0 && rest[0] is '-' or '+')
        {
            rest = rest[1..];
        }

        var from = rest;
        var count = Digits(ref rest, hexadecimal: false);
        foreach (var digit in from[..count])
        {
            exponent = Math.Min(100_000_000, (exponent * 10) + (digit - '0'));
        }

        exponent = negative ? -exponent : exponent;
        return count > 0;
    }

    private static bool IsInRange(ReadOnlySpan<char> number, int fraction, int exponent)
    {
        var end = number.IndexOfAny('p', 'P');
        var digits = number[..end].ToString().Replace(".", "", StringComparison.Ordinal);
        var mantissa = BigInteger.Parse("0" + digits, NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture);
        if (mantissa.IsZero)
        {
            return true;
        }

        // The value is in range while its highest bit stays below 2^1024; the last rounding step is 2^1024 - 2^970.
        var top = mantissa.GetBitLength() + exponent - (4L * fraction);
        if (top != 1024)
        {
            return top < 1024;
        }

        var shift = mantissa.GetBitLength() - 54;
        var lead = shift > 0 ? mantissa >> (int)shift : mantissa << (int)-shift;
        return lead != (BigInteger.One << 54) - 1;
    }

    private static bool SeparatesDigits(ReadOnlySpan<char> number)
    {
        var hexadecimal = number.Length > 1 && number[0] == '0' && number[1] is 'x' or 'X';
        var last = hexadecimal ? '0' : '^';
        foreach (var c in hexadecimal ? number[2..] : number)
        {
            if (char.IsAsciiDigit(c) || (hexadecimal && char.IsAsciiHexDigit(c)))
            {
                last = '0';
            }
            else if (c == '_')
            {
                if (last != '0')
                {
                    return false;
                }

                last = '_';
            }
            else if (last == '_')
            {
                return false;
            }
            else
            {
                last = '!';
            }
        }

        return last != '_';
    }
}
