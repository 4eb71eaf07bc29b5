using System.Globalization;
using System.Text;
using EdgeOrleans.Settings;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace EdgeOrleans.Hosting;

/// <summary>The log on standard output: one line an event, with time, level and who says it.</summary>
/// <remarks>Straight to the stream: the console class would look up a terminal, a culture and an encoding first.</remarks>
internal sealed class ConsoleLog : ILoggerProvider
{
    private readonly LogLines _lines;
    private readonly LogLimit _limit;
    private readonly TimeProvider _time;
    private readonly IDisposable? _changes;
    private volatile LogOptions _options;
    private volatile bool _refused;

    public ConsoleLog(IOptionsMonitor<LogOptions> options, TimeProvider time, Stream? output = null)
    {
        _options = options.CurrentValue;
        _changes = options.OnChange(o => _options = o);
        _time = time;
        _lines = new LogLines(
            output ?? Console.OpenStandardOutput(), dropped => LineOf(LogLevel.Warning, "Log", $"{dropped} log lines were dropped: nobody reads", null));
        _limit = new LogLimit(time, (which, text) => _lines.Add(LineOf(which.Level, which.Category, text, null)));
    }

    public ILogger CreateLogger(string categoryName) => new Logger(this, categoryName);

    public void Dispose()
    {
        _changes?.Dispose();
        _limit.Dispose();
        _lines.Dispose();
    }

    private string LineOf(LogLevel level, string category, string message, Exception? exception)
    {
        var line = new StringBuilder(message.Length + 64);
        line.Append(CultureInfo.InvariantCulture, $"{_time.GetUtcNow():yyyy-MM-ddTHH:mm:ss.fffZ} {Word(level)} {category}: ");
        AppendOneLine(line, message);
        for (var e = exception; e is not null; e = e.InnerException)
        {
            line.Append(" | ").Append(e.GetType().Name).Append(": ");
            AppendOneLine(line, e.Message);
        }

        if (exception?.StackTrace is { } stack && level >= LogLevel.Error)
        {
            line.Append(" | ");
            AppendOneLine(line, _options.Level <= LogLevel.Debug ? stack : stack.Split('\n')[0]);
        }

        line.Append('\n');
        return line.ToString();
    }

    private static void AppendOneLine(StringBuilder line, string text)
    {
        foreach (var c in text)
        {
            if (!char.IsControl(c))
            {
                line.Append(c);
            }
            else if (c is '\n' or '\t')
            {
                line.Append(' ');
            }
        }
    }

    private static string Word(LogLevel level) => level switch
    {
        LogLevel.Critical => "crit ",
        LogLevel.Error => "error",
        LogLevel.Warning => "warn ",
        LogLevel.Information => "info ",
        _ => "debug",
    };

    private sealed class Logger(ConsoleLog log, string category) : ILogger
    {
        private readonly string _short = category[(category.LastIndexOf('.') + 1)..];
        private readonly bool _ours = category.StartsWith("EdgeOrleans", StringComparison.Ordinal);
        private readonly bool _tellsSettings = category == StartReport.Category || category == typeof(SettingsWatcher).FullName;

        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => logLevel != LogLevel.None && logLevel >= (_ours ? log._options.Level : log._options.Libraries);

        public void Log<TState>(
            LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
        {
            if (IsEnabled(logLevel) && !IsOfRefusedStart(logLevel, exception) && (IsUnlimited(logLevel) || log._limit.Takes(new LogLimit.Event(logLevel, _short, eventId.Id))))
            {
                log._lines.Add(log.LineOf(logLevel, _short, formatter(state, exception), exception));
            }
        }

        // The program says why it does not start, in one sentence; what the libraries say about their end then is noise.
        private bool IsOfRefusedStart(LogLevel level, Exception? exception)
        {
            if (!_ours && StartErrors.IsRefusal(exception))
            {
                log._refused = true;
                return true;
            }

            return log._refused && !_ours && level < LogLevel.Error;
        }

        // An error counts each time, who asks for debug asks for each message, and each setting is told once: at the start, and when it changes.
        private bool IsUnlimited(LogLevel level) => level is >= LogLevel.Error or <= LogLevel.Debug || _tellsSettings;
    }
}
