using EdgeOrleans.Benchmarks;
using EdgeOrleans.Benchmarks.Floors;
using EdgeOrleans.Benchmarks.Links;
using EdgeOrleans.Benchmarks.Load;

switch (args)
{
    case ["--echo", var port]:
        await EchoBroker.RunAsync(int.Parse(port, System.Globalization.CultureInfo.InvariantCulture));
        return 0;
    case ["--storage"]:
        await StorageBenchmark.RunAsync(Console.Out);
        return 0;
    case ["--crowd"]:
        await CrowdBenchmark.RunAsync(Console.Out);
        return 0;
    case ["--filters"]:
        FilterBenchmark.Run(Console.Out);
        return 0;
    case ["--crowd-clients", var port]:
        await CrowdClients.RunAsync(int.Parse(port, System.Globalization.CultureInfo.InvariantCulture), Console.In, Console.Out);
        return 0;
    case ["--registry"]:
        await RegistryBenchmark.RunAsync(Console.Out);
        return 0;
    case ["--links"]:
        await LinkBenchmark.RunAsync(2_000, Console.Out);
        return 0;
    case ["--links", var nodes] when int.TryParse(nodes, System.Globalization.CultureInfo.InvariantCulture, out var count) && count is >= 100 and <= 100_000:
        await LinkBenchmark.RunAsync(count, Console.Out);
        return 0;
    case []:
        await NodeBenchmark.RunAsync(BenchmarkPlan.Full, Console.Out);
        return 0;
    case ["--quick"]:
        await NodeBenchmark.RunAsync(BenchmarkPlan.Quick, Console.Out);
        return 0;
    default:
        Console.Error.WriteLine("usage: Benchmarks [--quick | --storage | --crowd | --filters | --registry | --links [NODES]]; without a switch the whole table is measured, which takes some minutes");
        return 2;
}
