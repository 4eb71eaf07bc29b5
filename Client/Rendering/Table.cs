namespace EdgeOrleans.Client.Rendering;

/// <summary>Plain columns, three spaces apart: easy on the eye and on <c>awk</c>.</summary>
internal sealed class Table(params string[] headers)
{
    private readonly List<string[]> _rows = [];

    public int Count => _rows.Count;

    /// <summary>Adds a row; an empty cell shows as <c>-</c>, so that columns can be counted.</summary>
    public Table Add(params string?[] cells)
    {
        _rows.Add([.. cells.Select(Cell)]);
        return this;
    }

    public void Write(TextWriter output, string indent = "")
    {
        var widths = headers.Select((header, column) => _rows.Aggregate(header.Length, (width, row) => Math.Max(width, row[column].Length))).ToArray();
        foreach (var row in _rows.Prepend(headers))
        {
            output.WriteLine(indent + string.Concat(row.Select((cell, column) => cell.PadRight(widths[column] + 3))).TrimEnd());
        }
    }

    private static string Cell(string? text) => string.IsNullOrEmpty(text) ? "-" : Text.Plain(text);
}
