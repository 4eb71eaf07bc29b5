using MQTTnet.Formatter;

namespace EdgeOrleans.Edge.EventBus;

/// <summary>Which MQTT the node speaks to a broker outside.</summary>
public enum OutsideVersion
{
    /// <summary>MQTT 5, and 3.1.1 where that is not understood.</summary>
    Auto,

    /// <summary>MQTT 5 alone.</summary>
    V5,

    /// <summary>MQTT 3.1.1 alone.</summary>
    V311,
}

/// <summary>The versions of MQTT that are tried at a broker outside, until it understands one.</summary>
internal sealed class OutsideDialect(OutsideVersion wish)
{
    private static readonly Dialect Five = new(MqttProtocolVersion.V500, IsBridge: false);
    private static readonly Dialect Bridge = new(MqttProtocolVersion.V311, IsBridge: true);
    private static readonly Dialect Plain = new(MqttProtocolVersion.V311, IsBridge: false);

    private readonly Dialect[] _dialects = wish switch
    {
        OutsideVersion.V5 => [Five],
        OutsideVersion.V311 => [Bridge, Plain],
        _ => [Five, Bridge, Plain],
    };

    private int _at;
    private bool _isUnderstood;

    public MqttProtocolVersion Version => _dialects[_at].Version;

    public bool IsVersion5 => Version == MqttProtocolVersion.V500;

    /// <summary>
    /// MQTT 3.1.1 with the bit of a bridge: mosquitto and others do not send back to such a client what it has published. Brokers that do not
    /// know the bit refuse it, and are spoken to without.
    /// </summary>
    public bool IsBridge => _dialects[_at].IsBridge;

    /// <summary>Whether the broker sends back what the node publishes.</summary>
    public bool Echoes => !IsVersion5 && !IsBridge;

    /// <summary>The broker has understood it: it stays, and what fails later has another reason.</summary>
    public void Understood() => _isUnderstood = true;

    /// <summary>The broker may not have understood it: the next is tried.</summary>
    public void NotUnderstood()
    {
        if (!_isUnderstood)
        {
            _at = (_at + 1) % _dialects.Length;
        }
    }

    /// <summary>As people write it.</summary>
    public override string ToString() => IsVersion5 ? "5" : "3.1.1";

    private sealed record Dialect(MqttProtocolVersion Version, bool IsBridge);
}
