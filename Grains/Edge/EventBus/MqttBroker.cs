using System.Collections;
using System.Net;
using System.Net.Sockets;
using EdgeOrleans.Modules;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using MQTTnet.Diagnostics.Logger;
using MQTTnet.Protocol;
using MQTTnet.Server;

namespace EdgeOrleans.Edge.EventBus;

/// <summary>The broker inside: sessions, subscriptions and free topics are MQTTnet's; sockets, requests and answers are ours.</summary>
internal sealed partial class MqttBroker(
    SubscriptionIndex subscriptions,
    Publisher publisher,
    TwinRequests requests,
    Refusals refusals,
    IOptions<EventBusOptions> options,
    TimeProvider time,
    ILogger<MqttBroker> logger) : IAsyncDisposable
{
    private readonly ILogger _logger = logger;
    private MqttEndpoint? _endpoint;
    private MqttServer? _server;
    private volatile bool _stopping;

    public IReadOnlyList<IPEndPoint> Addresses => _endpoint?.Addresses ?? [];

    public int Connections => _endpoint?.Connections ?? 0;

    public async Task StartAsync()
    {
        _endpoint = new MqttEndpoint(options.Value, NewConnection, refusals, time, _logger);
        var log = new BrokerLog(_logger);
        _server = new MqttServer(BrokerOptions(), [_endpoint], log);
        _server.ValidatingConnectionAsync += OnValidating;
        _server.InterceptingSubscriptionAsync += OnSubscribing;
        _server.ClientUnsubscribedTopicAsync += OnUnsubscribed;
        _server.SessionDeletedAsync += OnSessionDeleted;
        _server.InterceptingPublishAsync += OnPublishing;
        _server.QueuedApplicationMessageOverwrittenAsync += OnOverwritten;
        publisher.Retain = message => _server.InjectApplicationMessage(new InjectedMqttApplicationMessage(message) { SenderClientId = "" });
        await _server.StartAsync();
    }

    /// <summary>Closes the door: nobody new comes in, requests under way are answered, then the connections end. No wills are published.</summary>
    public async Task StopAsync(TimeSpan drain)
    {
        if (_server is null)
        {
            return;
        }

        _stopping = true;
        _endpoint!.StopAccepting();
        var end = time.GetTimestamp();
        while (requests.UnderWay > 0 && time.GetElapsedTime(end) < drain)
        {
            await Task.Delay(TimeSpan.FromMilliseconds(10), time);
        }

        publisher.Retain = null;
        await _server.StopAsync(new MqttServerStopOptions
        {
            DefaultClientDisconnectOptions = new MqttServerClientDisconnectOptions { ReasonCode = MqttDisconnectReasonCode.ServerShuttingDown },
        });
    }

    public async ValueTask DisposeAsync()
    {
        await StopAsync(TimeSpan.Zero);
        _server?.Dispose();
        _server = null;
    }

    private MqttServerOptions BrokerOptions()
    {
        var built = new MqttServerOptionsBuilder()
            .WithoutDefaultEndpoint()
            .WithPersistentSessions(true)
            .WithMaxPendingMessagesPerClient(options.Value.MqttSessionQueueSize)
            .WithDefaultCommunicationTimeout(options.Value.ConnectTimeout)
            .Build();

        // The door keeps the keep-alive; the broker's own watchman has nothing to find and need not look often.
        built.KeepAliveOptions.MonitorInterval = TimeSpan.FromSeconds(30);
        built.WriterBufferSize = 512;
        return built;
    }

    private MqttConnection NewConnection(Socket socket) => new(
        new NetworkStream(socket, ownsSocket: true),
        socket.LocalEndPoint,
        socket.RemoteEndPoint,
        options.Value,
        requests,
        refusals,
        publisher,
        time,
        _logger);

    private async Task OnValidating(ValidatingConnectionEventArgs e)
    {
        if (string.IsNullOrEmpty(e.ClientId))
        {
            e.AssignedClientIdentifier = e.ChannelAdapter is MqttConnection { IsVersion5: true } ? $"auto-{Guid.NewGuid():N}" : null;
        }
        else if (publisher.Find(e.ClientId) is { } older)
        {
            // One after the other: the broker would clear away the session of the newer one when the older ends meanwhile.
            await older.GiveWayAsync();
        }
    }

    private Task OnSubscribing(InterceptingSubscriptionEventArgs e)
    {
        var filter = e.TopicFilter.Topic;
        if (filter.StartsWith("$share/", StringComparison.Ordinal))
        {
            e.ProcessSubscription = false;
            e.Response.ReasonCode = MqttSubscribeReasonCode.SharedSubscriptionsNotSupported;
            refusals.Count("mqtt.shared-subscription");
            return Task.CompletedTask;
        }

        var identifier = publisher.Find(e.ClientId)?.SubscriptionIdentifiers.GetValueOrDefault(filter) ?? 0;
        subscriptions.Add(new Subscription(e.ClientId, filter, (int)e.TopicFilter.QualityOfServiceLevel, e.Session, identifier, e.TopicFilter.NoLocal));
        return Task.CompletedTask;
    }

    private Task OnUnsubscribed(ClientUnsubscribedTopicEventArgs e)
    {
        subscriptions.Remove(e.ClientId, e.TopicFilter);
        return Task.CompletedTask;
    }

    private Task OnSessionDeleted(SessionDeletedEventArgs e)
    {
        subscriptions.RemoveClient(e.Id, e.SessionItems);
        return Task.CompletedTask;
    }

    private Task OnPublishing(InterceptingPublishEventArgs e)
    {
        if (IsOwn(e.SessionItems))
        {
            return Task.CompletedTask;
        }

        // Of what is not free only wills come here: the door has taken the rest. No wills when we stop: connections end by our doing.
        var topic = requests.Read(e.ApplicationMessage.Topic);
        e.ProcessPublish = !_stopping && topic.Kind is TopicKind.Free or TopicKind.Unknown;
        return _stopping || e.ProcessPublish ? Task.CompletedTask : requests.TakeWillAsync(topic, e.ApplicationMessage).AsTask();
    }

    private bool IsOwn(IDictionary items) => ReferenceEquals(items, _server!.ServerSessionItems);

    private Task OnOverwritten(QueueMessageOverwrittenEventArgs e)
    {
        refusals.Count("mqtt.queue-full");
        return Task.CompletedTask;
    }

    /// <summary>What the broker has to say about its clients is for those who debug; its faults are warnings.</summary>
    private sealed partial class BrokerLog(ILogger logger) : IMqttNetLogger
    {
        public bool IsEnabled => logger.IsEnabled(LogLevel.Debug);

        public void Publish(MqttNetLogLevel logLevel, string source, string message, object[] parameters, Exception exception)
        {
            if (logLevel >= MqttNetLogLevel.Warning)
            {
                LogBroker(logger, exception, source, parameters is null ? message : string.Format(message, parameters));
            }
        }

        [LoggerMessage(LogLevel.Debug, "{Source}: {Text}")]
        private static partial void LogBroker(ILogger logger, Exception? exception, string source, string text);
    }
}
