using System.CommandLine;
using EdgeOrleans.Client.Connection;
using EdgeOrleans.Client.Rendering;
using EdgeOrleans.Devices;
using EdgeOrleans.Resources;

namespace EdgeOrleans.Client.Commands;

/// <summary><c>edgectl get devices</c>.</summary>
internal sealed class GetDevicesCommand : Command
{
    public const string WhenEmpty = "no devices yet; try: edgectl simulate";
    private readonly Selection _selection = new();
    private readonly Argument<string[]> _names = new("DEVICE") { Description = "Only these; all by default.", Arity = ArgumentArity.ZeroOrMore };

    public GetDevicesCommand(Shell shell)
        : base("devices", "The devices of the node with their state.")
    {
        Aliases.Add("device");
        Add(_names);
        _selection.AddTo(this, ResourceKinds.Device);
        Add(shell.Output);
        SetAction((parsed, cancellation) => RunAsync(shell, parsed, cancellation));
    }

    private async Task<int> RunAsync(Shell shell, ParseResult parsed, CancellationToken cancellation)
    {
        string[] ids = [.. parsed.GetRequiredValue(_names).Select(Typed.Id)];
        await using var node = await shell.ConnectAsync(parsed, cancellation);
        if (node.IsCloud)
        {
            return await OfCloudAsync(shell, parsed, node, ids, cancellation);
        }

        if (_selection.IsGiven(parsed))
        {
            throw new CommandException(ExitCodes.Failed, "labels, namespaces and nodes are asked of a cloud, and this is a node: --server HOST:PORT takes the cloud's silo.gatewayPort (30100 by default)");
        }

        List<DeviceSummary> devices = ids.Length == 0
            ? await node.DevicesAsync(cancellation)
            : [.. (await node.TwinsAsync(ids, cancellation)).Select(Summary)];
        shell.Renderer(parsed).List(wide => Tables.Devices(devices, wide), () => Documents.Devices(devices), WhenEmpty);
        return ExitCodes.Ok;
    }

    private async Task<int> OfCloudAsync(Shell shell, ParseResult parsed, NodeConnection cloud, string[] ids, CancellationToken cancellation)
    {
        var devices = ids.Length > 0
            ? await cloud.TheseAsync(ResourceKinds.Device, ids, cancellation)
            : await cloud.ListAsync(_selection.Query(parsed, ResourceKinds.Device), cancellation).ToListAsync(cancellation);
        shell.Renderer(parsed).List(
            wide => ResourceViews.Devices(devices, wide),
            () => ResourceViews.DevicesDocument(devices),
            _selection.IsGiven(parsed) ? "no device is meant by that" : "no devices yet; register one with: edgectl apply -f FILE");
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
