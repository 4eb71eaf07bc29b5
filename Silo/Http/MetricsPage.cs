using System.Collections.Concurrent;
using System.Diagnostics.Metrics;
using System.Globalization;
using System.Text;

namespace EdgeOrleans.Http;

/// <summary>All instruments of this host as Prometheus reads them.</summary>
/// <remarks>
/// Our own are counted from the start. Those of Orleans and of the runtime are counted from the first question on: they cost on
/// every call, and most nodes are never asked.
/// </remarks>
internal sealed class MetricsPage : IDisposable
{
    private const string OursBegin = "EdgeOrleans";

    private readonly ConcurrentDictionary<Instrument, InstrumentSeries> _series = new();
    private readonly IMeterFactory _meters;
    private readonly MeterListener _ours;
    private readonly Lazy<MeterListener> _others;

    public MetricsPage(IMeterFactory meters)
    {
        _meters = meters;
        _ours = Listen(i => i.Meter.Name.StartsWith(OursBegin, StringComparison.Ordinal) && IsOfThisHost(i.Meter));
        _others = new(() => Listen(i => i.Meter.Name is "Microsoft.Orleans" or "System.Runtime" && IsOfThisHost(i.Meter)));
    }

    /// <summary>The page.</summary>
    public string Write()
    {
        _ours.RecordObservableInstruments();
        _others.Value.RecordObservableInstruments();
        var page = new StringBuilder(16 << 10);
        foreach (var series in _series.Values.OrderBy(s => s.Name, StringComparer.Ordinal))
        {
            series.Write(page);
        }

        return page.ToString();
    }

    public void Dispose()
    {
        _ours.Dispose();
        if (_others.IsValueCreated)
        {
            _others.Value.Dispose();
        }
    }

    // Two nodes in one process do not count each other's events; a meter without a factory belongs to the whole process.
    private bool IsOfThisHost(Meter meter) => meter.Scope is null || ReferenceEquals(meter.Scope, _meters);

    private MeterListener Listen(Func<Instrument, bool> wanted)
    {
        var listener = new MeterListener
        {
            InstrumentPublished = (instrument, listener) =>
            {
                if (wanted(instrument))
                {
                    listener.EnableMeasurementEvents(instrument, _series.GetOrAdd(instrument, i => new InstrumentSeries(i)));
                }
            },
        };
        listener.SetMeasurementEventCallback<long>(static (_, value, tags, series) => ((InstrumentSeries)series!).Record(value, tags));
        listener.SetMeasurementEventCallback<int>(static (_, value, tags, series) => ((InstrumentSeries)series!).Record(value, tags));
        listener.SetMeasurementEventCallback<double>(static (_, value, tags, series) => ((InstrumentSeries)series!).Record(value, tags));
        listener.Start();
        return listener;
    }
}

/// <summary>What one instrument has counted, by its tags.</summary>
internal sealed class InstrumentSeries
{
    // Tags come from code, not from devices; the bound is for the day when one slips through.
    private const int MaxTagSets = 1000;

    // For instruments that do not advise their own; in the instrument's unit.
    private static readonly double[] Bounds = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 100, 1000];

    private readonly ConcurrentDictionary<string, Cell> _cells = new(StringComparer.Ordinal);
    private readonly Instrument _instrument;
    private readonly string _kind;
    private readonly double[] _bounds;
    private readonly bool _sets;

    public InstrumentSeries(Instrument instrument)
    {
        _instrument = instrument;
        var type = instrument.GetType().Name;
        _kind = type.StartsWith("Histogram", StringComparison.Ordinal) ? "histogram"
            : type.Contains("Counter", StringComparison.Ordinal) && !type.Contains("UpDown", StringComparison.Ordinal) ? "counter"
            : "gauge";
        _sets = instrument.IsObservable || type.StartsWith("Gauge", StringComparison.Ordinal);
        _bounds = _kind == "histogram" ? Advised(instrument) ?? Bounds : [];
        var name = string.Concat(instrument.Name.Select(c => char.IsAsciiLetterOrDigit(c) ? c : '_'));
        Name = _kind == "counter" && !name.EndsWith("_total", StringComparison.Ordinal) ? name + "_total" : name;
    }

    public string Name { get; }

    public void Record(double value, ReadOnlySpan<KeyValuePair<string, object?>> tags)
    {
        var labels = tags.Length == 0 ? "" : LabelsOf(tags);
        if (!_cells.TryGetValue(labels, out var cell))
        {
            cell = _cells.GetOrAdd(_cells.Count < MaxTagSets ? labels : "overflow=\"true\"", _ => new Cell(_bounds.Length));
        }

        lock (cell)
        {
            cell.Sum = _sets ? value : cell.Sum + value;
            cell.Count++;
            if (_bounds.Length > 0 && Array.FindIndex(_bounds, b => value <= b) is var i and >= 0)
            {
                cell.Buckets[i]++;
            }
        }
    }

    public void Write(StringBuilder page)
    {
        page.Append("# HELP ").Append(Name).Append(' ').Append(_instrument.Description?.ReplaceLineEndings(" ") ?? _instrument.Name).Append('\n');
        page.Append("# TYPE ").Append(Name).Append(' ').Append(_kind).Append('\n');
        foreach (var (labels, cell) in _cells)
        {
            lock (cell)
            {
                Write(page, labels, cell);
            }
        }
    }

    private void Write(StringBuilder page, string labels, Cell cell)
    {
        if (_kind != "histogram")
        {
            Line(page, "", labels, cell.Sum);
            return;
        }

        var below = 0L;
        for (var i = 0; i < _bounds.Length; i++)
        {
            below += cell.Buckets[i];
            Line(page, "_bucket", Joined(labels, $"le=\"{_bounds[i].ToString(CultureInfo.InvariantCulture)}\""), below);
        }

        Line(page, "_bucket", Joined(labels, "le=\"+Inf\""), cell.Count);
        Line(page, "_sum", labels, cell.Sum);
        Line(page, "_count", labels, cell.Count);
    }

    private void Line(StringBuilder page, string suffix, string labels, double value)
    {
        page.Append(Name).Append(suffix);
        if (labels.Length > 0)
        {
            page.Append('{').Append(labels).Append('}');
        }

        page.Append(' ').Append(value.ToString("R", CultureInfo.InvariantCulture)).Append('\n');
    }

    private static string Joined(string labels, string label) => labels.Length == 0 ? label : $"{labels},{label}";

    private static string LabelsOf(ReadOnlySpan<KeyValuePair<string, object?>> tags)
    {
        var labels = new StringBuilder();
        foreach (var (name, value) in tags)
        {
            labels.Append(labels.Length > 0 ? "," : "");
            foreach (var c in name)
            {
                labels.Append(char.IsAsciiLetterOrDigit(c) ? c : '_');
            }

            var text = Convert.ToString(value, CultureInfo.InvariantCulture) ?? "";
            labels.Append("=\"").Append(text.Replace("\\", "\\\\", StringComparison.Ordinal).Replace("\"", "\\\"", StringComparison.Ordinal)
                .ReplaceLineEndings("\\n")).Append('"');
        }

        return labels.ToString();
    }

    private static double[]? Advised(Instrument instrument) => instrument switch
    {
        Histogram<double> h => h.Advice?.HistogramBucketBoundaries is { Count: > 0 } bounds ? [.. bounds] : null,
        Histogram<long> h => h.Advice?.HistogramBucketBoundaries is { Count: > 0 } bounds ? [.. bounds.Select(b => (double)b)] : null,
        Histogram<int> h => h.Advice?.HistogramBucketBoundaries is { Count: > 0 } bounds ? [.. bounds.Select(b => (double)b)] : null,
        _ => null,
    };

    private sealed class Cell(int buckets)
    {
        public double Sum;
        public long Count;
        public readonly long[] Buckets = new long[buckets];
    }
}
