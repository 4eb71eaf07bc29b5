namespace EdgeOrleans.Client;

/// <summary>Finds what a person probably meant.</summary>
internal static class Nearest
{
    /// <summary>The candidate that is fewest edits away; null when none is near enough to be meant.</summary>
    public static string? Of(string typed, IEnumerable<string> candidates)
    {
        var (best, distance) = candidates
            .Select(candidate => (candidate, Distance(typed.ToLowerInvariant(), candidate.ToLowerInvariant())))
            .OrderBy(pair => pair.Item2)
            .FirstOrDefault((candidate: "", int.MaxValue));
        return distance <= Math.Max(2, typed.Length / 3) ? best : null;
    }

    private static int Distance(string a, string b)
    {
        var row = Enumerable.Range(0, b.Length + 1).ToArray();
        for (var i = 1; i <= a.Length; i++)
        {
            var diagonal = row[0];
            row[0] = i;
            for (var j = 1; j <= b.Length; j++)
            {
                var edits = Math.Min(Math.Min(row[j], row[j - 1]) + 1, diagonal + (a[i - 1] == b[j - 1] ? 0 : 1));
                diagonal = row[j];
                row[j] = edits;
            }
        }

        return row[^1];
    }
}
