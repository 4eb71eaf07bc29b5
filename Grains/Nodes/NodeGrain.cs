using System.Collections.Immutable;
using EdgeOrleans.Modules;

namespace EdgeOrleans.Nodes;

/// <summary>Answers for this process, whatever its role. Key: <see cref="INodeGrain.Key"/>.</summary>
[GrainType("nodes.node")]
internal sealed class NodeGrain(NodeDescription node, ModuleCatalog modules, Refusals refusals) : Grain, INodeGrain
{
    public Task<NodeInfo> GetInfoAsync() => Task.FromResult(node.Describe());

    public Task<ImmutableArray<ModuleStatus>> GetModulesAsync() => Task.FromResult(modules.All.ToImmutableArray());

    public Task<ImmutableSortedDictionary<string, long>> GetRefusalsAsync() => Task.FromResult(refusals.Snapshot());
}
