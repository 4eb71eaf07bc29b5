using EdgeOrleans.Devices;
using EdgeOrleans.Modules;
using EdgeOrleans.Nodes;
using EdgeOrleans.Resources;
using Orleans.Concurrency;

namespace EdgeOrleans.Cloud.Registry;

/// <summary>The door to the cloud's resources. It reads documents and lists, and leaves each resource to its owner.</summary>
[GrainType("cloud.resources"), StatelessWorker]
internal sealed class ResourcesGrain(IResourceIndex index, ModuleCatalog modules) : Grain, IResourcesGrain
{
    public Task<ApplyOutcome> ApplyAsync(string document)
    {
        var read = ResourceReader.Read(document);
        return Owner(read.Kind, read.Id).ApplyAsync(read);
    }

    public Task<string?> GetAsync(string kind, string id) => Owner(kind, IdOf(kind, id)).GetDocumentAsync();

    public Task DeleteAsync(string kind, string id, string? resourceVersion = null) => Owner(kind, IdOf(kind, id)).RemoveAsync(resourceVersion);

    public Task<ResourcePage> ListAsync(ResourceQuery query) => index.ListAsync(query with { Kind = Known(query.Kind) });

    private IResourceKeeper Owner(string kind, string id)
    {
        var module = kind == ResourceKinds.Node ? ModuleNames.EdgeController : ModuleNames.DeviceController;
        if (modules.Find(module)?.State == ModuleState.Disabled)
        {
            throw new RefusedException(503, $"module {module} is not enabled on this cloud");
        }

        return kind switch
        {
            ResourceKinds.Node => GrainFactory.GetGrain<INodeDocuments>(id),
            ResourceKinds.Device => GrainFactory.GetGrain<IDeviceKeeper>(id),
            _ => GrainFactory.GetGrain<IModelKeeper>(id),
        };
    }

    private static string IdOf(string kind, string id)
    {
        if (Known(kind) == ResourceKinds.Node)
        {
            return NodeName.IsValid(id) ? id : throw new RefusedException(400, $"'{id}' is no node's name: lower case letters, digits, '-' and '.', a letter or digit at both ends");
        }

        return DeviceId.TryParse(id, out var full, out var reason) ? full : throw new RefusedException(400, reason);
    }

    private static string Known(string kind) => kind is ResourceKinds.Node or ResourceKinds.Device or ResourceKinds.DeviceModel
        ? kind
        : throw new RefusedException(400, $"'{kind}' is no kind of resource; there are {ResourceKinds.Device}, {ResourceKinds.DeviceModel} and {ResourceKinds.Node}");
}
