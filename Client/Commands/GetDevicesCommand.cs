using System.CommandLine;
using EdgeOrleans.Client.Connection;
using EdgeOrleans.Client.Rendering;
using EdgeOrleans.Devices;

namespace EdgeOrleans.Client.Commands;

/// <summary><c>edgectl get devices</c>.</summary>
internal sealed class GetDevicesCommand : Command
{
    public const string WhenEmpty = "no devices yet; try: edgectl simulate";
    private readonly Argument<string[]> _names = new("DEVICE") { Description = "Only these; all by default.", Arity = ArgumentArity.ZeroOrMore };

    public GetDevicesCommand(Shell shell)
        : base("devices", "The devices of the node with their state.")
    {
        Aliases.Add("device");
        Add(_names);
        Add(shell.Output);
        SetAction((parsed, cancellation) => RunAsync(shell, parsed, cancellation));
    }

    private async Task<int> RunAsync(Shell shell, ParseResult parsed, CancellationToken cancellation)
    {
        string[] ids = [.. parsed.GetRequiredValue(_names).Select(Typed.Id)];
        await using var node = await shell.ConnectAsync(parsed, cancellation);
        List<DeviceSummary> devices = ids.Length == 0
            ? await node.DevicesAsync(cancellation)
            : [.. (await node.TwinsAsync(ids, cancellation)).Select(Summary)];
        shell.Renderer(parsed).List(wide => Tables.Devices(devices, wide), () => Documents.Devices(devices), WhenEmpty);
        return ExitCodes.Ok;
    }

    private static DeviceSummary Summary(DeviceView device) => new()
    {
        Id = device.Id,
        Description = device.Description,
        State = device.State,
        LastOnline = device.LastOnline,
        Model = device.Model,
    };
}
