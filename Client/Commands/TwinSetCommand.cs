using System.Collections.Immutable;
using System.CommandLine;
using EdgeOrleans.Client.Rendering;
using EdgeOrleans.Devices;

namespace EdgeOrleans.Client.Commands;

/// <summary><c>edgectl twin set</c>: what a device should be.</summary>
internal sealed class TwinSetCommand : Command
{
    private readonly Argument<string> _device = Shell.DeviceArgument();
    private readonly Argument<string[]> _values = new("PROPERTY=VALUE") { Description = "Expected values; all are set, or none.", Arity = ArgumentArity.OneOrMore };

    public TwinSetCommand(Shell shell)
        : base("set", "Set expected values of a device; it hears of them at once.")
    {
        Add(_device);
        Add(_values);
        Add(shell.Output);
        SetAction((parsed, cancellation) => RunAsync(shell, parsed, cancellation));
    }

    private async Task<int> RunAsync(Shell shell, ParseResult parsed, CancellationToken cancellation)
    {
        var id = Typed.Id(parsed.GetRequiredValue(_device));
        var values = Values(parsed.GetRequiredValue(_values));
        await using var node = await shell.ConnectAsync(parsed, cancellation);
        var device = Only(values, await node.Device(id).SetExpectedAsync(values).WaitAsync(cancellation));
        shell.Renderer(parsed).List(
            wide => Tables.Twin(device, wide, all: false, shell.Time),
            () => Documents.Twin(device, all: false),
            $"device '{id}' has none of these properties any more");
        return ExitCodes.Ok;
    }

    private static ImmutableDictionary<string, string> Values(string[] arguments)
    {
        var values = ImmutableDictionary.CreateBuilder<string, string>(StringComparer.Ordinal);
        foreach (var argument in arguments)
        {
            var equals = argument.IndexOf('=', StringComparison.Ordinal);
            if (equals < 1)
            {
                throw new CommandException(ExitCodes.Usage, $"'{argument}' sets nothing; write PROPERTY=VALUE, such as temperature=25");
            }

            if (!values.TryAdd(argument[..equals], argument[(equals + 1)..]))
            {
                throw new CommandException(ExitCodes.Usage, $"'{argument[..equals]}' is set twice");
            }
        }

        return values.ToImmutable();
    }

    private static DeviceView Only(ImmutableDictionary<string, string> values, DeviceView device) =>
        device with { Twin = device.Twin.RemoveRange(device.Twin.Keys.Where(name => !values.ContainsKey(name))) };
}
