using System.Text;
using System.Text.Json;
using EdgeOrleans.Beehive;
using EdgeOrleans.DbManager;
using EdgeOrleans.Devices;
using EdgeOrleans.Edge.EdgeHub;
using EdgeOrleans.Modules;
using EdgeOrleans.Settings;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Logging;

namespace EdgeOrleans.Edge.DeviceTwin;

/// <summary>The module that devices' messages without an address of their own come to: membership, and what the cloud says.</summary>
internal sealed partial class DeviceTwinModule(
    IMessageContext beehive, IGrainFactory grains, TwinRoom room, WholeReport whole, TimeProvider time, ILogger<DeviceTwinModule> logger)
    : ReceivingModule(beehive, time, logger)
{
    private const int Page = 1_000;

    public override string Name => ModuleNames.DeviceTwin;

    public override string Group => Groups.Twin;

    public override Task StopAsync(CancellationToken cancellation) => whole.StopAsync(cancellation);

    protected override async Task HandleAsync(Message message, CancellationToken cancellation)
    {
        switch (message.Route.Source)
        {
            case Groups.Bus when message.Route.Operation == Operations.Get && message.Route.Resource == "membership":
                await ListAsync(message);
                break;
            case "edgecontroller" or "devicecontroller" when message.Route.Group is "resource" or "func":
                await HandleObjectAsync(message);
                break;
            case "edgemgr" or "devicecontroller":
                await HandleCloudAsync(message, cancellation);
                break;
            case "edgehub" when message.Route.Resource == "node/connection":
                await ConnectAsync(message);
                break;
            default:
                await RefuseAsync(message);
                break;
        }
    }

    private async Task HandleCloudAsync(Message message, CancellationToken cancellation)
    {
        var resource = message.Route.Resource;
        var membership = grains.GetGrain<ICloudMembership>(IMembershipGrain.Key);
        if (resource.Contains("membership/detail", StringComparison.Ordinal))
        {
            await CloudListAsync(message, membership.DetailAsync);
        }
        else if (resource.Contains("membership", StringComparison.Ordinal))
        {
            await CloudListAsync(message, membership.UpdatedAsync);
        }
        else if (IdIn(resource, message.Route.Operation) is { } id)
        {
            await Beehive.SendAsync(Address.Entity(Entities.Device, id), WithFullId(message, id), cancellation);
        }
        else
        {
            await RefuseAsync(message);
        }
    }

    private async Task CloudListAsync(Message message, Func<byte[], Task> take)
    {
        var content = message.Content.Length > 0 && message.Content.Span[0] == '"' ? Encoding.UTF8.GetBytes(message.ContentAsText()) : message.Content.ToArray();
        try
        {
            await take(content);
            await AnswerAsync(message);
        }
        catch (JsonException e)
        {
            room.Count("membership.malformed");
            LogUnreadable(message.Route.Resource, e.Message);
            await Beehive.SendRespAsync(message.Refuse("twin", 400, $"the membership cannot be read: {e.Message}", room.Now));
        }
    }

    private async Task ListAsync(Message message)
    {
        var devices = new List<MemberRow>();
        while (await room.Devices.MembersAsync(devices.Count == 0 ? "" : devices[^1].Id, Page) is { Count: > 0 } page)
        {
            devices.AddRange(page);
        }

        var writer = room.TakeWriter();
        try
        {
            var now = room.Now;
            var terms = new TwinTerms { Device = "", Now = now, Options = room.Options, NewId = Guid.NewGuid, Writer = writer, Node = room.Node };
            var list = MembershipRules.List(message.Content.Span, devices, terms);
            await Beehive.SendRespAsync(message.Respond("twin", default, now) with { Parts = [.. TwinRoom.Parts([list], now)] });
        }
        finally
        {
            room.GiveBack(writer);
        }
    }

    /// <summary>A <c>Device</c> or <c>DeviceModel</c> of the cloud, as an object: what the twins need of it is kept.</summary>
    private async Task HandleObjectAsync(Message message)
    {
        try
        {
            var objects = grains.GetGrain<ICloudMembership>(IMembershipGrain.Key);
            await (message.Route.Operation == Operations.Delete
                ? objects.RemoveObjectAsync(message.Route.Resource)
                : objects.PutObjectAsync(message.Route.Resource, message.ContentAsText()));
            await AnswerAsync(message);
        }
        catch (RefusedException e)
        {
            room.Count("twin.object");
            LogUnreadable(message.Route.Resource, e.Message);
            await Beehive.SendRespAsync(message.Refuse("twin", e.Code, e.Message, room.Now));
        }
    }

    /// <summary>
    /// With every link that comes up the cloud is asked for its list of devices. With the first one since the start, and with every one to a cloud
    /// that is not ours and may have lost what it was told, every twin tells its whole state.
    /// </summary>
    private async Task ConnectAsync(Message message)
    {
        if (message.ContentAsText() == "cloud_connected")
        {
            whole.Begin(isOurs: message.Route.Destination.StartsWith("EdgeOrleans/", StringComparison.Ordinal));
            var query = $$"""
                {"event_type":"group_membership_event","event_id":"{{Guid.NewGuid()}}","group_id":{{Encoding.UTF8.GetString(Message.Text(room.Node).Span)}},"operation":"detail","timestamp":{{room.Now}}}
                """;
            await Beehive.SendToGroupAsync(Groups.Hub, Message.Create("twin", "resource", Operations.Get, "membership/detail", Message.Text(query), room.Now));
        }

        if (message.Header.Sync)
        {
            await AnswerAsync(message);
        }
    }

    private async Task RefuseAsync(Message message)
    {
        room.Count("twin.unknown-request");
        LogUnhandled(message.Route.Operation, message.Route.Resource, message.Route.Source);
        await Beehive.SendRespAsync(
            message.Refuse("twin", 400, $"{Name} knows no {message.Route.Operation} of '{message.Route.Resource}' from '{message.Route.Source}'", room.Now));
    }

    private async Task AnswerAsync(Message message) => await Beehive.SendRespAsync(message.Respond("twin", Message.Text("OK"), room.Now));

    /// <summary>Everything between <c>device/</c> and the end that says what is meant is the id; one or two levels.</summary>
    private static string? IdIn(string resource, string operation)
    {
        const string head = "device/";
        const string cloudUpdated = "/twin/cloud_updated";
        if (!resource.StartsWith(head, StringComparison.Ordinal))
        {
            return null;
        }

        var isTwin = resource.EndsWith(cloudUpdated, StringComparison.Ordinal);
        if (!isTwin && !operation.Contains("updated", StringComparison.Ordinal))
        {
            return null;
        }

        return DeviceId.TryParse(isTwin ? resource[head.Length..^cloudUpdated.Length] : resource[head.Length..], out var id, out _) ? id : null;
    }

    private static Message WithFullId(Message message, string id)
    {
        var end = message.Route.Resource.EndsWith("/twin/cloud_updated", StringComparison.Ordinal) ? "/twin/cloud_updated" : "";
        return message with { Route = message.Route with { Resource = $"device/{id}{end}" } };
    }

    [LoggerMessage(LogLevel.Warning, "The cloud's {Resource} cannot be read: {Reason}")]
    private partial void LogUnreadable(string resource, string reason);

    [LoggerMessage(LogLevel.Warning, "Nobody here knows {Operation} of {Resource} from {Source}")]
    private partial void LogUnhandled(string operation, string resource, string source);
}

public static class DeviceTwinRegistration
{
    /// <summary>Puts device twins and membership into a silo; they stand on the database, the outbox and the beehive.</summary>
    public static ISiloBuilder AddDeviceTwin(this ISiloBuilder silo)
    {
        var services = silo.Services;
        services.AddSettings<DeviceTwinOptions>(DeviceTwinOptions.Section);
        services.AddSettings<EdgeHubOptions>(EdgeHubOptions.Section);
        services.AddSettings<NodeOptions>("node");
        services.AddGrainStateJson(DeviceTwinJson.Default);
        services.TryAddSingleton(TimeProvider.System);
        services.AddSingleton<DeviceStore>();
        services.AddSingleton<TwinRoom>();
        services.AddSingleton<WholeReport>();
        return silo.AddModule<DeviceTwinModule>(ModuleNames.DeviceTwin, Groups.Twin);
    }
}
