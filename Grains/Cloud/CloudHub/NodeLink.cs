using EdgeOrleans.Beehive;
using EdgeOrleans.Link.Wire;
using EdgeOrleans.Modules;
using Microsoft.Extensions.Logging;

namespace EdgeOrleans.Cloud.CloudHub;

/// <summary>One node's link: what comes up is given to its owner and answered, what goes down is the delivery's.</summary>
/// <remarks>
/// Who speaks is known by the certificate alone. Reports of one device are taken one after the other, those of different devices side by side; when too many
/// are under way the socket is not read, and TCP holds the node back: nothing is dropped for another (W17).
/// </remarks>
internal sealed partial class NodeLink(
    NodeConnection connection,
    LinkSocket socket,
    ILinkDeliveries deliveries,
    IGrainFactory grains,
    Refusals refusals,
    TimeProvider time,
    ILogger<NodeLink> logger) : INodeLink, IDisposable
{
    private const int UnderWay = 256;
    private const int BytesAPlace = 64 * 1024;
    private const int MostPlaces = 64;

    private readonly SemaphoreSlim _places = new(UnderWay);
    private readonly Dictionary<string, Task> _devices = new(StringComparer.Ordinal);
    private readonly HashSet<string> _said = new(StringComparer.Ordinal);
    private readonly string _node = connection.Node;
    private readonly ILinkDelivery _delivery = deliveries.Create(connection, socket.SendAsync);
    private long _heard = time.GetUtcNow().UtcTicks;

    public NodeConnection Connection => connection;

    /// <summary>When the node last said anything.</summary>
    public DateTimeOffset LastHeard => new(Interlocked.Read(ref _heard), TimeSpan.Zero);

    /// <summary>Completes with the link.</summary>
    public Task Ended => socket.Ended;

    private long Now => time.GetUtcNow().ToUnixTimeMilliseconds();

    /// <summary>Serves the link until it ends.</summary>
    public async Task RunAsync()
    {
        var session = grains.GetGrain<INodeSession>(_node);
        var self = grains.CreateObjectReference<INodeLink>(this);
        using var life = new CancellationTokenSource();
        var running = socket.RunAsync(ReceiveAsync, Refuse);
        LinkEnd? end = null;
        try
        {
            // From here on the node is there: what is done for it finds this link.
            if (await session.AttachAsync(connection, self))
            {
                LogUp(_node, connection.Address, connection.Agent);
                await DeliverAsync(running, life);
            }
            else
            {
                refusals.Count("cloudHub.revoked-certificate");
                await CloseAsync("its certificate was revoked", null);
            }

            end = await running;
        }
        catch (Exception e)
        {
            LogFailed(e, _node);
            socket.Close("the cloud failed; come again", System.Net.WebSockets.WebSocketCloseStatus.InternalServerError);
            end = await running;
        }
        finally
        {
            await life.CancelAsync();
            LogDown(_node, connection.Address, end?.ToString() ?? "it failed");
            await LeaveAsync(session, self);
        }
    }

    public void Dispose() => _places.Dispose();

    /// <summary>Ends the link in order.</summary>
    public void Close(string why) => socket.Close(why, System.Net.WebSockets.WebSocketCloseStatus.EndpointUnavailable);

    public Task NudgeAsync()
    {
        _delivery.Nudge();
        return Task.CompletedTask;
    }

    public Task CloseAsync(string reason, string? serial)
    {
        if (serial is null || serial.Equals(connection.Serial, StringComparison.OrdinalIgnoreCase))
        {
            LogClosed(_node, reason);
            socket.Close(reason, System.Net.WebSockets.WebSocketCloseStatus.PolicyViolation);
        }

        return Task.CompletedTask;
    }

    private async Task DeliverAsync(Task<LinkEnd> running, CancellationTokenSource life)
    {
        var delivering = _delivery.RunAsync(life.Token);
        if (await Task.WhenAny(running, delivering) == running)
        {
            await life.CancelAsync();
        }

        // A delivery that fails is the link's end: a node that is linked and is told nothing would look well.
        await delivering;
    }

    private async Task LeaveAsync(INodeSession session, INodeLink self)
    {
        try
        {
            await session.DetachAsync(connection.Session, LastHeard);
        }
        catch (Exception e)
        {
            LogFailed(e, _node);
        }

        grains.DeleteObjectReference<INodeLink>(self);
    }

    private ValueTask ReceiveAsync(Message message, CancellationToken cancellation)
    {
        Interlocked.Exchange(ref _heard, time.GetUtcNow().UtcTicks);
        switch (Uplink.Classify(message))
        {
            case UplinkMessage.KeepAlive:
                return ValueTask.CompletedTask;
            case UplinkMessage.TwinReport report:
                return QueueAsync(report.Device, message, isState: false, cancellation);
            case UplinkMessage.StateReport report:
                return QueueAsync(report.Device, message, isState: true, cancellation);
            case UplinkMessage.MembershipQuery:
                _delivery.Asked(message);
                return ValueTask.CompletedTask;
            case UplinkMessage.Acknowledged answer:
                _delivery.Acknowledged(answer.ParentId);
                return ValueTask.CompletedTask;
            case UplinkMessage.NotAcknowledged answer:
                _delivery.NotAcknowledged(answer.ParentId, Uplink.Shorten(message.ContentAsText()));
                return ValueTask.CompletedTask;
            case UplinkMessage.Goodbye:
                LogGoodbye(_node);
                return ValueTask.CompletedTask;
            case var other:
                return AnswerOtherAsync(message, other, cancellation);
        }
    }

    /// <summary>What is known and not built, and what is nothing: each with a word, so that nobody waits for nothing.</summary>
    private ValueTask AnswerOtherAsync(Message message, UplinkMessage what, CancellationToken cancellation)
    {
        var (reason, sentence, isAsked) = what switch
        {
            UplinkMessage.ResourceRequest r => ("resource-not-built", $"'{Uplink.Shorten(r.Operation)}' of {Uplink.Shorten(r.Type)}: this cloud keeps devices, device models and nodes; workloads are not built", true),
            UplinkMessage.ClusterCaQuery => ("cluster-ca-not-built", "there is no Kubernetes cluster behind this cloud, and so no certificate of one", true),
            UplinkMessage.MetaServerCall => ("metaserver-not-built", "the local Kubernetes API (metaserver) is not built", true),
            UplinkMessage.ServiceCall => ("router-not-built", "calls of apps to the cloud (router) are not built", true),
            UplinkMessage.TopicUpload => ("upload-without-rule", "rules for topics that devices upload to (router) are not built; the upload goes nowhere", false),
            UplinkMessage.ServiceAnswer => ("answer-to-nothing", "an answer of a service that this cloud has not called", false),
            UplinkMessage.VolumeAnswer => ("volume-not-built", "storage drivers (volumes) are not built", false),
            UplinkMessage.TaskReport => ("task-not-built", "tasks (upgrade, prepull) are not built", false),
            UplinkMessage.Refused r => ("nothing-a-node-may-say", r.Reason, message.Header.ParentId is null && message.Header.Id.Length > 0),
            _ => ("unknown", "nothing that this cloud knows", true),
        };
        Note(reason, sentence);
        return isAsked ? SendAsync(ErrorTo(message, sentence), cancellation) : ValueTask.CompletedTask;
    }

    // The group is the one in which an edge looks for who waits (reference 4.1).
    private Message ErrorTo(Message message, string sentence)
    {
        var answer = message.Refuse("cloudhub", 400, sentence, Now);
        return answer with { Route = answer.Route with { Group = message.Route.Group is "user" or "twin" ? message.Route.Group : "resource" } };
    }

    private async ValueTask QueueAsync(string device, Message message, bool isState, CancellationToken cancellation)
    {
        var places = Math.Min(MostPlaces, 1 + (message.Content.Length / BytesAPlace));
        for (var i = 0; i < places; i++)
        {
            await _places.WaitAsync(cancellation);
        }

        lock (_devices)
        {
            _devices[device] = TakeAsync(_devices.GetValueOrDefault(device, Task.CompletedTask), device, message, isState, places);
        }
    }

    private async Task TakeAsync(Task before, string device, Message message, bool isState, int places)
    {
        await before;
        await Task.Yield();
        try
        {
            await ReportAsync(device, message, isState);
        }
        catch (Exception e)
        {
            // Not confirmed: the node says it again.
            LogReportFailed(e, _node, device);
        }
        finally
        {
            Done(device, places);
        }
    }

    private void Done(string device, int places)
    {
        try
        {
            _places.Release(places);
        }
        catch (ObjectDisposedException)
        {
            // The link has ended meanwhile.
        }

        lock (_devices)
        {
            // Only completed chains are forgotten; the last one of a device stays until the next message finds it done.
            if (_devices.Count > UnderWay)
            {
                foreach (var (name, _) in _devices.Where(static d => d.Value.IsCompleted).ToList())
                {
                    _devices.Remove(name);
                }
            }
        }
    }

    private async Task ReportAsync(string device, Message message, bool isState)
    {
        if (EnvelopeContent.Document(message, EnvelopeLimits.Default) is not { } document)
        {
            await AnswerAsync(device, message, new ReportOutcome(400, "malformed", $"the report of device {device} is no document"));
            return;
        }

        var owner = grains.GetGrain<IDeviceOfNode>(device);
        var outcome = isState ? await owner.StateAsync(_node, document.ToArray()) : await owner.ReportAsync(_node, document.ToArray());
        await AnswerAsync(device, message, outcome);
        _delivery.Reported(device);
    }

    private async Task AnswerAsync(string device, Message message, ReportOutcome outcome)
    {
        if (outcome.Code >= 400)
        {
            Note(outcome.Reason, outcome.Sentence);
        }

        // What may succeed later is not answered: the node keeps it and says it again.
        if (outcome.Code >= 500)
        {
            LogNotTaken(_node, device, outcome.Sentence);
            return;
        }

        try
        {
            var answer = outcome.Code == 0 ? message.Respond("devicecontroller", Message.Text("OK"), Now) : message.Refuse("devicecontroller", outcome.Code, outcome.Sentence, Now);
            await socket.SendAsync(answer with { Route = answer.Route with { Group = "twin", Resource = "twin" } });
        }
        catch (LinkEndedException)
        {
            // It is confirmed when the node says it again.
        }
    }

    private async ValueTask SendAsync(Message message, CancellationToken cancellation)
    {
        try
        {
            await socket.SendAsync(message, cancellation);
        }
        catch (LinkEndedException)
        {
        }
    }

    private void Refuse(EnvelopeError error) => Note($"frame-{error.Fault.ToString().ToLowerInvariant()}", error.Reason);

    /// <summary>Counts every refusal, and says each kind once a link: a node that repeats itself must not fill the log.</summary>
    private void Note(string reason, string sentence)
    {
        refusals.Count($"cloudHub.{reason}");
        lock (_said)
        {
            if (!_said.Add(reason))
            {
                return;
            }
        }

        LogRefused(_node, reason, Uplink.OneLine(sentence));
    }

    [LoggerMessage(LogLevel.Information, "Node {Node} is linked from {Address} ({Agent})")]
    private partial void LogUp(string node, string address, string agent);

    [LoggerMessage(LogLevel.Information, "The link of node {Node} from {Address} has ended: {End}")]
    private partial void LogDown(string node, string address, string end);

    [LoggerMessage(LogLevel.Information, "Node {Node} says goodbye")]
    private partial void LogGoodbye(string node);

    [LoggerMessage(LogLevel.Warning, "The link of node {Node} is closed: {Reason}")]
    private partial void LogClosed(string node, string reason);

    [LoggerMessage(LogLevel.Error, "The link of node {Node} failed in the cloud")]
    private partial void LogFailed(Exception exception, string node);

    [LoggerMessage(LogLevel.Warning, "Refused something of node {Node} ({Reason}; more of it on this link is counted only): {Sentence}")]
    private partial void LogRefused(string node, string reason, string sentence);

    [LoggerMessage(LogLevel.Debug, "A report of node {Node} about {Device} is not confirmed: {Reason}")]
    private partial void LogNotTaken(string node, string device, string reason);

    [LoggerMessage(LogLevel.Warning, "A report of node {Node} about {Device} failed; the node says it again")]
    private partial void LogReportFailed(Exception exception, string node, string device);
}
