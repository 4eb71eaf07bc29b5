using System.Text.Json;
using EdgeOrleans.Client.Connection;
using MQTTnet;
using MQTTnet.Exceptions;
using MQTTnet.Formatter;
using MQTTnet.Protocol;

namespace EdgeOrleans.Client.Simulation;

/// <summary>One MQTT connection and the virtual devices that share it.</summary>
internal sealed class FleetConnection : IDisposable
{
    private static readonly TimeSpan Reconnect = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan AdoptAfter = TimeSpan.FromMilliseconds(300);
    private const int Together = 32;
    private readonly SimulationOptions _options;
    private readonly IReadOnlyList<VirtualDevice> _devices;
    private readonly Measurements _measurements;
    private readonly TimeProvider _time;
    private readonly Dictionary<string, Action<MqttApplicationMessage>> _handlers = new(StringComparer.Ordinal);
    private readonly IMqttClient _client = new MqttClientFactory().CreateMqttClient();
    private Task _return = Task.CompletedTask;

    public FleetConnection(SimulationOptions options, IReadOnlyList<VirtualDevice> devices, Measurements measurements, TimeProvider time)
    {
        (_options, _devices, _measurements, _time) = (options, devices, measurements, time);
        foreach (var device in devices)
        {
            _handlers[device.ResultTopic] = message => device.Answered(message.Payload);
            _handlers[device.DeltaTopic] = message => Adopt(device, message);
        }

        _client.ApplicationMessageReceivedAsync += ReceivedAsync;
    }

    /// <summary>Whether nothing can be said or heard at the moment.</summary>
    public bool IsAway => !_client.IsConnected || !_return.IsCompleted;

    /// <summary>Connects and listens. The broker's word comes back as an exception.</summary>
    public async Task ConnectAsync(CancellationToken cancellation)
    {
        var options = new MqttClientOptionsBuilder()
            .WithTcpServer(_options.Broker.Host, _options.Broker.Port)
            .WithProtocolVersion(MqttProtocolVersion.V311)
            .WithClientId($"edgectl-{Guid.NewGuid():N}"[..20])
            .WithCleanSession()
            .WithoutPacketFragmentation()
            .WithTimeout(_options.Patience)
            .Build();
        using (var limit = Reach.Limit(cancellation, Reach.Handshake))
        {
            await _client.ConnectAsync(options, limit.Token).WaitAsync(limit.Token);
        }

        foreach (var topics in _handlers.Keys.Chunk(100))
        {
            var subscription = new MqttClientSubscribeOptionsBuilder();
            Array.ForEach(topics, topic => subscription.WithTopicFilter(topic, Qos));
            using var limit = Reach.Limit(cancellation, _options.Patience);
            await _client.SubscribeAsync(subscription.Build(), limit.Token);
        }
    }

    /// <summary>Says that the devices are online, some together: the broker's acknowledgement is the pace.</summary>
    public async Task SayOnlineAsync(CancellationToken cancellation)
    {
        foreach (var together in _devices.Chunk(Together))
        {
            using var limit = Reach.Limit(cancellation, _options.Patience);
            await Task.WhenAll(together.Select(device => PublishAsync(device.StateTopic, device.State("online"), limit.Token)));
            _measurements.Online(together.Length);
        }
    }

    /// <summary>Reports at an even pace until the token ends it. While the broker is away, the reports fail.</summary>
    public async Task RunAsync(CancellationToken cancellation)
    {
        var pace = _options.Interval / _devices.Count;
        var begin = _time.GetTimestamp();
        for (var slot = 0L; !cancellation.IsCancellationRequested; slot++)
        {
            var wait = (pace * slot) - _time.GetElapsedTime(begin);
            if (wait > TimeSpan.FromMilliseconds(1))
            {
                await Task.Delay(wait, _time, cancellation);
            }

            if (!IsAway)
            {
                _ = ReportAsync(_devices[(int)(slot % _devices.Count)]);
                continue;
            }

            _devices[(int)(slot % _devices.Count)].Missed();
            if (_return.IsCompleted)
            {
                _measurements.Lost();
                _return = ConnectAgainAsync(cancellation);
            }
        }
    }

    public async Task CloseAsync()
    {
        try
        {
            await _client.DisconnectAsync(new MqttClientDisconnectOptions()).WaitAsync(Reach.Patience, _time);
        }
        catch (Exception e) when (e is MqttCommunicationException or MqttClientNotConnectedException or TimeoutException or OperationCanceledException)
        {
            // It is over either way.
        }
    }

    public void Dispose() => _client.Dispose();

    private MqttQualityOfServiceLevel Qos => (MqttQualityOfServiceLevel)_options.Qos;

    // Not awaited by the pace: at QoS 1 it ends with the broker's PUBACK.
    private async Task ReportAsync(VirtualDevice device)
    {
        if (device.NextReport() is not { } report)
        {
            return;
        }

        try
        {
            await PublishAsync(device.UpdateTopic, report, CancellationToken.None);
        }
        catch (Exception)
        {
            device.Failed(report);
        }
    }

    private Task<MqttClientPublishResult> PublishAsync(string topic, byte[] payload, CancellationToken cancellation) => _client.PublishAsync(
        new MqttApplicationMessage { Topic = topic, PayloadSegment = new ArraySegment<byte>(payload), QualityOfServiceLevel = Qos },
        cancellation);

    private async Task ConnectAgainAsync(CancellationToken cancellation)
    {
        while (!cancellation.IsCancellationRequested)
        {
            try
            {
                await Task.Delay(Reconnect, _time, cancellation);
                await ConnectAsync(cancellation);
                return;
            }
            catch (Exception)
            {
                // The node is away; what was not answered shows in the summary.
            }
        }
    }

    private Task ReceivedAsync(MqttApplicationMessageReceivedEventArgs received)
    {
        try
        {
            _handlers.GetValueOrDefault(received.ApplicationMessage.Topic)?.Invoke(received.ApplicationMessage);
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException or FormatException)
        {
            // No answer of a node: the report stays unanswered, and the summary says so.
        }

        return Task.CompletedTask;
    }

    private void Adopt(VirtualDevice device, MqttApplicationMessage message)
    {
        if (device.Adopt(message.Payload))
        {
            _ = ReportLaterAsync(device);
        }
    }

    // A machine needs a moment to become what it should be.
    private async Task ReportLaterAsync(VirtualDevice device)
    {
        await Task.Delay(AdoptAfter, _time);
        await ReportAsync(device);
    }
}
