using System.Collections.Immutable;
using EdgeOrleans.Devices;
using Microsoft.Extensions.Logging;

namespace EdgeOrleans.Edge.DeviceTwin;

/// <summary>What the cloud asks of the membership. It is the same grain as <see cref="IMembershipGrain"/>.</summary>
[Alias("edge.ICloudMembership")]
internal interface ICloudMembership : IGrainWithStringKey
{
    /// <summary>Devices came and went.</summary>
    [Alias("Updated"), ResponseTimeout(Patience)]
    Task UpdatedAsync(byte[] content);

    /// <summary>These are all devices.</summary>
    [Alias("Detail"), ResponseTimeout(Patience)]
    Task DetailAsync(byte[] content);

    /// <summary>An object of a device or a model.</summary>
    /// <param name="resource"><c>namespace/device/name</c> or <c>namespace/devicemodel/name</c>.</param>
    /// <param name="json">The object.</param>
    /// <exception cref="RefusedException">404 the node does not have the device (yet); 400 the object cannot be read.</exception>
    [Alias("PutObject"), ResponseTimeout(Patience)]
    Task PutObjectAsync(string resource, string json);

    /// <summary>An object is gone. What there is not is gone already.</summary>
    [Alias("RemoveObject"), ResponseTimeout(Patience)]
    Task RemoveObjectAsync(string resource);

    /// <summary>A long list of devices takes longer than a call usually may: each is on disk before the answer.</summary>
    private const string Patience = "00:10:00";
}

/// <summary>Which devices and models the node has. It asks devices one after the other; one that fails stops no other.</summary>
[GrainType("edge.membership")]
internal sealed partial class MembershipGrain(TwinRoom room, ILogger<MembershipGrain> logger) : Grain, IMembershipGrain, ICloudMembership
{
    private const int Page = 1_000;

    public async Task<ApplyOutcome> ApplyAsync(string document)
    {
        ThrowIfCloud("apply it there");
        var applied = DeviceDocuments.Read(document);
        return applied.Device is { } device ? await ApplyAsync(applied, device) : await ApplyAsync(applied, applied.Model!);
    }

    public async Task DeleteDeviceAsync(string id)
    {
        ThrowIfCloud("delete it there");
        if (!DeviceId.TryParse(id, out var full, out var reason))
        {
            throw new RefusedException(400, reason);
        }

        if (!await Device(full).LeaveAsync(null))
        {
            throw new RefusedException(404, $"there is no device {full} on this node");
        }
    }

    public async Task DeleteModelAsync(string id)
    {
        ThrowIfCloud("delete it there");
        if (!DeviceId.TryParse(id, out var full, out var reason))
        {
            throw new RefusedException(400, reason);
        }

        if (await room.Devices.IdsOfModelAsync(full, "", 1) is [var user, ..])
        {
            throw new RefusedException(409, $"device model {full} is used by device {user}; delete its devices before it");
        }

        if (!await GrainFactory.GetGrain<IDeviceModelGrain>(full).RemoveAsync())
        {
            throw new RefusedException(404, $"there is no device model {full} on this node");
        }
    }

    public Task<DevicePage> ListDevicesAsync(string? after, int count) =>
        count is >= 1 and <= Page ? room.Devices.PageAsync(after, count) : throw new RefusedException(400, $"a page has 1 to {Page} devices, not {count}");

    public Task<ImmutableArray<ModelSummary>> ListModelsAsync() => room.Devices.ModelsAsync();

    public async Task UpdatedAsync(byte[] content)
    {
        var request = TwinReader.ReadMembership(content);
        foreach (var member in request.Added)
        {
            await JoinAsync(member);
        }

        foreach (var member in request.Removed)
        {
            if (IdOf(member) is { } id)
            {
                await TryAsync(id, async () =>
                {
                    if (!await Device(id).LeaveAsync(member.ToArray()))
                    {
                        LogUnknown(id);
                    }
                });
            }
        }
    }

    public async Task DetailAsync(byte[] content)
    {
        if (TwinReader.ReadMembership(content).Devices is not { } members)
        {
            LogNoList();
            return;
        }

        var listed = new HashSet<string>(StringComparer.Ordinal);
        foreach (var member in members)
        {
            if (IdOf(member) is { } id)
            {
                listed.Add(id);
            }

            await JoinAsync(member);
        }

        await RemoveOthersAsync(listed);
    }

    public async Task PutObjectAsync(string resource, string json)
    {
        var (kind, id) = CloudObjects.Address(resource);
        if (kind == CloudObjects.Device)
        {
            var (model, description) = CloudObjects.ReadDevice(id, json);
            await Device(id).DescribeAsync(model, description);
        }
        else
        {
            await ApplyAsync(id, CloudObjects.ReadModel(id, json));
        }
    }

    public async Task RemoveObjectAsync(string resource)
    {
        var (kind, id) = CloudObjects.Address(resource);
        if (kind == CloudObjects.Model)
        {
            await GrainFactory.GetGrain<IDeviceModelGrain>(id).RemoveAsync();
            await TellDevicesOfAsync(id, null);
            return;
        }

        // The device itself goes with the membership; without its object it has no model.
        if (await GrainFactory.GetGrain<IDeviceTwinGrain>(id).GetAsync() is { Model.Length: > 0 } device)
        {
            await Device(id).DescribeAsync("", device.Description);
        }
    }

    private async Task RemoveOthersAsync(HashSet<string> listed)
    {
        var after = "";
        while (await room.Devices.IdsAsync(after, Page) is { Count: > 0 } ids)
        {
            foreach (var id in ids.Where(id => !listed.Contains(id)))
            {
                await TryAsync(id, () => Device(id).LeaveAsync(null));
            }

            after = ids[^1];
        }
    }

    private async Task<ApplyOutcome> ApplyAsync(AppliedDocument applied, DeviceRegistration device)
    {
        var outcome = await Device(applied.Id).RegisterAsync(device);
        List<string> warnings = [.. applied.Warnings];
        if (applied.Node.Length > 0 && applied.Node != room.Node)
        {
            warnings.Add($"spec.nodeName is {applied.Node} and this is node {room.Node}; the device is registered here");
        }

        if (device.Model.Length > 0 && await GrainFactory.GetGrain<IDeviceModelGrain>(device.Model).GetRulesAsync() is null)
        {
            warnings.Add($"spec.deviceModelRef: there is no device model {device.Model} yet; it is enforced once it is applied");
        }

        return new ApplyOutcome { Resource = $"device/{applied.Id}", Outcome = outcome, Warnings = [.. warnings] };
    }

    private async Task<ApplyOutcome> ApplyAsync(AppliedDocument applied, ModelRules model)
    {
        var outcome = await ApplyAsync(applied.Id, model);
        return new ApplyOutcome { Resource = $"devicemodel/{applied.Id}", Outcome = outcome, Warnings = [.. applied.Warnings] };
    }

    private async Task<string> ApplyAsync(string id, ModelRules model)
    {
        var outcome = await GrainFactory.GetGrain<IDeviceModelGrain>(id).PutAsync(model);

        // Also when it is unchanged: a time before may have ended half-way.
        await TellDevicesOfAsync(id, model);
        return outcome;
    }

    private async Task TellDevicesOfAsync(string model, ModelRules? rules)
    {
        var after = "";
        while (await room.Devices.IdsOfModelAsync(model, after, Page) is { Count: > 0 } ids)
        {
            foreach (var id in ids)
            {
                await TryAsync(id, () => Device(id).ModelChangedAsync(rules));
            }

            after = ids[^1];
        }
    }

    private async Task JoinAsync(ReadOnlyMemory<byte> member)
    {
        if (IdOf(member) is { } id)
        {
            await TryAsync(id, () => Device(id).JoinAsync(member.ToArray()));
        }
    }

    private string? IdOf(ReadOnlyMemory<byte> member)
    {
        if (DeviceId.TryParse(TwinReader.Salvage(member.Span, "id"u8), out var id, out var reason))
        {
            return id;
        }

        room.Count("membership.id");
        LogBadId(reason);
        return null;
    }

    private async Task TryAsync(string id, Func<Task> work)
    {
        try
        {
            await work();
        }
        catch (Exception e)
        {
            room.Count("membership.device");
            LogDeviceFailed(e, id);
        }
    }

    private IDeviceMember Device(string id) => GrainFactory.GetGrain<IDeviceMember>(id);

    private void ThrowIfCloud(string what)
    {
        if (room.Cloud is { } cloud)
        {
            throw new RefusedException(409, $"this node takes its devices from the cloud at {cloud}; {what}");
        }
    }

    [LoggerMessage(LogLevel.Warning, "The cloud names a device that is none: {Reason}")]
    private partial void LogBadId(string reason);

    [LoggerMessage(LogLevel.Warning, "Device {Device} could not follow the membership; the others go on")]
    private partial void LogDeviceFailed(Exception exception, string device);

    [LoggerMessage(LogLevel.Information, "The cloud removes device {Device}, which this node does not know")]
    private partial void LogUnknown(string device);

    [LoggerMessage(LogLevel.Warning, "The cloud sent a membership without a list of devices; nothing is removed")]
    private partial void LogNoList();
}
