using HdrHistogram;

namespace EdgeOrleans.Client.Simulation;

/// <summary>Counts what a simulation sent and what came back, and how long that took.</summary>
internal sealed class Measurements
{
    private static readonly int[] Percents = [50, 95, 99, 100];
    private readonly Lock _lock = new();
    private readonly LongHistogram _latency = new(TimeSpan.FromMinutes(1).Ticks, 3);
    private readonly SortedDictionary<int, ErrorCount> _errors = [];
    private long _sent;
    private long _answered;
    private long _accepted;
    private long _unanswered;
    private long _failed;
    private long _heldBack;
    private long _adopted;
    private long _online;
    private long _lost;

    /// <summary>How many reports are still to be answered.</summary>
    public long Waiting
    {
        get
        {
            lock (_lock)
            {
                return _sent - _answered - _unanswered - _failed;
            }
        }
    }

    public void Sent(bool replaces)
    {
        lock (_lock)
        {
            _sent++;
            _unanswered += replaces ? 1 : 0;
        }
    }

    public void Failed(bool wasWaiting)
    {
        lock (_lock)
        {
            _failed += wasWaiting ? 1 : 0;
        }
    }

    /// <summary>Devices said that they are online, and the broker took it.</summary>
    public void Online(int devices)
    {
        lock (_lock)
        {
            _online += devices;
        }
    }

    /// <summary>A connection to the broker is gone.</summary>
    public void Lost()
    {
        lock (_lock)
        {
            _lost++;
        }
    }

    public void HeldBack()
    {
        lock (_lock)
        {
            _heldBack++;
        }
    }

    public void Adopted(int properties)
    {
        lock (_lock)
        {
            _adopted += properties;
        }
    }

    public void Answered(TimeSpan latency, int code, string reason)
    {
        lock (_lock)
        {
            _answered++;
            if (code == 0)
            {
                _accepted++;
                _latency.RecordValue(Math.Clamp(latency.Ticks, 1, _latency.HighestTrackableValue));
                return;
            }

            _errors[code] = new ErrorCount((_errors.GetValueOrDefault(code)?.Count ?? 0) + 1, reason);
        }
    }

    public SimulationSummary Summary(TimeSpan elapsed)
    {
        lock (_lock)
        {
            return new SimulationSummary
            {
                Elapsed = elapsed,
                Sent = _sent,
                Answered = _answered,
                Accepted = _accepted,
                Unanswered = _sent - _answered,
                HeldBack = _heldBack,
                Adopted = _adopted,
                Online = _online,
                Lost = _lost,
                Errors = new SortedDictionary<int, ErrorCount>(_errors),
                Percentiles = Percents.ToDictionary(p => p, p => _accepted == 0 ? 0 : (double)_latency.GetValueAtPercentile(p) / TimeSpan.TicksPerMillisecond),
            };
        }
    }
}

/// <summary>How often an error code came, and the reason that came with it last.</summary>
internal sealed record ErrorCount(long Count, string Reason);
