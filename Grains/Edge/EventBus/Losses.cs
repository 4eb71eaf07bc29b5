using EdgeOrleans.Modules;
using EdgeOrleans.Mqtt;

namespace EdgeOrleans.Edge.EventBus;

/// <summary>What was to reach one client and did not. Each is counted for the client and for the node.</summary>
internal sealed class Losses(Refusals? refusals)
{
    private long _slowReader;
    private long _queueFull;
    private long _expired;
    private long _tooLarge;

    /// <summary>All of them.</summary>
    public long Total => View().Total;

    /// <summary>QoS 0, and too much waits to be sent already.</summary>
    public void SlowReader() => Count(ref _slowReader, "mqtt.slow-reader");

    /// <summary>QoS 1 and 2, and there is no room in the queue.</summary>
    public void QueueFull() => Count(ref _queueFull, "mqtt.queue-full");

    /// <summary>QoS 1 and 2 that has waited too long.</summary>
    public void Expired() => Count(ref _expired, "mqtt.message-expired");

    /// <summary>It is larger than the client takes.</summary>
    public void TooLarge() => Count(ref _tooLarge, "mqtt.client-takes-no-such-size");

    /// <summary>The counts as they are now.</summary>
    public MqttLosses View() => new()
    {
        SlowReader = Interlocked.Read(ref _slowReader),
        QueueFull = Interlocked.Read(ref _queueFull),
        Expired = Interlocked.Read(ref _expired),
        TooLarge = Interlocked.Read(ref _tooLarge),
    };

    private void Count(ref long count, string reason)
    {
        Interlocked.Increment(ref count);
        refusals?.Count(reason);
    }
}
