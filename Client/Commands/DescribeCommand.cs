using System.CommandLine;

namespace EdgeOrleans.Client.Commands;

/// <summary><c>edgectl describe</c>: everything about one thing.</summary>
internal sealed class DescribeCommand : Command
{
    public DescribeCommand(Shell shell)
        : base("describe", "Show everything about a device, a model, a node of a cloud, or the node itself.")
    {
        Add(new DescribeDeviceCommand(shell));
        Add(new DescribeModelCommand(shell));
        Add(new DescribeNodeCommand(shell));
    }
}
