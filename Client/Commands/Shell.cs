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

    public Option<OutputFormat> Output { get; } = OutputOption();

    public static Argument<string> DeviceArgument() => new("DEVICE") { Description = "namespace/name, or name for the namespace 'default'." };

    public Task<NodeConnection> ConnectAsync(ParseResult parsed, CancellationToken cancellation) =>
        NodeConnection.OpenAsync(Address(parsed), cancellation);

    public Renderer Renderer(ParseResult parsed) => new(Terminal, parsed.GetValue(Output));

    public ServerAddress Address(ParseResult parsed)
    {
        var text = parsed.GetValue(Server) ?? Environment.GetEnvironmentVariable("EDGECTL_SERVER");
        text = string.IsNullOrWhiteSpace(text) ? $"127.0.0.1:{DefaultPort}" : text;
        return ServerAddress.TryParse(text, DefaultPort, out var address)
            ? address
            : throw new CommandException(ExitCodes.Usage, $"'{text}' is no address; --server and EDGECTL_SERVER take HOST:PORT, such as 127.0.0.1:{DefaultPort}");
    }

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
