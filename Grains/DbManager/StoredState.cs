namespace EdgeOrleans.DbManager;

internal static class StoredState
{
    /// <summary>Writes a new state. It is the state only when it is on disk; otherwise the one before stays, and the caller is told.</summary>
    /// <param name="stored">The grain's state.</param>
    /// <param name="next">What it should be.</param>
    /// <param name="failed">What the grain does when it is not: it deactivates, so that the next message meets what is stored.</param>
    public static async Task ReplaceAsync<T>(this Orleans.Core.IStorage<T> stored, T next, Action failed)
    {
        var before = stored.State;
        try
        {
            stored.State = next;
            await stored.WriteStateAsync();
        }
        catch
        {
            stored.State = before;
            failed();
            throw;
        }
    }
}
