using EdgeOrleans.Benchmarks;
using EdgeOrleans.Benchmarks.Floors;

switch (args)
{
    case ["--echo", var port]:
        await EchoBroker.RunAsync(int.Parse(port, System.Globalization.CultureInfo.InvariantCulture));
        return 0;
    case ["--storage"]:
        await StorageBenchmark.RunAsync(Console.Out);
        return 0;
    case []:
        await NodeBenchmark.RunAsync(BenchmarkPlan.Full, Console.Out);
        return 0;
    case ["--quick"]:
        await NodeBenchmark.RunAsync(BenchmarkPlan.Quick, Console.Out);
        return 0;
    default:
        Console.Error.WriteLine("usage: Benchmarks [--quick | --storage]; without a switch the whole table is measured, which takes some minutes");
        return 2;
}
