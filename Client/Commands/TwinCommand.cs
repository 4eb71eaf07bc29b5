using System.CommandLine;

namespace EdgeOrleans.Client.Commands;

/// <summary><c>edgectl twin</c>: one device's twin.</summary>
internal sealed class TwinCommand : Command
{
    public TwinCommand(Shell shell)
        : base("twin", "Read, set or watch the twin of a device, or see what lost.")
    {
        Add(new TwinGetCommand(shell));
        Add(new TwinSetCommand(shell));
        Add(new TwinWatchCommand(shell));
        Add(new TwinConflictsCommand(shell));
    }
}
