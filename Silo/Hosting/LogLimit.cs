using System.Collections.Concurrent;
using Microsoft.Extensions.Logging;

namespace EdgeOrleans.Hosting;

/// <summary>Lets so many lines a second of one event through and counts the others: one bad client must not fill the disk.</summary>
/// <param name="time">Whose seconds count.</param>
/// <param name="say">Takes the text that stands for those that were left out, when their second is over.</param>
internal sealed class LogLimit(TimeProvider time, Action<LogLimit.Event, string> say) : IDisposable
{
    /// <summary>How many lines of one event a second.</summary>
    public const int MostASecond = 20;

    private static readonly TimeSpan Second = TimeSpan.FromSeconds(1);

    private readonly TimeProvider _time = time;
    private readonly Action<Event, string> _say = say;
    private readonly ConcurrentDictionary<Event, Window> _windows = new();

    /// <summary>Whether one more of an event is written. What is not written need not be put into words.</summary>
    public bool Takes(Event which) => _windows.GetOrAdd(which, static (e, limit) => new Window(limit, e), this).Takes();

    /// <summary>Says what was left out and is not said yet.</summary>
    public void Dispose()
    {
        foreach (var window in _windows.Values)
        {
            window.Dispose();
        }
    }

    /// <summary>What counts as the same.</summary>
    internal readonly record struct Event(LogLevel Level, string Category, int Id);

    private sealed class Window(LogLimit limit, Event which) : IDisposable
    {
        private readonly Lock _lock = new();
        private long _began = limit._time.GetTimestamp();
        private ITimer? _end;
        private int _taken;
        private int _left;

        public bool Takes()
        {
            lock (_lock)
            {
                if (_left == 0 && limit._time.GetElapsedTime(_began) >= Second)
                {
                    (_began, _taken) = (limit._time.GetTimestamp(), 0);
                }

                if (_taken < MostASecond)
                {
                    _taken++;
                    return true;
                }

                if (_left++ == 0)
                {
                    _end ??= limit._time.CreateTimer(_ => Say(), null, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
                    _end.Change(Second, Timeout.InfiniteTimeSpan);
                }

                return false;
            }
        }

        public void Dispose()
        {
            _end?.Dispose();
            Say();
        }

        private void Say()
        {
            int left;
            lock (_lock)
            {
                (left, _left, _taken, _began) = (_left, 0, 0, limit._time.GetTimestamp());
            }

            if (left > 0)
            {
                limit._say(which, $"{left} more like this");
            }
        }
    }
}
