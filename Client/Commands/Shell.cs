using System.CommandLine;
using EdgeOrleans.Client.Connection;
using EdgeOrleans.Client.Rendering;

namespace EdgeOrleans.Client.Commands;

/// <summary>What every command has: the terminal, the clock, and the options that all share.</summary>
internal sealed class Shell(Terminal terminal, TimeProvider time)
{
    private const int DefaultPort = 30000;

    public Terminal Terminal { get; } = terminal;

    public TimeProvider Time { get; } = time;

    public Option<string> Server { get; } = new("--server")
    {
        Description = "The node's console gateway (silo.gatewayPort). Environment: EDGECTL_SERVER. Default: 127.0.0.1:30000.",
        HelpName = "HOST:PORT",
        Recursive = true,
    };

    public Option<string> Context { get; } = new("--context")
    {
        Description = "A context of the contexts file (edgectl config); --server wins over it.",
        HelpName = "NAME",
        Recursive = true,
    };

    public Option<OutputFormat> Output { get; } = OutputOption();

    public static Argument<string> DeviceArgument() => new("DEVICE") { Description = "namespace/name, or name for the namespace 'default'." };

    public Task<NodeConnection> ConnectAsync(ParseResult parsed, CancellationToken cancellation) =>
        NodeConnection.OpenAsync(Address(parsed), cancellation);

    public Renderer Renderer(ParseResult parsed) => new(Terminal, parsed.GetValue(Output));

    public ServerAddress Address(ParseResult parsed)
    {
        var text = Given(parsed.GetValue(Server)) ?? OfContext(parsed.GetValue(Context)) ?? Given(Environment.GetEnvironmentVariable("EDGECTL_SERVER"))
            ?? Contexts.Load().Find(null)?.Server ?? $"127.0.0.1:{DefaultPort}";
        return ServerAddress.TryParse(text, DefaultPort, out var address)
            ? address
            : throw new CommandException(ExitCodes.Usage, $"'{text}' is no address; --server and EDGECTL_SERVER take HOST:PORT, such as 127.0.0.1:{DefaultPort}");
    }

    private static string? Given(string? text) => string.IsNullOrWhiteSpace(text) ? null : text;

    private static string? OfContext(string? name) => name is null ? null
        : Contexts.Load().Find(name)?.Server ?? throw new CommandException(ExitCodes.Usage, $"there is no context '{name}'; 'edgectl config get-contexts' lists them");

    private static Option<OutputFormat> OutputOption()
    {
        var option = new Option<OutputFormat>("--output", "-o")
        {
            Description = "table, wide, json or yaml. Default: table.",
            HelpName = "FORMAT",
            CustomParser = result => Enum.TryParse<OutputFormat>(result.Tokens[0].Value, ignoreCase: true, out var format) && !int.TryParse(result.Tokens[0].Value, out _)
                ? format
                : Typed.Wrong<OutputFormat>(result, $"'{result.Tokens[0].Value}' is no output format; take table, wide, json or yaml"),
        };
        option.CompletionSources.Add("table", "wide", "json", "yaml");
        return option;
    }
}
