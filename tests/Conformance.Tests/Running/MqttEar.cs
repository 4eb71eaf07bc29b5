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

/// <summary>Two clients of a node's broker: one that speaks, and one that hears everything, in its order.</summary>
internal sealed class MqttEar : IAsyncDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);
    private readonly IMqttClient _mouth = new MqttClientFactory().CreateMqttClient();
    private readonly IMqttClient _ear = new MqttClientFactory().CreateMqttClient();
    private readonly Lock _gate = new();
    private readonly List<Heard> _heard = [];
    private (string Topic, string Part, TaskCompletionSource Arrived)? _awaited;

    private MqttEar() => _ear.ApplicationMessageReceivedAsync += HearAsync;

    public static async Task<MqttEar> ConnectAsync(int port)
    {
        var ear = new MqttEar();
        await ear._mouth.ConnectAsync(Options(port));
        await ear._ear.ConnectAsync(Options(port));
        // The first filter does not match topics that begin with a dollar sign.
        await ear._ear.SubscribeAsync("#", MqttQualityOfServiceLevel.AtLeastOnce);
        await ear._ear.SubscribeAsync("$hw/#", MqttQualityOfServiceLevel.AtLeastOnce);
        return ear;
    }

    /// <summary>Publishes and waits for the acknowledgement.</summary>
    public async Task SayAsync(string topic, string payload)
    {
        using var patience = new CancellationTokenSource(Patience);
        await _mouth.PublishStringAsync(topic, payload, MqttQualityOfServiceLevel.AtLeastOnce, retain: false, patience.Token);
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
        await _mouth.DisconnectAsync();
        await _ear.DisconnectAsync();
        _mouth.Dispose();
        _ear.Dispose();
    }

    // KubeEdge's own broker speaks 3.1.1 alone.
    private static MqttClientOptions Options(int port) => new MqttClientOptionsBuilder()
        .WithTcpServer("127.0.0.1", port)
        .WithProtocolVersion(MqttProtocolVersion.V311)
        .WithCleanSession()
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
