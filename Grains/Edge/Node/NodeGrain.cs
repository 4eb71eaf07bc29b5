using System.Collections.Immutable;
using EdgeOrleans.Modules;
using EdgeOrleans.Nodes;

namespace EdgeOrleans.Edge.Node;

/// <summary>Answers for the node of this process. Key: <see cref="INodeGrain.Key"/>.</summary>
[GrainType("edge.node")]
internal sealed class NodeGrain(NodeDescription node, ModuleCatalog modules, Refusals refusals) : Grain, INodeGrain
{
    public Task<NodeInfo> GetInfoAsync() => Task.FromResult(node.Describe());

    public Task<ImmutableArray<ModuleStatus>> GetModulesAsync() => Task.FromResult(modules.All.ToImmutableArray());

    public Task<ImmutableSortedDictionary<string, long>> GetRefusalsAsync() => Task.FromResult(refusals.Snapshot());
}
