using System.Collections.Concurrent;
using EdgeOrleans.Beehive;
using EdgeOrleans.Link.Wire;
using EdgeOrleans.Modules;
using Microsoft.Extensions.Logging;

namespace EdgeOrleans.Edge.EdgeHub;

/// <summary>What comes from the cloud, each to its addressee. What has none is refused, counted and told; nothing of it ends the link.</summary>
internal sealed partial class CloudMessages(
    TwinDeliveries twins, IMessageContext beehive, HubStatus status, Refusals refusals, TimeProvider time, ILogger<CloudMessages> logger)
{
    private const int MostReasons = 256;
    private static readonly TimeSpan BetweenWords = TimeSpan.FromMinutes(1);

    private readonly ConcurrentDictionary<string, long> _said = new(StringComparer.Ordinal);

    /// <summary>Takes a message. It waits only while the twins have no room for more.</summary>
    public async ValueTask ReceiveAsync(HubSession session, Message message, CancellationToken cancellation)
    {
        status.Received();
        if (session.TryEnd(message))
        {
            return;
        }

        switch (Downlink.Route(message))
        {
            case DownlinkRoute.Answer:
                await beehive.SendRespAsync(message, cancellation);
                break;
            case DownlinkRoute.Confirmation:
                // Of something that is not kept, such as the question for the membership.
                break;
            case DownlinkRoute.Module(var address) when address.Key == ModuleNames.DeviceTwin || IsOfTwins(message):
                await twins.AddAsync(session, message, cancellation);
                break;
            case DownlinkRoute.Module(var address):
                await GiveAsync(session, address, message, cancellation);
                break;
            case DownlinkRoute.Refused(var reason):
                await RefuseAsync(session, message, reason, cancellation);
                break;
        }
    }

    /// <summary>A frame that was no envelope.</summary>
    public void Refuse(EnvelopeError error)
    {
        refusals.Count("edgeHub.no-envelope");
        Say(error.Fault.ToString(), "a frame", error.Reason);
    }

    /// <summary>Until there is a MetaManager, the twins keep what they need of objects themselves: devices and their models.</summary>
    private static bool IsOfTwins(Message message) =>
        message.Route.Source is "devicecontroller" or "edgecontroller"
        && message.Route.Operation is Operations.Insert or Operations.Update or Operations.Delete
        && message.Route.Resource.Split('/') is [_, "device" or "devicemodel", _];

    private async Task GiveAsync(HubSession session, Address address, Message message, CancellationToken cancellation)
    {
        try
        {
            await beehive.SendAsync(address, message, cancellation);
        }
        catch (Exception e) when (e is ModuleUnavailableException or BeehiveFullException)
        {
            await RefuseAsync(session, message, e.Message, cancellation);
        }
    }

    private async Task RefuseAsync(HubSession session, Message message, string reason, CancellationToken cancellation)
    {
        refusals.Count("edgeHub.refused");
        Say(reason, $"{Uplink.Shorten(message.Route.Operation)} of {Uplink.Shorten(message.Route.Resource)}", reason);
        if (message.Header.Id.Length == 0 || message.Header.ParentId is not null)
        {
            return;
        }

        try
        {
            await session.SendAsync(Acknowledgements.Error(message, reason, Now), cancellation);
        }
        catch (LinkEndedException)
        {
        }
    }

    // A cloud that repeats itself does not fill the log: each reason once a minute.
    private void Say(string key, string what, string reason)
    {
        var now = Now;
        if (_said.Count >= MostReasons)
        {
            _said.Clear();
        }

        if (!_said.TryGetValue(key, out var before) || now - before >= BetweenWords.TotalMilliseconds)
        {
            _said[key] = now;
            LogRefused(what, reason);
        }
    }

    private long Now => time.GetUtcNow().ToUnixTimeMilliseconds();

    [LoggerMessage(LogLevel.Warning, "Refused {What} of the cloud: {Reason}")]
    private partial void LogRefused(string what, string reason);
}
