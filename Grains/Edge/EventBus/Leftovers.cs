namespace EdgeOrleans.Edge.EventBus;

/// <summary>
/// Gives back the memory of connections that are over. A runtime that nobody asks for memory does not look for any: after a crowd has gone
/// the process would stay as large as the crowd has made it.
/// </summary>
internal sealed class Leftovers(TimeProvider time)
{
    // What a connection costs besides its buffers, about.
    private const long Connection = 16 * 1_024;
    private const long WorthIt = 16 * 1_024 * 1_024;

    // The work grows with all that is in memory: there has to be something to win.
    private const double ShareOfAll = 0.1;

    private static readonly TimeSpan Calm = TimeSpan.FromSeconds(5);
    private long _bytes;
    private long _last;

    /// <summary>How often memory was given back.</summary>
    public int Times { get; private set; }

    /// <summary>A connection is over.</summary>
    /// <param name="buffers">How large its buffers are.</param>
    public void Add(long buffers)
    {
        Interlocked.Add(ref _bytes, Connection + buffers);
        Volatile.Write(ref _last, time.GetTimestamp());
    }

    /// <summary>Gives back what there is, when it is worth it and nobody else has just gone.</summary>
    public void Settle()
    {
        var bytes = Interlocked.Read(ref _bytes);
        if (bytes < WorthIt || time.GetElapsedTime(Volatile.Read(ref _last)) < Calm)
        {
            return;
        }

        Interlocked.Add(ref _bytes, -bytes);
        if (bytes > ShareOfAll * GC.GetTotalMemory(forceFullCollection: false))
        {
            Times++;
            GC.Collect(GC.MaxGeneration, GCCollectionMode.Aggressive, blocking: true, compacting: true);
        }
    }
}
