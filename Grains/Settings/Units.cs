using System.Buffers;
using System.Globalization;
using System.Text;

namespace EdgeOrleans.Settings;

/// <summary>Durations and sizes as people write them, and back. The only place that reads them.</summary>
public static class Units
{
    private static readonly SearchValues<char> Digits = SearchValues.Create("0123456789.");

    // Longest unit first where one ends with another: "ms" before "s".
    private static readonly (string Unit, double Milliseconds)[] Durations =
        [("ms", 1), ("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1000)];

    // "Mi" is 1024 twice, "M" is 1000 twice, as in Kubernetes.
    private static readonly (string Unit, long Bytes)[] Sizes =
        [("Gi", 1L << 30), ("Mi", 1L << 20), ("Ki", 1L << 10), ("G", 1_000_000_000), ("M", 1_000_000), ("k", 1000), ("B", 1)];

    /// <summary>Reads <c>15s</c>, <c>1h30m</c>, <c>500ms</c>; a bare number only when <paramref name="bareSeconds"/> says that it is seconds.</summary>
    public static bool TryDuration(string text, bool bareSeconds, out TimeSpan duration)
    {
        duration = TimeSpan.Zero;
        var rest = text.AsSpan().Trim();
        if (TryNumber(rest, out var bare))
        {
            return (bareSeconds || bare == 0) && TryMilliseconds(bare * 1000, out duration);
        }

        var total = 0.0;
        while (rest.Length > 0)
        {
            var digits = DigitsOf(rest);
            if (digits == 0 || !TryNumber(rest[..digits], out var number) || UnitOf(rest[digits..]) is not { } unit)
            {
                return false;
            }

            total += number * unit.Milliseconds;
            rest = rest[(digits + unit.Unit.Length)..];
        }

        return text.Length > 0 && TryMilliseconds(total, out duration);
    }

    /// <summary>Reads <c>256Mi</c>, <c>1Gi</c>, <c>64k</c>; a bare number is refused unless it is 0.</summary>
    public static bool TrySize(string text, out long bytes)
    {
        bytes = 0;
        var rest = text.AsSpan().Trim();
        var digits = DigitsOf(rest);
        if (digits == 0 || !TryNumber(rest[..digits], out var number))
        {
            return false;
        }

        if (digits == rest.Length)
        {
            return number == 0;
        }

        foreach (var (unit, factor) in Sizes)
        {
            if (rest[digits..].SequenceEqual(unit) && number * factor <= long.MaxValue / 2)
            {
                bytes = (long)(number * factor);
                return true;
            }
        }

        return false;
    }

    /// <summary>A duration as <see cref="TryDuration"/> reads it: <c>1h30m</c>.</summary>
    public static string Print(TimeSpan duration)
    {
        if (duration == TimeSpan.Zero)
        {
            return "0s";
        }

        var text = new StringBuilder();
        var rest = (long)duration.TotalMilliseconds;
        foreach (var (unit, milliseconds) in (ReadOnlySpan<(string, long)>)[("h", 3_600_000), ("m", 60_000), ("s", 1000), ("ms", 1)])
        {
            if (rest / milliseconds is var count and not 0)
            {
                text.Append(CultureInfo.InvariantCulture, $"{count}{unit}");
                rest %= milliseconds;
            }
        }

        return text.ToString();
    }

    /// <summary>A size as <see cref="TrySize"/> reads it: the largest unit that leaves nothing over.</summary>
    public static string PrintSize(long bytes)
    {
        foreach (var (unit, factor) in Sizes)
        {
            if (bytes != 0 && bytes % factor == 0)
            {
                return string.Create(CultureInfo.InvariantCulture, $"{bytes / factor}{unit}");
            }
        }

        return "0";
    }

    private static int DigitsOf(ReadOnlySpan<char> text)
    {
        var length = text.IndexOfAnyExcept(Digits);
        return length < 0 ? text.Length : length;
    }

    private static bool TryNumber(ReadOnlySpan<char> text, out double number) =>
        double.TryParse(text, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out number);

    private static (string Unit, double Milliseconds)? UnitOf(ReadOnlySpan<char> text)
    {
        foreach (var unit in Durations)
        {
            if (text.StartsWith(unit.Unit, StringComparison.Ordinal))
            {
                return unit;
            }
        }

        return null;
    }

    // 24 days is what a timer can wait at most; ten years is more than any setting means.
    private static bool TryMilliseconds(double milliseconds, out TimeSpan duration)
    {
        var sane = milliseconds is >= 0 and <= 10.0 * 365 * 86_400_000;
        duration = sane ? TimeSpan.FromMilliseconds(milliseconds) : TimeSpan.Zero;
        return sane;
    }
}
