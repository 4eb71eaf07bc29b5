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
    private readonly MqttProtocolVersion[] _versions = wish switch
    {
        OutsideVersion.V5 => [MqttProtocolVersion.V500],
        OutsideVersion.V311 => [MqttProtocolVersion.V311],
        _ => [MqttProtocolVersion.V500, MqttProtocolVersion.V311],
    };

    private int _at;
    private bool _isUnderstood;

    public MqttProtocolVersion Current => _versions[_at];

    public bool IsVersion5 => Current == MqttProtocolVersion.V500;

    /// <summary>The broker has understood it: it stays, and what fails later has another reason.</summary>
    public void Understood() => _isUnderstood = true;

    /// <summary>The broker may not have understood it: the next is tried.</summary>
    public void NotUnderstood()
    {
        if (!_isUnderstood)
        {
            _at = (_at + 1) % _versions.Length;
        }
    }

    /// <summary>As people write it.</summary>
    public override string ToString() => IsVersion5 ? "5" : "3.1.1";
}
