using System.Globalization;

namespace EdgeOrleans.Benchmarks.Measuring;

/// <summary>One row: what was measured, what it should be, and the least that anything could do in the same run.</summary>
internal sealed record Figure(string Name, string Value, string Goal, string Floor = "", double? Ratio = null, double? Others = null);

/// <summary>All figures as one Markdown table.</summary>
internal sealed class FigureTable
{
    private static readonly string[] Head = ["figure", "measured", "goal", "floor of this run", "measured/floor", "other processes, cores"];
    private readonly List<string[]> _rows = [];

    public void Add(Figure figure) => _rows.Add(
    [
        figure.Name, figure.Value, figure.Goal, figure.Floor, figure.Ratio?.ToString("0.00", CultureInfo.InvariantCulture) ?? "",
        figure.Others?.ToString("0.0", CultureInfo.InvariantCulture) ?? "",
    ]);

    public void Write(TextWriter output)
    {
        var widths = Head.Select((head, column) => _rows.Append(Head).Max(row => row[column].Length)).ToArray();
        Write(output, Head, widths);
        output.WriteLine("|" + string.Concat(widths.Select(width => new string('-', width + 2) + "|")));
        _rows.ForEach(row => Write(output, row, widths));
    }

    private static void Write(TextWriter output, string[] row, int[] widths) =>
        output.WriteLine("|" + string.Concat(row.Select((cell, column) => $" {cell.PadRight(widths[column])} |")));
}
