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
    private readonly Stream _output = Console.OpenStandardOutput();
    private readonly Lock _writing = new();
    private readonly TimeProvider _time;
    private readonly IDisposable? _changes;
    private volatile LogOptions _options;

    public ConsoleLog(IOptionsMonitor<LogOptions> options, TimeProvider time)
    {
        _options = options.CurrentValue;
        _changes = options.OnChange(o => _options = o);
        _time = time;
    }

    public ILogger CreateLogger(string categoryName) => new Logger(this, categoryName);

    public void Dispose()
    {
        _changes?.Dispose();
        _output.Dispose();
    }

    private void Write(LogLevel level, string category, string message, Exception? exception)
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
        Write(Encoding.UTF8.GetBytes(line.ToString()));
    }

    // A reader that went away must not stop the node.
    private void Write(ReadOnlySpan<byte> line)
    {
        lock (_writing)
        {
            try
            {
                _output.Write(line);
            }
            catch (IOException)
            {
            }
        }
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

        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => logLevel != LogLevel.None && logLevel >= (_ours ? log._options.Level : log._options.Libraries);

        public void Log<TState>(
            LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
        {
            if (IsEnabled(logLevel))
            {
                log.Write(logLevel, _short, formatter(state, exception), exception);
            }
        }
    }
}
