using System.Collections.Concurrent;
using System.Text;

namespace EdgeOrleans.Hosting;

/// <summary>Lines on their way to a stream that somebody else reads. Who adds one never waits: when nobody reads, lines are dropped and counted.</summary>
internal sealed class LogLines : IDisposable
{
    /// <summary>How many lines wait for their reader at the most.</summary>
    public const int MostWaiting = 8_192;

    private static readonly TimeSpan LastLinesWithin = TimeSpan.FromSeconds(1);

    private readonly BlockingCollection<string> _waiting = new(MostWaiting);
    private readonly Stream _output;
    private readonly Func<long, string> _dropNotice;
    private readonly Thread _writer;
    private long _dropped;

    /// <summary>Begins to write.</summary>
    /// <param name="output">Where to; it is closed at the end.</param>
    /// <param name="dropNotice">The line that says how many lines are missing.</param>
    public LogLines(Stream output, Func<long, string> dropNotice)
    {
        (_output, _dropNotice) = (output, dropNotice);
        // A thread of its own: a write that never ends must not take one from the pool. In the background: it must not keep the process either.
        _writer = new Thread(Write) { IsBackground = true, Name = "log" };
        _writer.Start();
    }

    /// <summary>Adds a line, or counts it when there is no room.</summary>
    public void Add(string line)
    {
        SayDropped();
        if (!TryAdd(line))
        {
            Interlocked.Increment(ref _dropped);
        }
    }

    /// <summary>Writes what waits, for a second at the most.</summary>
    public void Dispose()
    {
        if (_waiting.IsAddingCompleted)
        {
            return;
        }

        SayDropped();
        _waiting.CompleteAdding();
        if (_writer.Join(LastLinesWithin))
        {
            _output.Dispose();
        }
    }

    private void SayDropped()
    {
        if (Interlocked.Read(ref _dropped) > 0 && Interlocked.Exchange(ref _dropped, 0) is var dropped and > 0 && !TryAdd(_dropNotice(dropped)))
        {
            Interlocked.Add(ref _dropped, dropped);
        }
    }

    private bool TryAdd(string line)
    {
        try
        {
            return _waiting.TryAdd(line);
        }
        catch (InvalidOperationException)
        {
            // The log has ended.
            return false;
        }
    }

    private void Write()
    {
        foreach (var line in _waiting.GetConsumingEnumerable())
        {
            Write(line);
            if (_waiting.Count == 0)
            {
                SayDropped();
            }
        }

        if (Interlocked.Exchange(ref _dropped, 0) is var dropped and > 0)
        {
            Write(_dropNotice(dropped));
        }
    }

    // A reader that went away must not stop the node, whatever the operating system calls it.
    private void Write(string line)
    {
        try
        {
            _output.Write(Encoding.UTF8.GetBytes(line));
        }
        catch (Exception e) when (e is IOException or ObjectDisposedException or UnauthorizedAccessException)
        {
        }
    }
}
