namespace EdgeOrleans.Edge.EventBus.Access;

/// <summary>What topic filters say of topics and of each other. Filters and topics are valid ones; nothing is allocated.</summary>
/// <remarks>
/// A filter stands for a set of topics: <c>+</c> for any level, <c>#</c> for any further levels or none, and neither of them, when it
/// comes first, for a topic that begins with <c>$</c> (MQTT-4.7.2-1).
/// </remarks>
internal static class TopicFilters
{
    /// <summary>Whether text may be a filter: wildcards stand for whole levels, and <c>#</c> for the last.</summary>
    public static bool IsFilter(ReadOnlySpan<char> filter)
    {
        if (filter.IsEmpty || filter.Contains('\0'))
        {
            return false;
        }

        for (var i = filter.IndexOfAny('+', '#'); i >= 0; i = Next(filter, i))
        {
            var isWhole = (i == 0 || filter[i - 1] == '/') && (i == filter.Length - 1 || filter[i + 1] == '/');
            if (!isWhole || (filter[i] == '#' && i != filter.Length - 1))
            {
                return false;
            }
        }

        return true;
    }

    /// <summary>Whether a filter stands for a topic.</summary>
    public static bool Matches(ReadOnlySpan<char> filter, ReadOnlySpan<char> topic) => Contains(filter, topic);

    /// <summary>Whether a filter stands for every topic that a wish stands for. A topic is a wish for itself.</summary>
    public static bool Contains(ReadOnlySpan<char> filter, ReadOnlySpan<char> wish)
    {
        if (IsWild(filter) && wish.StartsWith('$'))
        {
            return false;
        }

        // As a first level '#' cannot stand for no level at all, for there is no topic without one: it says the same as '+/#'.
        return (wish is "#" && filter is "+/#") || ContainsLevels(filter, wish);
    }

    /// <summary>Whether a filter stands for every rest of a topic that a wish stands for, where what comes before both is the same text.</summary>
    public static bool ContainsLevels(ReadOnlySpan<char> filter, ReadOnlySpan<char> wish)
    {
        while (true)
        {
            var (mine, mineEnds) = Take(ref filter);
            if (mine is "#")
            {
                return true;
            }

            var (wanted, wantedEnds) = Take(ref wish);
            var isInside = wanted is "+" ? mine is "+" : wanted is not "#" && (mine is "+" || mine.SequenceEqual(wanted));
            if (!isInside)
            {
                return false;
            }

            if (mineEnds || wantedEnds)
            {
                return wantedEnds && (mineEnds || filter is "#");
            }
        }
    }

    /// <summary>Whether there is a topic that both filters stand for.</summary>
    public static bool Overlaps(ReadOnlySpan<char> one, ReadOnlySpan<char> other)
    {
        if ((IsWild(one) && other.StartsWith('$')) || (IsWild(other) && one.StartsWith('$')))
        {
            return false;
        }

        while (true)
        {
            var (a, aEnds) = Take(ref one);
            var (b, bEnds) = Take(ref other);
            if (a is "#" || b is "#")
            {
                return true;
            }

            if (a is not "+" && b is not "+" && !a.SequenceEqual(b))
            {
                return false;
            }

            if (aEnds || bEnds)
            {
                return (aEnds && bEnds) || (aEnds ? other is "#" : one is "#");
            }
        }
    }

    private static bool IsWild(ReadOnlySpan<char> filter) => filter.StartsWith('+') || filter.StartsWith('#');

    private static int Next(ReadOnlySpan<char> filter, int after)
    {
        var next = filter[(after + 1)..].IndexOfAny('+', '#');
        return next < 0 ? -1 : after + 1 + next;
    }

    private static Level Take(ref ReadOnlySpan<char> rest)
    {
        var end = rest.IndexOf('/');
        var level = new Level(end < 0 ? rest : rest[..end], end < 0);
        rest = end < 0 ? default : rest[(end + 1)..];
        return level;
    }

    private readonly ref struct Level(ReadOnlySpan<char> text, bool isLast)
    {
        private readonly ReadOnlySpan<char> _text = text;

        public void Deconstruct(out ReadOnlySpan<char> level, out bool ends)
        {
            level = _text;
            ends = isLast;
        }
    }
}
