using System.CommandLine;
using EdgeOrleans.Resources;

namespace EdgeOrleans.Client.Commands;

/// <summary><c>edgectl describe model</c>, of a cloud.</summary>
internal sealed class DescribeModelCommand : Command
{
    public DescribeModelCommand(Shell shell)
        : base("model", "A device model of a cloud as its document.")
    {
        var name = new Argument<string>("NAME") { Description = "namespace/name, or name for the namespace 'default'." };
        Aliases.Add("models");
        Add(name);
        Add(shell.Output);
        SetAction(async (parsed, cancellation) =>
        {
            var id = Typed.Id(parsed.GetRequiredValue(name));
            await using var cloud = await shell.ConnectAsync(parsed, cancellation);
            return await DescribeResource.RunAsync(shell, parsed, cloud, ResourceKinds.DeviceModel, id, cancellation);
        });
    }
}
