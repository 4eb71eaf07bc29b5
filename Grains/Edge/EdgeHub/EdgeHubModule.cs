using EdgeOrleans.Beehive;
using EdgeOrleans.DbManager;
using EdgeOrleans.Link;
using EdgeOrleans.Link.Wire;
using EdgeOrleans.Modules;
using EdgeOrleans.Settings;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace EdgeOrleans.Edge.EdgeHub;

/// <summary>The link to the cloud, and what modules say to it: uploads are kept until they have left, everything else goes while there is a link.</summary>
internal sealed partial class EdgeHubModule(
    CloudLink link, TwinDeliveries twins, Database database, Outbox outbox, IMessageContext beehive, Refusals refusals, TimeProvider time, ILogger<EdgeHubModule> logger)
    : ReceivingModule(beehive, time, logger)
{
    private const string NoLink = "there is no link to the cloud";

    private readonly CancellationTokenSource _delivering = new();
    private readonly TimeProvider _time = time;
    private Task _deliveries = Task.CompletedTask;

    public override string Name => ModuleNames.EdgeHub;

    public override string Group => Groups.Hub;

    public override async Task StartAsync(CancellationToken cancellation)
    {
        await base.StartAsync(cancellation);
        _deliveries = Task.Run(() => twins.RunAsync(_delivering.Token), CancellationToken.None);
        link.Start();
    }

    public override async Task StopAsync(CancellationToken cancellation)
    {
        await link.StopAsync(cancellation);
        await _delivering.CancelAsync();
        await _deliveries.WaitAsync(cancellation);
    }

    protected override async Task HandleAsync(Message message, CancellationToken cancellation)
    {
        var route = message.Route;
        if (route.Group == Groups.Hub && route.Resource == "outbox")
        {
            // The outbox itself has said so already.
            return;
        }

        if (route.Group == Groups.User && route.Operation == Operations.Upload && message.Header.ParentId is null)
        {
            await KeepAsync(message);
        }
        else
        {
            await SendAsync(message, cancellation);
        }
    }

    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            _delivering.Cancel();
        }

        base.Dispose(disposing);
    }

    private async Task KeepAsync(Message message)
    {
        var entry = new OutboxEntry
        {
            Class = OutboxClasses.Telemetry,
            Source = message.Route.Source,
            Group = message.Route.Group,
            Operation = message.Route.Operation,
            Resource = message.Route.Resource,
            Content = message.Content.IsEmpty ? "null"u8.ToArray() : message.Content,
            Created = message.Header.Timestamp,
        };
        var isKept = await database.RunAsync(db => outbox.Append(db, entry));
        if (message.Header.Sync)
        {
            var now = _time.GetUtcNow().ToUnixTimeMilliseconds();
            await Beehive.SendRespAsync(isKept ? message.Respond(Name, Message.Text("OK"), now) : message.Refuse(Name, 503, "there is no room for it in the outbox", now));
        }
    }

    private async Task SendAsync(Message message, CancellationToken cancellation)
    {
        try
        {
            if (link.Current is { } session)
            {
                await session.SendAsync(message with { Parts = [] }, cancellation);
                return;
            }

            await RefuseAsync(message, "edgeHub.no-link", 503, NoLink);
        }
        catch (LinkEndedException)
        {
            await RefuseAsync(message, "edgeHub.no-link", 503, NoLink);
        }
        catch (EnvelopeException e)
        {
            await RefuseAsync(message, "edgeHub.no-envelope", 400, e.Message);
        }
    }

    private async Task RefuseAsync(Message message, string reason, int code, string sentence)
    {
        refusals.Count(reason);
        LogNotSent(message.Route.Operation, message.Route.Resource, message.Route.Source, sentence);
        if (message.Header.Sync)
        {
            await Beehive.SendRespAsync(message.Refuse(Name, code, sentence, _time.GetUtcNow().ToUnixTimeMilliseconds()));
        }
    }

    [LoggerMessage(LogLevel.Debug, "{Operation} of {Resource} from {Source} was not sent: {Reason}")]
    private partial void LogNotSent(string operation, string resource, string source, string reason);
}

public static class EdgeHubRegistration
{
    /// <summary>Puts the link to the cloud into a silo. A node without a cloud does not need it.</summary>
    public static ISiloBuilder AddEdgeHub(this ISiloBuilder silo)
    {
        var services = silo.Services;
        services.AddSettings<EdgeHubOptions>(EdgeHubOptions.Section);
        services.AddSettings<NodeOptions>("node");
        services.AddSettings<DataOptions>("");
        services.TryAddSingleton(TimeProvider.System);
        services.AddSingleton<HubStatus>();
        services.AddSingleton<Enrolment>();
        services.AddSingleton<CloudDialer>();
        services.AddSingleton<TwinDeliveries>();
        services.AddSingleton<CloudMessages>();
        services.AddSingleton<CloudLink>();
        return silo.AddModule<EdgeHubModule>(
            ModuleNames.EdgeHub,
            Groups.Hub,
            whyNot: static s => s.GetRequiredService<IOptions<EdgeHubOptions>>().Value.HasCloud ? null : "no cloud is set (--cloud HOST:PORT)");
    }
}
