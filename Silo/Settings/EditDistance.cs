namespace EdgeOrleans.Settings;

/// <summary>How far two words are apart: letters put in, left out, changed, or swapped with their neighbour.</summary>
internal static class EditDistance
{
    /// <summary>The candidate nearest to a word, upper and lower case alike; null when there is none.</summary>
    public static string? Nearest(string word, IEnumerable<string> candidates) =>
        candidates.MinBy(c => Between(word.ToUpperInvariant(), c.ToUpperInvariant()));

    public static int Between(string a, string b)
    {
        var rows = new int[a.Length + 1, b.Length + 1];
        for (var i = 0; i <= a.Length; i++)
        {
            for (var j = 0; j <= b.Length; j++)
            {
                rows[i, j] = i == 0 || j == 0 ? i + j : Step(a, b, i, j, rows);
            }
        }

        return rows[a.Length, b.Length];
    }

    private static int Step(string a, string b, int i, int j, int[,] rows)
    {
        var same = a[i - 1] == b[j - 1] ? 0 : 1;
        var best = Math.Min(Math.Min(rows[i - 1, j] + 1, rows[i, j - 1] + 1), rows[i - 1, j - 1] + same);
        var swapped = i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1];
        return swapped ? Math.Min(best, rows[i - 2, j - 2] + 1) : best;
    }
}
