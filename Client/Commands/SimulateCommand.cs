using System.CommandLine;
using EdgeOrleans.Client.Connection;
using EdgeOrleans.Client.Simulation;
using EdgeOrleans.Devices;
using Spectre.Console;

namespace EdgeOrleans.Client.Commands;

/// <summary><c>edgectl simulate</c>: virtual devices over real MQTT, with a summary of rate and latency.</summary>
internal sealed class SimulateCommand : Command
{
    private const int MqttPort = 1883;
    private const int SharedConnections = 16;
    private static readonly TimeSpan Redraw = TimeSpan.FromMilliseconds(250);
    private static readonly TimeSpan NextLine = TimeSpan.FromSeconds(5);
    private readonly Option<int> _devices = Number("--devices", 10, 1, 100_000, "How many devices. Default: 10.");
    private readonly Option<double?> _rate = new("--rate") { Description = "Reports a second of all devices together; instead of --interval." };
    private readonly Option<TimeSpan?> _interval = Duration("--interval", "The time between two reports of a device, such as 500ms. Default: 1s.");
    private readonly Option<TimeSpan?> _duration = Duration("--duration", "How long, such as 30s or 5m. Default: until Ctrl-C.");
    private readonly Option<int> _properties = Number("--properties", 2, 1, 100, "Properties of a device. Default: 2.");
    private readonly Option<int> _qos = Number("--qos", 1, 0, 1, "MQTT quality of service: 0 or 1. Default: 1.");
    private readonly Option<int> _connections = Number("--connections", SharedConnections, 1, 10_000, "MQTT connections that the devices share; as many as devices gives each its own. Default: 16.");
    private readonly Option<string> _mqtt = new("--mqtt") { Description = "The broker. Default: 127.0.0.1:1883.", HelpName = "HOST:PORT" };
    private readonly Option<string> _namespace = new("--namespace", "-n") { Description = "The devices' namespace. Default: default." };
    private readonly Option<string> _prefix = new("--prefix") { Description = "How the devices' names begin. Default: sim-." };

    public SimulateCommand(Shell shell)
        : base("simulate", "Let virtual devices report over MQTT and do as they are told, and measure the answers.")
    {
        foreach (var option in new Option[] { _devices, _rate, _interval, _duration, _properties, _qos, _connections, _mqtt, _namespace, _prefix })
        {
            Add(option);
        }

        Add(shell.Output);
        Validators.Add(result =>
        {
            if (result.GetResult(_rate) is not null && result.GetResult(_interval) is not null)
            {
                result.AddError("--rate and --interval say the same in two ways; take one of them");
            }
        });
        SetAction((parsed, cancellation) => RunAsync(shell, parsed, cancellation));
    }

    private async Task<int> RunAsync(Shell shell, ParseResult parsed, CancellationToken cancellation)
    {
        var options = Wanted(parsed);
        var renderer = shell.Renderer(parsed);
        using var fleet = new Fleet(options, shell.Time);
        await fleet.ConnectAsync(cancellation);
        var running = RunAsync(fleet, cancellation);
        await (renderer.IsTable ? ShowAsync(shell, options, fleet, running) : Task.CompletedTask);
        await running;
        renderer.One(output => fleet.Summary.Write(output, options), () => fleet.Summary.ToJson(options));
        return fleet.IsBrokerAway ? Away(shell.Terminal, options, fleet.Summary)
            : fleet.Summary.Answered > 0 ? ExitCodes.Ok
            : Unanswered(shell.Terminal, options);
    }

    private static async Task RunAsync(Fleet fleet, CancellationToken cancellation)
    {
        await fleet.SayOnlineAsync(cancellation);
        await fleet.RunAsync(cancellation);
    }

    private static int Away(Terminal terminal, SimulationOptions options, SimulationSummary summary)
    {
        terminal.Say($"error: the broker at {options.Broker} went away and did not come back; {summary.Unanswered} reports were not answered");
        return ExitCodes.Unreachable;
    }

    private static int Unanswered(Terminal terminal, SimulationOptions options)
    {
        terminal.Say($"error: nothing was answered; is {options.Broker} the MQTT door of a node? 'edgectl get modules -o wide' shows where it listens");
        return ExitCodes.Failed;
    }

    private static Task ShowAsync(Shell shell, SimulationOptions options, Fleet fleet, Task running)
    {
        shell.Terminal.Out.WriteLine($"{options.Devices} devices report to {options.Broker}{(options.Duration is null ? "; Ctrl-C ends" : "")}");
        shell.Terminal.Out.Flush();
        return shell.Terminal.Draws
            ? shell.Terminal.Canvas().Status().StartAsync("…", status => EveryAsync(shell, Redraw, running, () => status.Status(Line(options, fleet))))
            : EveryAsync(shell, NextLine, running, () => shell.Terminal.Out.WriteLine(Line(options, fleet)));
    }

    private static string Line(SimulationOptions options, Fleet fleet) =>
        fleet.Summary.Line(options) + (fleet.IsBrokerAway ? "; the broker is away, trying again" : "");

    private static async Task EveryAsync(Shell shell, TimeSpan pause, Task running, Action show)
    {
        while (await Task.WhenAny(running, Task.Delay(pause, shell.Time)) != running)
        {
            show();
            await shell.Terminal.Out.FlushAsync();
        }
    }

    private SimulationOptions Wanted(ParseResult parsed)
    {
        var devices = parsed.GetValue(_devices);
        var prefix = parsed.GetValue(_prefix) ?? "sim-";
        var ns = parsed.GetValue(_namespace) ?? DeviceId.DefaultNamespace;
        Typed.Id($"{ns}/{prefix}{devices}");
        return new SimulationOptions
        {
            Broker = Broker(parsed),
            Devices = devices,
            Interval = parsed.GetValue(_rate) is { } rate ? Interval(devices, rate) : parsed.GetValue(_interval) ?? TimeSpan.FromSeconds(1),
            Duration = parsed.GetValue(_duration),
            Properties = parsed.GetValue(_properties),
            Qos = parsed.GetValue(_qos),
            Connections = Math.Min(devices, parsed.GetValue(_connections)),
            Namespace = ns,
            Prefix = prefix,
        };
    }

    private ServerAddress Broker(ParseResult parsed)
    {
        var text = parsed.GetValue(_mqtt) ?? $"127.0.0.1:{MqttPort}";
        return ServerAddress.TryParse(text, MqttPort, out var broker)
            ? broker
            : throw new CommandException(ExitCodes.Usage, $"'{text}' is no address; --mqtt takes HOST:PORT, such as 127.0.0.1:{MqttPort}");
    }

    private static TimeSpan Interval(int devices, double rate) => rate is > 0.0001 and <= 1_000_000
        ? TimeSpan.FromSeconds(devices / rate)
        : throw new CommandException(ExitCodes.Usage, "--rate is reports a second: more than 0 and at most 1,000,000");

    private static Option<int> Number(string name, int value, int least, int most, string description) => new(name)
    {
        Description = description,
        HelpName = "N",
        DefaultValueFactory = _ => value,
        CustomParser = result => int.TryParse(result.Tokens[0].Value, out var number) && number >= least && number <= most
            ? number
            : Typed.Wrong<int>(result, $"'{result.Tokens[0].Value}' is no value for {name}; take a whole number from {least:N0} to {most:N0}"),
    };

    private static Option<TimeSpan?> Duration(string name, string description) => new(name)
    {
        Description = description,
        HelpName = "TIME",
        CustomParser = Typed.Duration,
    };
}
