using EdgeOrleans;
using EdgeOrleans.Commands;
using EdgeOrleans.DbManager;
using EdgeOrleans.Hosting;
using EdgeOrleans.Settings;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Options;

if (!Flags.OnlyPrints(args))
{
    GcBudget.Apply();
}

// Everything that ends the process is here: 0 after a stop that was asked for, 1 with a sentence when it cannot start.
try
{
    var settings = NodeSettings.Read(args);
    return settings.Purpose == Purpose.Run ? await RunAsync(settings) : Print(settings);
}
catch (Exception e)
{
    Console.Error.WriteLine(StartErrors.Sentence(e));
    return 1;
}

static int Print(NodeSettings settings)
{
    Console.Out.Write(settings.Purpose switch
    {
        Purpose.Version => $"edgeorleans {ProgramVersion.Text}{Environment.NewLine}",
        Purpose.PrintConfig => Printing.Effective(settings.Ladder, settings.Role),
        Purpose.DefaultConfig => Printing.Default(settings.Role),
        Purpose.MinConfig => Printing.Minimal(settings.Role),
        _ => settings.Flags!.Help(),
    });
    return 0;
}

static async Task<int> RunAsync(NodeSettings settings)
{
    using var signals = new Signals();
    using var folder = DataFolderLock.Acquire(settings.DataFolder);
    using var host = NodeHost.Build(settings.Ladder, role: settings.Role);
    var report = host.Services.GetRequiredService<StartReport>();
    report.Begin();
    Ports.Check(host.Services.GetRequiredService<IOptions<SiloOptions>>().Value);
    await host.StartAsync();
    report.Ready();

    var ended = host.Services.GetRequiredService<IHostApplicationLifetime>().ApplicationStopping;
    var broken = new TaskCompletionSource();
    using var registration = ended.Register(broken.SetResult);
    var asked = await Task.WhenAny(signals.First, broken.Task) == signals.First;
    report.Stopping(asked ? await signals.First : "an error");
    await host.StopAsync();
    report.Stopped();
    return asked ? 0 : 1;
}
