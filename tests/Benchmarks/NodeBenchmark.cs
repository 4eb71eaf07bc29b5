using System.Diagnostics;
using System.Globalization;
using System.Net.Sockets;
using EdgeOrleans.Benchmarks.Floors;
using EdgeOrleans.Benchmarks.Load;
using EdgeOrleans.Benchmarks.Measuring;
using EdgeOrleans.TestKit;

namespace EdgeOrleans.Benchmarks;

/// <summary>How fast and how small the published node is, each figure beside the floor of the same run.</summary>
internal sealed class NodeBenchmark(BenchmarkPlan plan, TextWriter progress, string folder)
{
    // A fleet that fits is not what is measured here.
    private const string ManyDevices = "--modules.deviceTwin.maxDevices=1000000";
    private static readonly LoadShape TenProperties = LoadShape.Busy with { Properties = 10 };
    private static readonly LoadShape Reading = LoadShape.Busy with { Reads = true };
    private readonly FigureTable _table = new();

    public static async Task RunAsync(BenchmarkPlan plan, TextWriter output)
    {
        // Below the sources and not in the temporary folder, which may be no disk.
        var folder = Directory.CreateDirectory(Repository.PathOf("artifacts", "benchmarks", Guid.NewGuid().ToString("N"))).FullName;
        try
        {
            await PublishedPrograms.SiloAsync();
            var benchmark = new NodeBenchmark(plan, Console.Error, folder);
            var floors = await benchmark.MeasureFloorsAsync();
            await benchmark.MeasureNodeAsync(floors);
            await benchmark.MeasureStartsAsync();
            benchmark._table.Write(output);
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    private async Task<FloorFigures> MeasureFloorsAsync()
    {
        progress.WriteLine("floors: MQTT echo, SQLite commits");
        var port = FreePorts.Take();
        await using var echo = ChildProcess.Start(Environment.ProcessPath!, ["--echo", port.ToString(CultureInfo.InvariantCulture)]);
        await echo.Output.LineAsync(EchoBroker.Ready);
        await ListeningAsync(port);
        await WarmAsync(port);
        return new FloorFigures
        {
            Busy = await MedianAsync(port, LoadShape.Busy, echo.Id),
            TenProperties = await MedianAsync(port, TenProperties, echo.Id),
            Serial = await MedianAsync(port, LoadShape.Serial, echo.Id),
            Calm = (await TwinLoads.CalmAsync(port, plan.Length), 0),
            Reading = await MedianAsync(port, Reading, echo.Id),
            Group = CommitFloor.Measure(folder, 32, plan.Length / 2),
            Single = CommitFloor.Measure(folder, 1, plan.Length / 2),
        };
    }

    private async Task MeasureNodeAsync(FloorFigures floors)
    {
        await using var node = await StartAsync("load");
        await AddIdleAsync(node);
        await WarmAsync(node.MqttPort);
        await AddRateAsync(node, "durable answered updates/s, 100 devices, 32 in flight", LoadShape.Busy, "≥ 10,000", floors.Busy.Figures);
        _table.Add(new Figure("SQLite alone, rows/s with 32 a commit", Rate(floors.Group.Rate), "", Time(floors.Single.P50) + " a single commit"));
        await AddRateAsync(node, "the same, 10 properties per update", TenProperties, "≥ 7,500", floors.TenProperties.Figures);
        var (serial, others) = await MedianAsync(node.MqttPort, LoadShape.Serial, node.Id);
        AddTime("one in flight, p50", serial.P50, "< 0.6 ms", floors.Serial.Figures.P50, serial.Bad, others);
        _table.Add(new Figure("one in flight, p50, against one commit", Time(serial.P50), "", Time(floors.Single.P50), serial.P50 / floors.Single.P50));
        var calm = await TwinLoads.CalmAsync(node.MqttPort, plan.Length * 2);
        AddTime("50/s, p50", calm.P50, "< 1 ms", floors.Calm.Figures.P50, calm.Bad);
        AddTime("50/s, p99", calm.P99, "< 5 ms", floors.Calm.Figures.P99, calm.Bad);
        await AddRateAsync(node, "twin get/s", Reading, "≥ 20,000", floors.Reading.Figures);
        _table.Add(new Figure("RSS busiest", Size(ProcessUse.Busiest(node.Id)), "< 150 MiB"));
        await node.StopAsync();
    }

    // A program that has just started compiles what it repeats: both sides have that behind them before a row counts.
    private static async Task WarmAsync(int port) => await TwinLoads.ClosedAsync(port, LoadShape.Busy, TimeSpan.Zero, BenchmarkPlan.ProgramWarmUp);

    private async Task AddIdleAsync(NodeProcess node)
    {
        progress.WriteLine($"idle: {plan.UntilIdle + plan.Idle}");
        await Task.Delay(plan.UntilIdle);
        var (before, begin) = (ProcessUse.Processor(node.Id), Stopwatch.GetTimestamp());
        await Task.Delay(plan.Idle);
        var share = (ProcessUse.Processor(node.Id) - before) / Stopwatch.GetElapsedTime(begin);
        _table.Add(new Figure("RSS idle", Size(ProcessUse.Resident(node.Id)), "< 100 MiB"));
        _table.Add(new Figure("CPU idle", (100 * share).ToString("0.00", CultureInfo.InvariantCulture) + " % of a core", "< 0.5 %"));
    }

    private async Task MeasureStartsAsync()
    {
        progress.WriteLine("starts");
        _table.Add(new Figure("start to first answered update, empty", await MedianStartAsync("start"), "< 600 ms"));
        await using (var node = await StartAsync("many"))
        {
            progress.WriteLine($"storing {plan.StoredTwins} twins");
            await TwinLoads.StoreAsync(node.MqttPort, plan.StoredTwins);
            await node.StopAsync();
        }

        _table.Add(new Figure($"the same with {plan.StoredTwins:N0} twins stored", await MedianStartAsync("many"), "the same"));
    }

    private async Task<string> MedianStartAsync(string data)
    {
        var milliseconds = new List<double>();
        for (var run = 0; run < plan.Runs; run++)
        {
            await using var node = Node(data);
            var begin = Stopwatch.GetTimestamp();
            await node.LaunchAsync();
            await FirstAnswerAsync(node.MqttPort);
            milliseconds.Add(Stopwatch.GetElapsedTime(begin).TotalMilliseconds);
            await node.StopAsync();
        }

        milliseconds.Sort();
        return milliseconds[milliseconds.Count / 2].ToString("0", CultureInfo.InvariantCulture) + " ms";
    }

    // The broker says that it has started a moment before it takes connections.
    private static async Task ListeningAsync(int port)
    {
        for (var waited = 0; waited < 1_000; waited++)
        {
            try
            {
                using var mqtt = await MqttSocket.OpenAsync(port);
                return;
            }
            catch (SocketException)
            {
                await Task.Delay(10);
            }
        }

        throw new TimeoutException($"nothing listens at port {port}");
    }

    private static async Task FirstAnswerAsync(int port)
    {
        while (true)
        {
            try
            {
                using var mqtt = await MqttSocket.ConnectAsync(port, "bench-first", topics: "$hw/events/device/default/first/twin/update/result");
                await mqtt.SendAsync(MqttPacket.Message("$hw/events/device/default/first/twin/update", TwinJson.Report("f", ("a", "1"))));
                await mqtt.ReadAsync(MqttPacket.Publish);
                return;
            }
            catch (SocketException)
            {
                await Task.Delay(1);
            }
        }
    }

    private async Task AddRateAsync(NodeProcess node, string name, LoadShape shape, string goal, LoadFigures floor)
    {
        progress.WriteLine(name);
        var (figures, others) = await MedianAsync(node.MqttPort, shape, node.Id);
        _table.Add(new Figure(name, Rate(figures.Rate) + Bad(figures.Bad), goal, Rate(floor.Rate), figures.Rate / floor.Rate, others));
    }

    private void AddTime(string name, double milliseconds, string goal, double floor, int bad, double? others = null)
    {
        progress.WriteLine(name);
        _table.Add(new Figure(name, Time(milliseconds) + Bad(bad), goal, Time(floor), milliseconds / floor, others));
    }

    private async Task<(LoadFigures Figures, double Others)> MedianAsync(int port, LoadShape shape, int process)
    {
        var runs = new List<(LoadFigures Figures, double Others)>();
        for (var run = 0; run < plan.Runs; run++)
        {
            var others = new Others(process);
            runs.Add((await TwinLoads.ClosedAsync(port, shape, plan.WarmUp, plan.Length), others.Share()));
        }

        return runs.OrderBy(run => run.Figures.Rate).ElementAt(runs.Count / 2);
    }

    private NodeProcess Node(string data) => new(new NodeSetup { Data = Path.Combine(folder, data), Arguments = [ManyDevices] });

    private Task<NodeProcess> StartAsync(string data) => Node(data).StartAsync();

    private static string Rate(double rate) => rate.ToString("#,0", CultureInfo.InvariantCulture);

    private static string Time(double milliseconds) => milliseconds.ToString("0.00", CultureInfo.InvariantCulture) + " ms";

    private static string Size(double mebibytes) => mebibytes.ToString("0", CultureInfo.InvariantCulture) + " MiB";

    private static string Bad(int bad) => bad == 0 ? "" : $" ({bad} bad)";

    private sealed record FloorFigures
    {
        public required (LoadFigures Figures, double Others) Busy { get; init; }

        public required (LoadFigures Figures, double Others) TenProperties { get; init; }

        public required (LoadFigures Figures, double Others) Serial { get; init; }

        public required (LoadFigures Figures, double Others) Calm { get; init; }

        public required (LoadFigures Figures, double Others) Reading { get; init; }

        public required (double Rate, double P50) Group { get; init; }

        public required (double Rate, double P50) Single { get; init; }
    }
}
