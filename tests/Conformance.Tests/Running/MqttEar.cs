using System.Text;
using MQTTnet;
using MQTTnet.Formatter;
using MQTTnet.Protocol;

namespace EdgeOrleans.Conformance.Running;

/// <summary>What a client heard.</summary>
internal sealed record Heard(string Topic, string Payload)
{
    public override string ToString() => $"{Topic} {Payload}";
}

/// <summary>Clients of a node's broker: one of each MQTT version that speaks, and one that hears everything, in its order.</summary>
internal sealed class MqttEar : IAsyncDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);
    private readonly IMqttClient _mouth3 = new MqttClientFactory().CreateMqttClient();
    private readonly IMqttClient _mouth5 = new MqttClientFactory().CreateMqttClient();
    private readonly IMqttClient _ear = new MqttClientFactory().CreateMqttClient();
    private readonly Lock _gate = new();
    private readonly List<Heard> _heard = [];
    private (string Topic, string Part, TaskCompletionSource Arrived)? _awaited;

    private MqttEar() => _ear.ApplicationMessageReceivedAsync += HearAsync;

    public static async Task<MqttEar> ConnectAsync(int port)
    {
        var ear = new MqttEar();
        await ear._mouth3.ConnectAsync(Options(port, MqttProtocolVersion.V311));
        await ear._mouth5.ConnectAsync(Options(port, MqttProtocolVersion.V500));
        await ear._ear.ConnectAsync(Options(port, MqttProtocolVersion.V311));
        // The first filter does not match topics that begin with a dollar sign.
        await ear._ear.SubscribeAsync("#", MqttQualityOfServiceLevel.AtLeastOnce);
        await ear._ear.SubscribeAsync("$hw/#", MqttQualityOfServiceLevel.AtLeastOnce);
        return ear;
    }

    /// <summary>Which of the two speaks. KubeEdge's own broker knows 3.1.1 alone.</summary>
    public bool SpeaksVersion5 { get; set; }

    private IMqttClient Mouth => SpeaksVersion5 ? _mouth5 : _mouth3;

    /// <summary>Publishes and waits for the acknowledgement.</summary>
    public async Task SayAsync(string topic, string payload)
    {
        using var patience = new CancellationTokenSource(Patience);
        await Mouth.PublishStringAsync(topic, payload, MqttQualityOfServiceLevel.AtLeastOnce, retain: false, patience.Token);
    }

    /// <summary>Publishes a question and waits until an answer that holds <paramref name="part"/> is heard.</summary>
    public async Task AskAsync(string topic, string payload, string part)
    {
        var arrived = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        lock (_gate)
        {
            _awaited = ($"{topic}/result", part, arrived);
        }

        await SayAsync(topic, payload);
        try
        {
            await arrived.Task.WaitAsync(Patience);
        }
        catch (TimeoutException)
        {
            throw new TimeoutException($"no answer to {payload} on {topic} within {Patience.TotalSeconds} s; heard until then: {string.Join(" | ", Take())}");
        }
    }

    /// <summary>What was heard since the last time.</summary>
    public IReadOnlyList<Heard> Take()
    {
        lock (_gate)
        {
            Heard[] heard = [.. _heard];
            _heard.Clear();
            return heard;
        }
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var client in new[] { _mouth3, _mouth5, _ear })
        {
            await client.DisconnectAsync();
            client.Dispose();
        }
    }

    private static MqttClientOptions Options(int port, MqttProtocolVersion version) => new MqttClientOptionsBuilder()
        .WithTcpServer("127.0.0.1", port)
        .WithProtocolVersion(version)
        .WithCleanStart()
        .Build();

    private Task HearAsync(MqttApplicationMessageReceivedEventArgs args)
    {
        var heard = new Heard(args.ApplicationMessage.Topic, Encoding.UTF8.GetString(args.ApplicationMessage.Payload));
        lock (_gate)
        {
            _heard.Add(heard);
            if (_awaited is { } awaited && heard.Topic == awaited.Topic && heard.Payload.Contains(awaited.Part, StringComparison.Ordinal))
            {
                awaited.Arrived.TrySetResult();
            }
        }

        return Task.CompletedTask;
    }
}
