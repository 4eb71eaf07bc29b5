namespace EdgeOrleans.TestKit;

/// <summary>What a process has written to one of its streams, line by line.</summary>
public sealed class ProcessOutput
{
    private readonly Arrivals<string> _lines = new();

    /// <summary>All lines so far.</summary>
    public IReadOnlyList<string> Lines => _lines.All;

    /// <summary>All lines so far, as one text.</summary>
    public string Text => string.Join('\n', Lines);

    /// <summary>Waits for a line that holds a text; a line that is already there counts.</summary>
    /// <exception cref="TimeoutException">It did not come.</exception>
    /// <exception cref="EndOfStreamException">The stream ended without it.</exception>
    public Task<string> LineAsync(string part, TimeSpan? within = null) =>
        LineAsync(line => line.Contains(part, StringComparison.Ordinal), $"line with '{part}'", within);

    /// <summary>Waits for a line; one that is already there counts.</summary>
    public Task<string> LineAsync(Func<string, bool> wanted, string what, TimeSpan? within = null) => _lines.FirstAsync(wanted, what, within);

    /// <summary>Waits until there are that many lines.</summary>
    public Task<IReadOnlyList<string>> ManyLinesAsync(int count, TimeSpan? within = null) => _lines.ManyAsync(count, "line", within);

    internal void Add(string? line)
    {
        if (line is null)
        {
            _lines.End();
        }
        else
        {
            _lines.Add(line);
        }
    }
}
