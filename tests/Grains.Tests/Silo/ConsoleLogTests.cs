using System.Text;
using EdgeOrleans.Settings;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Microsoft.Extensions.Time.Testing;

namespace EdgeOrleans.Hosting;

public sealed class ConsoleLogTests
{
    private static readonly IOptionsMonitor<LogOptions> Options = new Fixed();
    private readonly FakeTimeProvider _time = new();

    [Fact]
    public void Who_logs_never_waits_for_a_reader_and_the_lines_that_are_missing_are_counted()
    {
        using var output = new Pipe();
        output.Reads.Reset();
        using var log = new ConsoleLog(Options, _time, output);
        var logger = log.CreateLogger("EdgeOrleans.Test");

        // One is in the writer's hands, or not yet.
        for (var i = 0; i < LogLines.MostWaiting + 101; i++)
        {
            logger.LogError("line {Number}", i);
        }

        output.Reads.Set();
        log.Dispose();

        var lines = output.Lines;
        Assert.Contains(lines, l => l.EndsWith("warn  Log: 100 log lines were dropped: nobody reads", StringComparison.Ordinal)
            || l.EndsWith("warn  Log: 101 log lines were dropped: nobody reads", StringComparison.Ordinal));
        Assert.Contains(lines, l => l.EndsWith("error Test: line 0", StringComparison.Ordinal));
    }

    [Fact]
    public void A_reader_that_stopped_holds_the_end_up_for_a_second_at_the_most()
    {
        using var output = new Pipe();
        output.Reads.Reset();
        var log = new ConsoleLog(Options, _time, output);
        log.CreateLogger("EdgeOrleans.Test").LogError("never read");

        var since = TimeProvider.System.GetTimestamp();
        log.Dispose();

        Assert.InRange(TimeProvider.System.GetElapsedTime(since), TimeSpan.Zero, TimeSpan.FromSeconds(5));
        output.Reads.Set();
    }

    [Fact]
    public void More_than_twenty_lines_a_second_of_one_event_become_a_number()
    {
        using var output = new Pipe();
        using var log = new ConsoleLog(Options, _time, output);
        var logger = log.CreateLogger("EdgeOrleans.Test");

        for (var i = 0; i < 100; i++)
        {
            logger.LogWarning(1, "a bad client");
        }

        logger.LogWarning(2, "another event");
        _time.Advance(TimeSpan.FromSeconds(1));
        logger.LogWarning(1, "a bad client");
        log.Dispose();

        Assert.Equal(21, output.Lines.Count(l => l.EndsWith("warn  Test: a bad client", StringComparison.Ordinal)));
        Assert.Single(output.Lines, l => l.EndsWith("warn  Test: another event", StringComparison.Ordinal));
        Assert.Single(output.Lines, l => l.EndsWith("warn  Test: 80 more like this", StringComparison.Ordinal));
    }

    [Fact]
    public void Every_error_is_written()
    {
        using var output = new Pipe();
        using var log = new ConsoleLog(Options, _time, output);
        var logger = log.CreateLogger("EdgeOrleans.Test");

        for (var i = 0; i < 100; i++)
        {
            logger.LogError(1, "broken");
        }

        log.Dispose();

        Assert.Equal(100, output.Lines.Length);
    }

    [Fact]
    public void What_the_libraries_say_about_a_refused_start_is_left_to_the_programs_sentence()
    {
        using var output = new Pipe();
        using var log = new ConsoleLog(Options, _time, output);
        var (host, orleans) = (log.CreateLogger("Microsoft.Extensions.Hosting.Internal.Host"), log.CreateLogger("Orleans.Runtime.MembershipService"));

        host.LogError(11, new IOException("closed"), "Hosting failed to start");
        host.LogError(11, new AggregateException(new StartRefusedException("port 1883 is taken")), "Hosting failed to start");
        orleans.LogWarning("I am the last one");
        log.Dispose();

        Assert.Contains("IOException: closed", Assert.Single(output.Lines), StringComparison.Ordinal);
    }

    private sealed class Fixed : IOptionsMonitor<LogOptions>
    {
        public LogOptions CurrentValue { get; } = new();

        public LogOptions Get(string? name) => CurrentValue;

        public IDisposable? OnChange(Action<LogOptions, string?> listener) => null;
    }

    private sealed class Pipe : MemoryStream
    {
        public ManualResetEventSlim Reads { get; } = new(true);

        public string[] Lines => Encoding.UTF8.GetString(ToArray()).Split('\n', StringSplitOptions.RemoveEmptyEntries);

        public override void Write(ReadOnlySpan<byte> buffer)
        {
            Reads.Wait();
            base.Write(buffer);
        }
    }
}
