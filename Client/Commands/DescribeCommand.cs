using System.CommandLine;

namespace EdgeOrleans.Client.Commands;

/// <summary><c>edgectl describe</c>: everything about one thing.</summary>
internal sealed class DescribeCommand : Command
{
    public DescribeCommand(Shell shell)
        : base("describe", "Show everything about a device or the node.")
    {
        Add(new DescribeDeviceCommand(shell));
        Add(new DescribeNodeCommand(shell));
    }
}
