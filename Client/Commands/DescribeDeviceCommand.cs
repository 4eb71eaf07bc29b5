using System.CommandLine;
using EdgeOrleans.Client.Connection;
using EdgeOrleans.Client.Rendering;
using EdgeOrleans.Devices;

namespace EdgeOrleans.Client.Commands;

/// <summary><c>edgectl describe device</c>.</summary>
internal sealed class DescribeDeviceCommand : Command
{
    private readonly Argument<string> _device = Shell.DeviceArgument();
    private readonly Option<bool> _all = new("--all") { Description = "Show deleted properties too." };

    public DescribeDeviceCommand(Shell shell)
        : base("device", "A device with its twin, attributes and conflicts.")
    {
        Aliases.Add("devices");
        Add(_device);
        Add(_all);
        Add(shell.Output);
        SetAction((parsed, cancellation) => RunAsync(shell, parsed, cancellation));
    }

    private async Task<int> RunAsync(Shell shell, ParseResult parsed, CancellationToken cancellation)
    {
        var id = Typed.Id(parsed.GetRequiredValue(_device));
        var all = parsed.GetValue(_all);
        await using var node = await shell.ConnectAsync(parsed, cancellation);
        var device = await node.TwinAsync(id, cancellation);
        var wide = parsed.GetValue(shell.Output) == OutputFormat.Wide;
        shell.Renderer(parsed).One(
            output => Write(output, device, Tables.Twin(device, wide, all, shell.Time)),
            () => Documents.Full(device, all));
        return ExitCodes.Ok;
    }

    private static void Write(TextWriter output, DeviceView device, Table twin)
    {
        Field(output, "Id", device.Id);
        Field(output, "Name", device.Name);
        Field(output, "Description", device.Description);
        Field(output, "Model", device.Model);
        Field(output, "State", device.State);
        Field(output, "Last online", device.LastOnline);
        if (device.Node.Length > 0)
        {
            Field(output, "Node", device.Node);
            Field(output, "Pending", string.Join(", ", device.Pending));
        }

        Section(output, "Twin", twin);
        Section(output, "Attributes", Attributes(device));
        Section(output, "Conflicts", Tables.Conflicts(device));
    }

    private static void Field(TextWriter output, string name, string value) =>
        output.WriteLine($"{name + ":",-14}{(value.Length == 0 ? "-" : Text.Plain(value))}");

    private static void Section(TextWriter output, string name, Table table)
    {
        output.WriteLine(table.Count == 0 ? $"{name + ":",-14}none" : $"{name}:");
        if (table.Count > 0)
        {
            table.Write(output, "  ");
        }
    }

    private static Table Attributes(DeviceView device)
    {
        var table = new Table("NAME", "VALUE", "TYPE");
        foreach (var (name, attribute) in device.Attributes)
        {
            table.Add(name, attribute.Value, attribute.Type);
        }

        return table;
    }
}
