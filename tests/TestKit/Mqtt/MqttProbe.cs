using System.Text;
using MQTTnet;
using MQTTnet.Formatter;
using MQTTnet.Protocol;

namespace EdgeOrleans.TestKit;

/// <summary>An MQTT client of a test: it remembers all it hears.</summary>
public sealed class MqttProbe : IAsyncDisposable
{
    private readonly IMqttClient _client = new MqttClientFactory().CreateMqttClient();
    private readonly HashSet<string> _subscribed = new(StringComparer.Ordinal);
    private readonly TaskCompletionSource _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private int _questions;

    private MqttProbe()
    {
        _client.ApplicationMessageReceivedAsync += received =>
        {
            Heard.Add(new Heard(received.ApplicationMessage.Topic, Encoding.UTF8.GetString(received.ApplicationMessage.Payload)));
            return Task.CompletedTask;
        };
        _client.DisconnectedAsync += _ =>
        {
            _ended.TrySetResult();
            return Task.CompletedTask;
        };
    }

    /// <summary>All it has heard.</summary>
    public Arrivals<Heard> Heard { get; } = new();

    /// <summary>Ends when the broker has ended the connection.</summary>
    public Task Ended => _ended.Task.WaitAsync(Patience.Default);

    /// <summary>Connects, and subscribes with QoS 1.</summary>
    public static async Task<MqttProbe> ConnectAsync(int port, params string[] topics)
    {
        var probe = new MqttProbe();
        await probe.OpenAsync(port, MqttProtocolVersion.V311);
        foreach (var topic in topics)
        {
            await probe.SubscribeAsync(topic);
        }

        return probe;
    }

    /// <summary>Connects with MQTT 5.</summary>
    public static async Task<MqttProbe> ConnectV5Async(int port)
    {
        var probe = new MqttProbe();
        await probe.OpenAsync(port, MqttProtocolVersion.V500);
        return probe;
    }

    /// <summary>Subscribes with QoS 1 and waits for the grant.</summary>
    public Task SubscribeAsync(string topic) => _client.SubscribeAsync(topic, MqttQualityOfServiceLevel.AtLeastOnce);

    /// <summary>Publishes; with QoS 1 it waits for the acknowledgement and returns its reason code (0 in MQTT 3.1.1).</summary>
    public async Task<int> PublishAsync(string topic, string payload, int qos = 1)
    {
        var message = new MqttApplicationMessage
        {
            Topic = topic,
            PayloadSegment = new ArraySegment<byte>(Encoding.UTF8.GetBytes(payload)),
            QualityOfServiceLevel = (MqttQualityOfServiceLevel)qos,
        };
        return (int)(await _client.PublishAsync(message).WaitAsync(Patience.Default)).ReasonCode;
    }

    /// <summary>Reports actual values of a device and waits for the result.</summary>
    public Task<Heard> ReportAsync(string device, params (string Name, string Value)[] properties) =>
        AskAsync($"$hw/events/device/{device}/twin/update", id => TwinJson.Report(id, properties));

    /// <summary>Asks for the twin of a device.</summary>
    public Task<Heard> GetAsync(string device) => AskAsync($"$hw/events/device/{device}/twin/get", id => $$"""{"event_id":"{{id}}","timestamp":0}""");

    /// <summary>Publishes what becomes of an <c>event_id</c> and waits for the answer that bears it.</summary>
    public async Task<Heard> AskAsync(string topic, Func<string, string> question, int qos = 1)
    {
        var id = $"probe-{Interlocked.Increment(ref _questions)}-{Guid.NewGuid():N}";
        if (_subscribed.Add(topic))
        {
            await SubscribeAsync(topic + "/result");
        }

        var before = Heard.Count;
        await PublishAsync(topic, question(id), qos);
        return await Heard.FirstAsync(heard => heard.Topic == topic + "/result" && heard.EventId == id, $"answer on {topic}/result", after: before);
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        if (_client.IsConnected)
        {
            await _client.DisconnectAsync();
        }

        _client.Dispose();
    }

    private async Task OpenAsync(int port, MqttProtocolVersion version) => await _client.ConnectAsync(new MqttClientOptionsBuilder()
        .WithTcpServer("127.0.0.1", port)
        .WithProtocolVersion(version)
        .WithClientId($"probe-{Guid.NewGuid():N}"[..20])
        .WithCleanSession()
        .WithTimeout(Patience.Default)
        .Build());
}
