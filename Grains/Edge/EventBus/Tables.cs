namespace EdgeOrleans.Edge.EventBus;

/// <summary>Gives back the memory of tables that were larger once.</summary>
internal static class Tables
{
    // A table of fewer places is not worth the copy.
    private const int Small = 64;

    /// <summary>Makes a table smaller that is three quarters empty. Called after each removal, it costs a constant share of it.</summary>
    public static void Shrink<TKey, TValue>(this Dictionary<TKey, TValue> table)
        where TKey : notnull
    {
        if (table.Capacity > Small && table.Count < table.Capacity / 4)
        {
            table.TrimExcess(Math.Max(table.Count * 2, Small / 2));
        }
    }
}
