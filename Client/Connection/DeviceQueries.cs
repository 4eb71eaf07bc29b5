using EdgeOrleans.Devices;
using EdgeOrleans.Resources;

namespace EdgeOrleans.Client.Connection;

/// <summary>Questions about many devices, in pages and with a few calls at a time: a node may have 100,000 of them.</summary>
internal static class DeviceQueries
{
    private const int Page = 1000;
    private const int AtOnce = 32;

    /// <summary>All devices in the order of their ids.</summary>
    public static async Task<List<DeviceSummary>> DevicesAsync(this NodeConnection node, CancellationToken cancellation)
    {
        if (node.IsCloud)
        {
            return await node.ListAsync(new ResourceQuery { Kind = ResourceKinds.Device }, cancellation).Select(Summary).ToListAsync(cancellation);
        }

        var devices = new List<DeviceSummary>();
        DevicePage page;
        do
        {
            page = await node.Membership.ListDevicesAsync(devices.Count == 0 ? null : devices[^1].Id, Page).WaitAsync(cancellation);
            devices.AddRange(page.Devices);
        }
        while (page.More && page.Devices.Length > 0);
        return devices;
    }

    /// <summary>The twins of all devices. A device that is deleted meanwhile is left out.</summary>
    public static async Task<List<DeviceView>> TwinsAsync(this NodeConnection node, CancellationToken cancellation)
    {
        var devices = await node.DevicesAsync(cancellation);
        return [.. (await ViewsAsync(node, [.. devices.Select(device => device.Id)], cancellation)).OfType<DeviceView>()];
    }

    /// <summary>The twins of devices that must be there.</summary>
    /// <exception cref="CommandException">There is no such device.</exception>
    public static async Task<List<DeviceView>> TwinsAsync(this NodeConnection node, string[] ids, CancellationToken cancellation)
    {
        var devices = await ViewsAsync(node, ids, cancellation);
        return [.. devices.Select((device, i) => device ?? throw NoSuchDevice(ids[i]))];
    }

    /// <summary>The twin of a device that must be there.</summary>
    /// <exception cref="CommandException">There is no such device.</exception>
    public static async Task<DeviceView> TwinAsync(this NodeConnection node, string id, CancellationToken cancellation) =>
        await node.Device(id).GetAsync().WaitAsync(cancellation) ?? throw NoSuchDevice(id);

    public static CommandException NoSuchDevice(string id) =>
        new(ExitCodes.NotFound, $"there is no device '{id}'; 'edgectl get devices' lists them");

    private static DeviceSummary Summary(ResourceSummary device) => new()
    {
        Id = device.Id,
        Description = device.Description,
        State = device.State,
        LastOnline = device.LastOnline,
        Model = device.Model,
    };

    private static async Task<DeviceView?[]> ViewsAsync(NodeConnection node, string[] ids, CancellationToken cancellation)
    {
        var views = new DeviceView?[ids.Length];
        var limits = new ParallelOptions { MaxDegreeOfParallelism = AtOnce, CancellationToken = cancellation };
        await Parallel.ForAsync(0, ids.Length, limits, async (i, token) => views[i] = await node.Device(ids[i]).GetAsync().WaitAsync(token));
        return views;
    }
}
