using System.CommandLine;

namespace EdgeOrleans.Client.Commands;

/// <summary><c>edgectl get</c>: lists.</summary>
internal sealed class GetCommand : Command
{
    public GetCommand(Shell shell)
        : base("get", "List nodes, devices, twins, models, modules or refusals.")
    {
        Add(new GetNodesCommand(shell));
        Add(new GetDevicesCommand(shell));
        Add(new GetTwinsCommand(shell));
        Add(new GetModelsCommand(shell));
        Add(new GetModulesCommand(shell));
        Add(new GetRefusalsCommand(shell));
    }
}
