using System.Diagnostics;
using System.Globalization;
using EdgeOrleans.Benchmarks.Load;
using EdgeOrleans.Benchmarks.Measuring;
using EdgeOrleans.TestKit;

namespace EdgeOrleans.Benchmarks;

/// <summary>What a well-behaved device notices of others: of thousands that come at once and vanish, and of some that never read. And whether the node's memory returns.</summary>
/// <remarks>The crowd lives in a process of its own, on the same machine as the node.</remarks>
internal sealed class CrowdBenchmark(TextWriter progress) : IAsyncDisposable
{
    private const int Crowd = 2_000;
    private const int Deaf = 100;
    private static readonly TimeSpan Phase = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan Calm = TimeSpan.FromSeconds(20);

    private readonly NodeProcess _node = new();
    private readonly FigureTable _table = new();
    private MqttProbe? _device;
    private CrowdClients.Remote? _others;
    private double _before;

    public static async Task RunAsync(TextWriter output)
    {
        await using var benchmark = new CrowdBenchmark(Console.Error);
        await benchmark.MeasureAsync();
        benchmark._table.Write(output);
    }

    public async ValueTask DisposeAsync()
    {
        if (_device is { } device)
        {
            await device.DisposeAsync();
        }

        if (_others is { } others)
        {
            await others.DisposeAsync();
        }

        await _node.DisposeAsync();
    }

    private async Task MeasureAsync()
    {
        await _node.StartAsync();
        _device = await MqttProbe.ConnectAsync(_node.MqttPort);
        _others = new CrowdClients.Remote(_node.MqttPort);
        progress.WriteLine("warming up");
        await ReportForAsync(Phase);
        await Task.Delay(Calm);
        var resident = ProcessUse.Resident(_node.Id);
        progress.WriteLine("alone");
        _before = Show("a device alone", await ReportForAsync(Phase));
        progress.WriteLine($"{Crowd} that come at once and vanish, again and again");
        Show($"while {Crowd} come at once and vanish", await WhileAsync(ComeAndVanishAsync));
        progress.WriteLine($"{Deaf} that never read");
        Show($"while {Deaf} never read", await WhileAsync(NeverReadAsync));
        var most = ProcessUse.Busiest(_node.Id);
        await Task.Delay(Calm);
        Show("a device alone again", await ReportForAsync(Phase));
        var after = ProcessUse.Resident(_node.Id);
        _table.Add(new Figure("memory of the node at the most", Mebi(most), ""));
        _table.Add(new Figure("memory after it", Mebi(after), "as before", Mebi(resident), after / resident));
    }

    private async Task<List<double>> WhileAsync(Func<CancellationToken, Task> others)
    {
        using var stop = new CancellationTokenSource();
        var running = others(stop.Token);
        var latencies = await ReportForAsync(Phase);
        await stop.CancelAsync();
        await running;
        return latencies;
    }

    // One report after the other, each until its result is here, a few milliseconds apart.
    private async Task<List<double>> ReportForAsync(TimeSpan time)
    {
        var latencies = new List<double>();
        var begin = Stopwatch.GetTimestamp();
        for (var i = 0; Stopwatch.GetElapsedTime(begin) < time; i++)
        {
            var sent = Stopwatch.GetTimestamp();
            await _device!.ReportAsync("default/pump-1", ("temperature", i.ToString(CultureInfo.InvariantCulture)));
            latencies.Add(Stopwatch.GetElapsedTime(sent).TotalMilliseconds);
            await Task.Delay(5);
        }

        return latencies;
    }

    private async Task ComeAndVanishAsync(CancellationToken stop)
    {
        while (!stop.IsCancellationRequested)
        {
            await _others!.ComeAsync(Crowd);
            await Task.Delay(TimeSpan.FromSeconds(1), CancellationToken.None);
            await _others.VanishAsync();
            await Task.Delay(TimeSpan.FromSeconds(2), CancellationToken.None);
        }
    }

    private async Task NeverReadAsync(CancellationToken stop)
    {
        await _others!.SubscribeAsync(Deaf, "flood/#");
        await using var flood = await MqttProbe.ConnectAsync(_node.MqttPort);
        var payload = new string('x', 1_000);
        while (!stop.IsCancellationRequested)
        {
            await flood.PublishAsync("flood/a", payload);
        }

        await _others.VanishAsync();
    }

    private double Show(string what, List<double> latencies)
    {
        latencies.Sort();
        var p99 = latencies[(int)(latencies.Count * 0.99)];
        _table.Add(new Figure(
            $"reports, {what}: p50, p99",
            $"{Milliseconds(latencies[latencies.Count / 2])}, {Milliseconds(p99)}",
            _before > 0 ? "p99 < 3 × alone" : "",
            _before > 0 ? Milliseconds(_before) : "",
            _before > 0 ? p99 / _before : null));
        return p99;
    }

    private static string Milliseconds(double value) => $"{value.ToString("0.0", CultureInfo.InvariantCulture)} ms";

    private static string Mebi(double mebibytes) => $"{mebibytes.ToString("0", CultureInfo.InvariantCulture)} MiB";
}
